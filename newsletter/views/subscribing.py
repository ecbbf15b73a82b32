"""The door: people sign up here. Safe without a cookie, so that any cached page may carry the form."""

from __future__ import annotations

import time
from collections.abc import Callable
from urllib.parse import urlsplit

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import get_language
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from newsletter import forms, limits, subscribers
from newsletter.models import Newsletter

ANSWER_AFTER = 0.1  # seconds: longer than any of our ways to an answer, so that its time tells nothing about an address


@csrf_exempt
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def subscribe(request: HttpRequest) -> HttpResponse:
    """Take a sign-up. The answer, and its time, are the same whatever we know of the address."""
    if request.method != "POST":
        return redirect(request.path.rstrip("/").removesuffix("subscribe"))
    if not comes_from_us(request):
        return render(request, "newsletter/foreign.html", status=403)
    form = forms.SignupForm(request.POST, auto_id="signup-%s")
    if not form.is_valid():
        words = {"form": form, "place": "signup", "wording": forms.consent_wording()}
        return render(request, "newsletter/mend.html", words, status=400)
    return _answer_alike(request, lambda: _sign_up(form, request), "newsletter/asked.html")


@csrf_exempt
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def mail_link(request: HttpRequest) -> HttpResponse:
    """Mail somebody the links to their subscription. The answer, and its time, tell nothing about the address."""
    if request.method == "POST" and not comes_from_us(request):
        return render(request, "newsletter/foreign.html", status=403)
    form = forms.AddressForm(request.POST if request.method == "POST" else None, auto_id="link-%s")
    if not form.is_valid():
        return render(request, "newsletter/link.html", {"form": form}, status=400 if form.is_bound else 200)
    return _answer_alike(request, lambda: _mail_link(form, request), "newsletter/link_asked.html")


def _answer_alike(request: HttpRequest, act: Callable[[], None], template: str) -> HttpResponse:
    """Act, and answer after the same time whatever that took; or say that the network asked too often."""
    answer_at = time.monotonic() + ANSWER_AFTER
    try:
        act()
    except limits.TooManySignups:
        busy = render(request, "newsletter/busy.html", status=429)
        busy.headers["Retry-After"] = "3600"
        return busy
    answer = render(request, template)
    time.sleep(max(0.0, answer_at - time.monotonic()))
    return answer


def comes_from_us(request: HttpRequest) -> bool:
    """Whether a form was sent from this site, or from one that may embed it: by Origin, else by Referer.

    A request with neither comes from no page of somebody else's, and is let in.
    """
    origin = request.headers.get("Origin")
    if origin is None and not (origin := _origin(request.headers.get("Referer", ""))):
        return "Referer" not in request.headers
    own = f"{request.scheme}://{request.get_host()}"
    return origin.lower() in {own, _origin(settings.SITE_URL), *map(_origin, settings.EMBED_ORIGINS)}


def _origin(url: str) -> str:
    try:
        parts = urlsplit(url)
    except ValueError:
        return ""
    return f"{parts.scheme}://{parts.netloc}".lower() if parts.netloc else ""


def _newsletter() -> Newsletter:
    newsletter = Newsletter.objects.order_by("pk").first()
    if newsletter is None:
        raise Http404
    return newsletter


def _mail_link(form: forms.AddressForm, request: HttpRequest) -> None:
    newsletter = _newsletter()
    if not form.filled_by_a_program:
        subscribers.mail_link(newsletter, form.cleaned_data["email"], ip=request.META["REMOTE_ADDR"])


def _sign_up(form: forms.SignupForm, request: HttpRequest) -> None:
    newsletter = _newsletter()
    if form.filled_by_a_program:
        return
    subscribers.subscribe(
        newsletter,
        form.cleaned_data["email"],
        ip=request.META["REMOTE_ADDR"],
        name=form.cleaned_data["name"],
        language=form.cleaned_data["language"],
        terms=form.picked(),
        wording=forms.consent_wording(),
        source=f"form ({get_language()})",
    )
