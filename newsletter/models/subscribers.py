"""Who gets it: newsletters, subscribers, their subscriptions, and the proof of their consent."""

import secrets

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from wagtail.admin.panels import FieldPanel

from content import languages


def new_public_id() -> str:
    """A random name of 128 bits for use in signed addresses, so that no sequence shows."""
    return secrets.token_urlsafe(16)


class Newsletter(models.Model):
    """Something one can subscribe to. One ships; the tables are ready for more."""

    name = models.CharField(_("name"), max_length=120)
    slug = models.SlugField(
        _("slug"), unique=True, help_text=_("Part of the List-Id: never change it once mail went out.")
    )
    description = models.TextField(_("description"), blank=True)
    from_name = models.CharField(_("sender's name"), max_length=120, blank=True)

    panels = [FieldPanel(name) for name in ("name", "slug", "description", "from_name")]

    class Meta:
        verbose_name = _("newsletter")
        verbose_name_plural = _("newsletters")

    def __str__(self) -> str:
        return self.name


class Subscriber(models.Model):
    """A person's address. What they agreed to is on their subscriptions."""

    public_id = models.CharField(max_length=32, unique=True, default=new_public_id, editable=False)
    email = models.EmailField(_("email"), max_length=320)
    address_key = models.CharField(_("address key"), max_length=320, unique=True, editable=False)
    name = models.CharField(_("name"), max_length=120, blank=True)
    # Which languages the site speaks is a setting; who chose another one earlier keeps it.
    language = models.CharField(_("language"), max_length=10, default="en")
    created_at = models.DateTimeField(_("created"), default=timezone.now, editable=False)

    class Meta:
        verbose_name = _("subscriber")
        verbose_name_plural = _("subscribers")
        ordering = ["-created_at", "-pk"]

    def __str__(self) -> str:
        return self.email

    @property
    def spoken_language(self) -> str:
        """The language they are written to in: theirs, or the site's first where it does not speak theirs."""
        return languages.spoken(self.language)

    @property
    def language_name(self) -> str:
        """The language they chose, under its own name."""
        return languages.language_name(self.language)


class Subscription(models.Model):
    """One subscriber's standing with one newsletter."""

    class Status(models.TextChoices):
        PENDING = "pending", _("Not confirmed yet")
        CONFIRMED = "confirmed", _("Confirmed")
        UNSUBSCRIBED = "unsubscribed", _("Unsubscribed")
        BOUNCED = "bounced", _("Address does not work")
        COMPLAINED = "complained", _("Reported as unwanted")

    subscriber = models.ForeignKey(Subscriber, on_delete=models.CASCADE, related_name="subscriptions")
    newsletter = models.ForeignKey(Newsletter, on_delete=models.CASCADE, related_name="subscriptions")
    public_id = models.CharField(max_length=32, unique=True, default=new_public_id, editable=False)
    status = models.CharField(_("status"), max_length=12, choices=Status, default=Status.PENDING)
    source = models.CharField(_("came from"), max_length=80, blank=True)
    choices_key = models.CharField(
        max_length=64, blank=True, editable=False, help_text="SHA-256 of the sorted choices in hex; empty without any."
    )
    created_at = models.DateTimeField(_("created"), default=timezone.now, editable=False)
    confirmed_at = models.DateTimeField(_("confirmed"), null=True, blank=True)
    ended_at = models.DateTimeField(_("ended"), null=True, blank=True)

    wagtail_reference_index_ignore = True

    class Meta:
        verbose_name = _("subscription")
        verbose_name_plural = _("subscriptions")
        constraints = [
            models.UniqueConstraint(fields=["subscriber", "newsletter"], name="one_subscription_per_newsletter"),
            models.CheckConstraint(
                condition=models.Q(status__in=["pending", "confirmed", "unsubscribed", "bounced", "complained"]),
                name="subscription_status_known",
            ),
        ]
        indexes = [
            # The freeze walks the confirmed subscriptions of a newsletter in order of their keys.
            models.Index(fields=["newsletter", "status", "id"], name="subscription_audience"),
        ]

    def __str__(self) -> str:
        return f"{self.subscriber} / {self.newsletter}: {self.get_status_display()}"


class Choice(models.Model):
    """A term a subscriber wants more of, by the key its translations share."""

    subscription = models.ForeignKey(Subscription, on_delete=models.CASCADE, related_name="choices")
    term_key = models.UUIDField()

    wagtail_reference_index_ignore = True

    class Meta:
        constraints = [models.UniqueConstraint(fields=["subscription", "term_key"], name="one_choice_per_term")]


class CopyRecipient(models.Model):
    """An address that test copies of issues went to, so that a link in them can end them."""

    address_key = models.CharField(max_length=320, unique=True)
    public_id = models.CharField(max_length=32, unique=True, default=new_public_id)
    refused_at = models.DateTimeField(null=True, help_text="Since when its owner wants no more test copies.")


class ConsentEvent(models.Model):
    """What somebody agreed to or took back: written once, never changed. Erasure blanks who, never what."""

    class Kind(models.TextChoices):
        REQUESTED = "requested", _("Asked to subscribe")
        CONFIRMED = "confirmed", _("Confirmed")
        CHANGED = "changed", _("Changed their choices")
        UNSUBSCRIBED = "unsubscribed", _("Unsubscribed")
        IMPORTED = "imported", _("Imported with stated consent")
        SUPPRESSED = "suppressed", _("Suppressed")
        EXPORTED = "exported", _("Exported their data")
        ERASED = "erased", _("Erased")

    subscription = models.ForeignKey(Subscription, null=True, on_delete=models.SET_NULL, related_name="consent_events")
    kind = models.CharField(_("what"), max_length=14, choices=Kind)
    at = models.DateTimeField(_("when"), auto_now_add=True)
    source = models.CharField(_("how"), max_length=80, help_text=_("Form, one-click, import, admin, bounce."))
    wording = models.TextField(_("wording"), blank=True, help_text=_("The words they agreed to."))
    mailing = models.ForeignKey(
        "newsletter.Mailing", null=True, blank=True, on_delete=models.SET_NULL, related_name="consent_events"
    )

    wagtail_reference_index_ignore = True

    class Meta:
        verbose_name = _("consent event")
        verbose_name_plural = _("consent events")
        ordering = ["at", "pk"]


class Suppression(models.Model):
    """An address nothing may be sent to. After an erasure only a keyed hash of the address is left."""

    class Reason(models.TextChoices):
        BOUNCE = "bounce", _("Address does not work")
        COMPLAINT = "complaint", _("Reported as unwanted")
        ERASED = "erased", _("Erased at the person's request")
        IMPORTED = "imported", _("Opted out or bounced elsewhere")
        MANUAL = "manual", _("Entered by hand")

    address_key = models.CharField(
        _("address"),
        max_length=320,
        unique=True,
        help_text=_("The normalised address, or “erased:” and a keyed hash of it."),
    )
    reason = models.CharField(_("reason"), max_length=10, choices=Reason)
    note = models.CharField(_("note"), max_length=250, blank=True)
    at = models.DateTimeField(_("since"), auto_now_add=True)

    class Meta:
        verbose_name = _("suppression")
        verbose_name_plural = _("suppressions")

    def __str__(self) -> str:
        return self.address_key


class SignupAttempt(models.Model):
    """One sign-up by form, kept for a day so that limits hold without a cache. Only keyed hashes, no addresses."""

    address_hash = models.CharField(max_length=64)
    network_hash = models.CharField(max_length=64)
    at = models.DateTimeField(auto_now_add=True)

    class Meta:
        indexes = [
            # Sixty an hour for a network.
            models.Index(fields=["network_hash", "at"], name="signup_network"),
            # The day's clean-up.
            models.Index(fields=["at"], name="signup_age"),
        ]
