"""What differs between providers. Their keys are named in preflight.py; the names are those of django-anymail."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from django.conf import settings
from django.utils.module_loading import import_string

if TYPE_CHECKING:
    from anymail.backends.base import AnymailBaseBackend
    from anymail.webhooks.base import AnymailCoreWebhookView

SECRET = "WEBHOOK_SECRET"  # noqa: S105  # the name of a key


@dataclass(frozen=True, slots=True)
class Provider:
    """One value of ESP.

    Args:
        name: as in ESP.
        title: what people call it.
        hook: the class in `newsletter.webhooks` or anymail that reads its events.
        proofs: keys of which one must be set, or its events can not be believed.
        label: where our return token travels so that events bring it back: `metadata`, or `tags` where there is none.
        stops_tracking: whether it can be told to leave links and opens alone; elsewhere its own console says so.
        keeps_message_id: whether it sends under our Message-ID when it is given.
        headers: further headers it needs for that.
        probe: the method with which it tries an address that is entered as its webhook, besides POST.
    """

    name: str
    title: str
    hook: str
    proofs: tuple[str, ...] = (SECRET,)
    label: str = "metadata"
    stops_tracking: bool = True
    keeps_message_id: bool = False
    headers: Mapping[str, str] = field(default_factory=dict)
    probe: str = ""

    def open(self) -> AnymailBaseBackend:
        """Anymail's way to this provider, with its connection kept open.

        Raises:
            ImproperlyConfigured: a key is missing or can not be used.
        """
        # A refused recipient is an answer like any other: we read it ourselves.
        backend = import_string(f"anymail.backends.{self.name}.EmailBackend")(ignore_recipient_status=True)
        backend.open()
        return backend

    def listen(self) -> AnymailCoreWebhookView:
        """What checks and reads its events."""
        return import_string(self.hook)()


def _anymail(module: str, view: str) -> str:
    return f"anymail.webhooks.{module}.{view}"


PROVIDERS = {
    provider.name: provider
    for provider in [
        Provider("amazon_ses", "Amazon SES", "newsletter.webhooks.hooks.AmazonSES", stops_tracking=False),
        Provider("brevo", "Brevo", _anymail("brevo", "BrevoTrackingWebhookView"), stops_tracking=False),
        Provider(
            "mailersend",
            "MailerSend",
            _anymail("mailersend", "MailerSendTrackingWebhookView"),
            ("MAILERSEND_SIGNING_SECRET",),
            label="tags",
        ),
        Provider(
            "mailgun",
            "Mailgun",
            "newsletter.webhooks.hooks.Mailgun",
            ("MAILGUN_WEBHOOK_SIGNING_KEY",),
            keeps_message_id=True,
        ),
        Provider("mailjet", "Mailjet", _anymail("mailjet", "MailjetTrackingWebhookView")),
        Provider(
            "mailtrap",
            "Mailtrap",
            _anymail("mailtrap", "MailtrapTrackingWebhookView"),
            ("MAILTRAP_TRACKING_SECRET", SECRET),
            stops_tracking=False,
        ),
        Provider(
            "mandrill",
            "Mandrill",
            _anymail("mandrill", "MandrillCombinedWebhookView"),
            ("MANDRILL_WEBHOOK_KEY",),
            keeps_message_id=True,
            probe="HEAD",
        ),
        Provider(
            "postal",
            "Postal",
            _anymail("postal", "PostalTrackingWebhookView"),
            ("POSTAL_WEBHOOK_KEY",),
            label="tags",
            stops_tracking=False,
        ),
        Provider(
            "postmark",
            "Postmark",
            _anymail("postmark", "PostmarkTrackingWebhookView"),
            keeps_message_id=True,
            headers={"X-PM-KeepID": "true"},
        ),
        Provider(
            "resend",
            "Resend",
            "newsletter.webhooks.hooks.Resend",
            ("RESEND_SIGNING_SECRET", SECRET),
            stops_tracking=False,
        ),
        Provider(
            "sendgrid",
            "SendGrid",
            "newsletter.webhooks.hooks.SendGrid",
            ("SENDGRID_TRACKING_WEBHOOK_VERIFICATION_KEY", SECRET),
            keeps_message_id=True,
        ),
        Provider("sparkpost", "SparkPost", _anymail("sparkpost", "SparkPostTrackingWebhookView")),
        Provider(
            "unisender_go",
            "Unisender Go",
            _anymail("unisender_go", "UnisenderGoTrackingWebhookView"),
            ("UNISENDER_GO_API_KEY",),
            probe="GET",
        ),
    ]
}


def proofs() -> list[str]:
    """The keys that are set and make the events of the provider of ESP believable; none without a provider."""
    provider = PROVIDERS.get(settings.ESP)
    return [key for key in provider.proofs if settings.ANYMAIL.get(key)] if provider else []
