"""What a person can do with a mailing on its way: each asks first, then calls its verb."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.generic import TemplateView
from wagtail.admin.views.generic.base import WagtailAdminTemplateMixin
from wagtail.admin.views.generic.permissions import PermissionCheckedMixin

from newsletter import delivery
from newsletter.admin import reasons
from newsletter.delivery.replies import ADDRESS, UNCERTAIN
from newsletter.models import Delivery, Mailing

if TYPE_CHECKING:
    from django.contrib.auth.models import User
    from django_stubs_ext import StrOrPromise

State = Mailing.State


class Question(PermissionCheckedMixin, WagtailAdminTemplateMixin, TemplateView):
    """A page that asks before something is done; GET changes nothing."""

    permission_required = "change"
    template_name = "newsletter/admin/question.html"
    header_icon = "mail"
    label: StrOrPromise
    question: StrOrPromise
    is_grave = False

    def get_page_title(self) -> str:
        return str(self.label)

    def get_breadcrumbs_items(self) -> list[dict[str, Any]]:
        back = {"url": self.get_return_url(), "label": self.get_subject()}
        return [*self.breadcrumbs_items, back, {"url": "", "label": self.get_page_title()}]

    def get_subject(self) -> str:
        """What it is about."""
        raise NotImplementedError

    def get_question(self) -> str:
        """What happens, and what can not be undone."""
        return str(self.question)

    def get_return_url(self) -> str:
        raise NotImplementedError

    def get_done_url(self) -> str:
        return self.get_return_url()

    def act(self, user: User) -> str:
        """Do it, and say what was done.

        Raises:
            Refused: it can not be done.
        """
        raise NotImplementedError

    def post(self, request: HttpRequest, **_kwargs: Any) -> HttpResponse:
        try:
            messages.success(request, self.act(request.user))  # type: ignore[arg-type]
        except delivery.Refused as refused:
            messages.error(request, str(refused))
            return HttpResponseRedirect(self.get_return_url())
        return HttpResponseRedirect(self.get_done_url())


class Brake(Question):
    """A way to change the course of a mailing, and in which states it applies."""

    model = Mailing
    name: str
    states: frozenset[str]
    mailing: Mailing

    def setup(self, request: HttpRequest, *args: Any, **kwargs: Any) -> None:
        super().setup(request, *args, **kwargs)
        self.mailing = get_object_or_404(Mailing, pk=kwargs["pk"])

    @classmethod
    def applies(cls, mailing: Mailing, _counts: dict[str, int]) -> bool:
        """Whether it makes sense for a mailing with these numbers."""
        return mailing.state in cls.states

    def get_return_url(self) -> str:
        return reverse("newsletter_mailings:inspect", args=[self.mailing.pk])

    def get_subject(self) -> str:
        return self.mailing.subject

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(subject=self.mailing.subject, state=self.mailing.get_state_display(), **kwargs)


class Pause(Brake):
    name = "pause"
    label = gettext_lazy("Pause")
    question = gettext_lazy("It stops within one message per open connection, and goes on when you resume it.")
    states = frozenset({State.SCHEDULED, State.PREPARING, State.SENDING})

    def act(self, user: User) -> str:
        delivery.pause(self.mailing, user=user)
        return _("The mailing is paused.")


class Resume(Brake):
    name = "resume"
    label = gettext_lazy("Resume")
    question = gettext_lazy("It goes on where it stopped. Nobody gets it twice.")
    once_more = gettext_lazy(
        "It goes on where it stopped. Whoever got it after the backup was made gets it a second time."
    )
    states = frozenset({State.PAUSED})

    def get_question(self) -> str:
        return str(self.once_more if self.mailing.restored_at else self.question)

    def act(self, user: User) -> str:
        delivery.resume(self.mailing, user)
        return _("The mailing goes on.")


class Cancel(Brake):
    name = "cancel"
    label = gettext_lazy("Cancel")
    question = gettext_lazy(
        "It ends for good. Whoever has not got it yet gets nothing; what was sent can not come back."
    )
    states = frozenset({State.SCHEDULED, State.PREPARING, State.SENDING, State.PAUSED})
    is_grave = True

    def act(self, user: User) -> str:
        delivery.cancel(self.mailing, user)
        return _("The mailing is cancelled.")


class Retry(Brake):
    """Everybody it failed to reach; where the address itself was refused only if asked for."""

    name = "retry"
    label = gettext_lazy("Retry what failed")
    question = gettext_lazy("Everybody it failed to reach is sent to again, each with a fresh copy.")
    states = frozenset({State.SENDING, State.PAUSED, State.SENT})
    template_name = "newsletter/admin/retry.html"

    @classmethod
    def applies(cls, mailing: Mailing, counts: dict[str, int]) -> bool:
        return super().applies(mailing, counts) and bool(counts[Delivery.State.FAILED])

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        retryable = delivery.retryable(self.mailing)
        everybody = delivery.retryable(self.mailing, with_addresses=True)
        return super().get_context_data(
            number=retryable.count(),
            uncertain=retryable.filter(reason=UNCERTAIN).count(),
            addresses=everybody.filter(reason=ADDRESS).count(),
            why_address=reasons.words(ADDRESS),
            is_paused=self.mailing.state == State.PAUSED,
            **kwargs,
        )

    def act(self, user: User) -> str:
        number = delivery.retry_failed(self.mailing, user, with_addresses="addresses" in self.request.POST)
        return ngettext("%(number)s person is sent to again.", "%(number)s people are sent to again.", number) % {
            "number": number
        }


BRAKES: tuple[type[Brake], ...] = (Pause, Resume, Retry, Cancel)
