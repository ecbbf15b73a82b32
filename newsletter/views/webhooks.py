"""Where a provider reports what became of our messages. Its proof is the only authority; nobody else is answered."""

from __future__ import annotations

import logging

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt

from newsletter import esp, webhooks

logger = logging.getLogger(__name__)

LARGEST = 1024 * 1024  # bytes
UNAUTHORIZED, FORBIDDEN, TOO_LARGE = 401, 403, 413


@csrf_exempt
@never_cache
def receive(request: HttpRequest, name: str) -> HttpResponse:
    """Take in the events of the provider of ESP; without a key to prove them there is no such address."""
    if name != settings.ESP or not esp.proofs():
        raise Http404
    provider = esp.PROVIDERS[name]
    if request.method != "POST":
        return HttpResponse() if request.method == provider.probe else HttpResponseNotAllowed(["POST"])
    if _length(request) > LARGEST:
        return HttpResponse(status=TOO_LARGE)
    if settings.ANYMAIL.get("WEBHOOK_SECRET") and "Authorization" not in request.headers:
        # Some, such as Amazon, only send their password when they are asked for it.
        return HttpResponse(status=UNAUTHORIZED, headers={"WWW-Authenticate": 'Basic realm="webhooks"'})
    try:
        events = webhooks.read(provider, request)
    except webhooks.Unbelievable as error:
        logger.warning("A request in the name of %s was not believed (%s).", provider.title, error)
        return HttpResponse(status=FORBIDDEN)
    webhooks.take_in(provider, events)
    return HttpResponse()


def _length(request: HttpRequest) -> int:
    """What the body says of its size; nothing longer is ever read."""
    length = request.META.get("CONTENT_LENGTH") or "0"
    return int(length) if length.isascii() and length.isdigit() else 0
