"""What comes back: bounces, the mailbox they come to, and registrations for events."""

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from content.models import EventPage
from newsletter.models.mailings import Delivery, Notice


class Bounce(models.Model):
    """One report about a message of ours, in one vocabulary whatever its source."""

    class Kind(models.TextChoices):
        HARD = "hard", _("Address does not exist")
        SOFT = "soft", _("Could not be delivered now")
        BLOCKED = "blocked", _("Refused because of us")
        DEFERRED = "deferred", _("Still trying")
        DELIVERED = "delivered", _("Delivered")
        COMPLAINT = "complaint", _("Reported as unwanted")
        AUTOREPLY = "autoreply", _("Automatic reply")
        UNKNOWN = "unknown", _("Not understood")

    event_id = models.CharField(max_length=200, unique=True, help_text="Replays of the same report are ignored.")
    delivery = models.ForeignKey(Delivery, null=True, on_delete=models.SET_NULL, related_name="bounces")
    notice = models.ForeignKey(Notice, null=True, on_delete=models.CASCADE, related_name="bounces")
    kind = models.CharField(_("kind"), max_length=10, choices=Kind)
    status = models.CharField(_("status"), max_length=12, blank=True, help_text=_("Enhanced status code, RFC 3463."))
    detail = models.CharField(_("detail"), max_length=500, blank=True)
    at = models.DateTimeField(_("when"), default=timezone.now)

    class Meta:
        verbose_name = _("bounce")
        verbose_name_plural = _("bounces")


class BounceMailbox(models.Model):
    """A mailbox for bounces that can not be read at the moment; there is no row while it can."""

    url = models.CharField(max_length=500, primary_key=True, help_text="Without the password.")
    failing_since = models.DateTimeField()
    why = models.CharField(max_length=500, blank=True, help_text="What its server said last.")

    def __str__(self) -> str:
        return self.url


class Registration(models.Model):
    """One person's place at an event."""

    class State(models.TextChoices):
        REGISTERED = "registered", _("Registered")
        WAITING = "waiting", _("On the waiting list")
        CANCELLED = "cancelled", _("Cancelled")

    event = models.ForeignKey(EventPage, on_delete=models.CASCADE, related_name="registrations")
    email = models.EmailField(_("email"), max_length=320)
    address_key = models.CharField(max_length=320)
    name = models.CharField(_("name"), max_length=120, blank=True)
    state = models.CharField(_("state"), max_length=10, choices=State, default=State.REGISTERED)
    created_at = models.DateTimeField(_("created"), auto_now_add=True)

    class Meta:
        verbose_name = _("registration")
        verbose_name_plural = _("registrations")
        constraints = [
            models.UniqueConstraint(fields=["event", "address_key"], name="one_registration_per_address"),
            models.CheckConstraint(
                condition=models.Q(state__in=["registered", "waiting", "cancelled"]), name="registration_state_known"
            ),
        ]
