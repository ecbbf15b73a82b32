"""Pages behind the links of our mails: the signed token is the authority, and needs no cookie, login or origin.

Mail scanners follow every link, so GET shows a button and only POST acts.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils.decorators import method_decorator
from django.utils.translation import get_language
from django.views import View
from django.views.decorators.csrf import csrf_exempt

from newsletter import addresses, choices, copy_recipients, forms, links, notices, subscribers
from newsletter.models import ConsentEvent, CopyRecipient, Notice, Subscription, Suppression
from newsletter.subscribers import consent

GONE = 410


def kept_private(response: HttpResponseBase) -> HttpResponseBase:
    """No cache keeps it, no search engine lists it, no other site learns its address."""
    response.headers["Cache-Control"] = "no-store"
    response.headers["X-Robots-Tag"] = "noindex"
    response.headers["Referrer-Policy"] = "same-origin"
    return response


def unknown_link(request: HttpRequest) -> HttpResponseBase:
    """The kind page for a link that is none of ours, or lost its token on the way."""
    form = forms.AddressForm(auto_id="link-%s")
    return kept_private(render(request, "newsletter/unknown.html", {"form": form}, status=404))


lost_token = csrf_exempt(unknown_link)


@method_decorator(csrf_exempt, name="dispatch")
class PrivatePage(View):
    """A page for the holder of a link, about one subscription."""

    purpose: str
    subscription: Subscription
    link: links.Link

    def dispatch(self, request: HttpRequest, *args: Any, token: str, **kwargs: Any) -> HttpResponseBase:
        try:
            self.link = links.read(self.purpose, token)
            subscriptions = Subscription.objects.select_related("subscriber", "newsletter")
            self.subscription = subscriptions.get(public_id=self.link.public_id)
        except (links.UnknownLink, Subscription.DoesNotExist):
            return unknown_link(request)
        return kept_private(super().dispatch(request, *args, **kwargs))

    def page(self, name: str, status: int = 200, **more: Any) -> HttpResponse:
        """Show one of the private pages."""
        public_id, language = self.subscription.public_id, get_language() or ""
        words = {
            "link": self.link,
            "subscription": self.subscription,
            "address": addresses.masked(self.subscription.subscriber.email),
            "preferences_url": links.preferences_url(public_id, language),
        }
        return render(self.request, f"newsletter/{name}.html", {**words, **more}, status=status)


class Confirm(PrivatePage):
    purpose = links.CONFIRM

    def get(self, _request: HttpRequest) -> HttpResponse:
        return self._spent() or self.page("confirm")

    def post(self, _request: HttpRequest) -> HttpResponse:
        spent = self._spent()
        if spent:
            return spent
        subscribers.confirm(self.subscription, self.link.made_at)
        self.subscription.refresh_from_db()
        return self._spent(just_now=True) or self.page("ended")

    def _spent(self, *, just_now: bool = False) -> HttpResponse | None:
        """What to show instead of the button when this link has done its work, or can not do it any more."""
        if self.subscription.status == Subscription.Status.CONFIRMED:
            return self.page("confirmed", just_now=just_now)
        if self.subscription.ended_at and self.subscription.ended_at >= self.link.made_at:
            return self.page("ended")
        return self.page("expired", GONE) if self.link.expired else None


class Unsubscribe(PrivatePage):
    purpose = links.UNSUBSCRIBE

    def get(self, _request: HttpRequest) -> HttpResponse:
        standing = self.subscription.status in consent.STANDING
        return self.page("unsubscribe" if standing else "unsubscribed")

    def post(self, request: HttpRequest) -> HttpResponse:
        """Unsubscribe, whatever the body says (RFC 8058 section 3.1); somebody who never joined may say “never”."""
        never = self.subscription.status == Subscription.Status.PENDING and "never" in request.POST
        subscribers.unsubscribe(self.subscription, mailing_id=self.link.mailing_id)
        if never:
            key = self.subscription.subscriber.address_key
            subscribers.suppress(key, Suppression.Reason.MANUAL, source="link", note="Asked never to be mailed.")
        return self.page("unsubscribed", never=never)


class Preferences(PrivatePage):
    purpose = links.PREFERENCES

    def get(self, _request: HttpRequest) -> HttpResponse:
        return self._form()

    def post(self, request: HttpRequest) -> HttpResponse:
        acts: dict[str, Callable[[], HttpResponse]] = {
            "unsubscribe": self._unsubscribe,
            "resubscribe": self._resubscribe,
            "export": lambda: self._mail(Notice.Kind.EXPORT),
            "erase": lambda: self._mail(Notice.Kind.ERASURE),
        }
        return acts.get(request.POST.get("action", ""), self._save)()

    def _form(self, done: str = "") -> HttpResponse:
        form = forms.ChoicesForm(initial=forms.preferences_of(self.subscription))
        standing = self.subscription.status == Subscription.Status.CONFIRMED
        wording = forms.consent_wording()
        return self.page("preferences", form=form, done=done, standing=standing, wording=wording)

    def _save(self) -> HttpResponse:
        form = forms.ChoicesForm(self.request.POST)
        form.full_clean()
        subscribers.prefer(
            self.subscription,
            name=form.cleaned_data["name"],
            language=form.cleaned_data["language"],
            terms=form.picked_beside(choices.chosen(self.subscription)),
        )
        self.subscription.subscriber.refresh_from_db()
        return self._form(done="saved")

    def _unsubscribe(self) -> HttpResponse:
        subscribers.unsubscribe(self.subscription, source="preferences")
        return self.page("unsubscribed")

    def _resubscribe(self) -> HttpResponse:
        subscribers.request_confirmation(self.subscription, wording=forms.consent_wording(), source="preferences")
        return self._form(done="asked")

    def _mail(self, kind: Notice.Kind) -> HttpResponse:
        """Mail a fresh link, since the one in hand may have been forwarded."""
        if not subscribers.is_suppressed(self.subscription.subscriber):
            notices.queue(self.subscription, kind)
        return self._form(done=kind)


class Export(PrivatePage):
    purpose = links.EXPORT

    def get(self, _request: HttpRequest) -> HttpResponse:
        return self.page("expired", GONE) if self.link.expired else self.page("export")

    def post(self, _request: HttpRequest) -> HttpResponse:
        if self.link.expired:
            return self.page("expired", GONE)
        consent.record(self.subscription, ConsentEvent.Kind.EXPORTED, source="link")
        data = subscribers.portrait(self.subscription.subscriber)
        answer = JsonResponse(data, json_dumps_params={"indent": 2, "ensure_ascii": False})
        answer.headers["Content-Disposition"] = 'attachment; filename="my-data.json"'
        return answer


class Erase(PrivatePage):
    purpose = links.ERASE

    def get(self, _request: HttpRequest) -> HttpResponse:
        return self.page("expired", GONE) if self.link.expired else self.page("erase")

    def post(self, _request: HttpRequest) -> HttpResponse:
        if self.link.expired:
            return self.page("expired", GONE)
        subscribers.erase(self.subscription.subscriber.address_key, source="link")
        return render(self.request, "newsletter/erased.html")


@method_decorator(csrf_exempt, name="dispatch")
class Copies(View):
    """Where somebody who got a test copy of an issue ends them, and their subscription; or asks for them again."""

    recipient: CopyRecipient

    def dispatch(self, request: HttpRequest, *args: Any, token: str, **kwargs: Any) -> HttpResponseBase:
        try:
            link = links.read(links.COPIES, token)
            self.recipient = CopyRecipient.objects.get(public_id=link.public_id)
        except (links.UnknownLink, CopyRecipient.DoesNotExist):
            return unknown_link(request)
        return kept_private(super().dispatch(request, *args, **kwargs))

    def get(self, _request: HttpRequest) -> HttpResponse:
        return self._page()

    def post(self, request: HttpRequest) -> HttpResponse:
        """End them, whatever else the body says (RFC 8058 section 3.1)."""
        if request.POST.get("action") == "again":
            copy_recipients.accept(self.recipient)
        else:
            copy_recipients.refuse(self.recipient)
        return self._page()

    def _page(self) -> HttpResponse:
        words = {"recipient": self.recipient, "address": addresses.masked(self.recipient.address_key)}
        return render(self.request, "newsletter/copies.html", words)
