"""What anymail leaves open when it checks an event: the age of a signature, Svix without its library, Amazon's own
signature. Anymail calls every `validate_request` of these classes before it reads anything."""

from __future__ import annotations

import base64
import hmac
import json
import re
import time
from datetime import datetime
from functools import lru_cache
from urllib.parse import urlsplit

import requests
from anymail.exceptions import AnymailWebhookValidationFailure
from anymail.webhooks.amazon_ses import AmazonSESTrackingWebhookView
from anymail.webhooks.base import AnymailBasicAuthMixin
from anymail.webhooks.mailgun import MailgunTrackingWebhookView
from anymail.webhooks.resend import ResendTrackingWebhookView, SvixWebhookValidationMixin
from anymail.webhooks.sendgrid import SendGridTrackingWebhookView
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from django.conf import settings
from django.http import HttpRequest

# Providers try for hours to reach us, some with the first signature. Replays within it meet the unique event id.
WINDOW = 25 * 3600.0  # seconds
TO_FETCH = 10.0  # seconds
LARGEST_CERTIFICATE = 64 * 1024  # bytes
# Only Amazon's own host for this service; a bucket of anybody's would be s3.amazonaws.com.
SNS_HOST = re.compile(r"sns\.[a-z0-9-]{3,30}\.amazonaws\.com(\.cn)?")
SNS_PATH = re.compile(r"/SimpleNotificationService-[0-9a-f]{8,64}\.pem")
SNS_SIGNED = {
    "Notification": ("Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type"),
    "SubscriptionConfirmation": ("Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"),
    "UnsubscribeConfirmation": ("Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"),
}
SNS_HASHES: dict[str, type[hashes.SHA1] | type[hashes.SHA256]] = {"1": hashes.SHA1, "2": hashes.SHA256}


class Mailgun(MailgunTrackingWebhookView):
    """Mailgun signs a timestamp; a signature that is too old is no proof."""

    def validate_request(self, request: HttpRequest) -> None:
        super().validate_request(request)
        if request.content_type == "application/json":
            recent(json.loads(request.body)["signature"]["timestamp"])
        else:
            recent(request.POST["timestamp"])


class SendGrid(SendGridTrackingWebhookView):
    """SendGrid signs the time of the request."""

    def validate_request(self, request: HttpRequest) -> None:
        super().validate_request(request)
        if self.webhook_verification_key:
            recent(request.headers["X-Twilio-Email-Event-Webhook-Timestamp"])


class Resend(ResendTrackingWebhookView):
    """Resend signs as Svix does (HMAC-SHA256 over id, time and body), which needs no library."""

    warn_if_no_basic_auth = False
    _svix_webhook = None

    def __init__(self) -> None:
        super(SvixWebhookValidationMixin, self).__init__()

    def validate_request(self, request: HttpRequest) -> None:
        secret = settings.ANYMAIL.get("RESEND_SIGNING_SECRET", "")
        if not secret:
            return
        identity, sent_at = request.headers["svix-id"], request.headers["svix-timestamp"]
        signed = f"{identity}.{sent_at}.".encode() + request.body
        expected = hmac.digest(base64.b64decode(secret.removeprefix("whsec_")), signed, "sha256")
        given = [word.partition(",")[2] for word in request.headers["svix-signature"].split()]
        if not any(hmac.compare_digest(base64.b64decode(each), expected) for each in given):
            raise AnymailWebhookValidationFailure("Resend's signature is wrong.")
        recent(sent_at)


class AmazonSES(AmazonSESTrackingWebhookView):
    """Amazon SNS signs each message; the shared secret alone would not show that it is Amazon's."""

    def validate_request(self, request: HttpRequest) -> None:
        # The secret first: a stranger can not make us fetch anything.
        AnymailBasicAuthMixin.validate_request(self, request)
        super().validate_request(request)
        message = self._parse_sns_message(request)
        try:
            certificate_of(message["SigningCertURL"]).verify(
                base64.b64decode(message["Signature"]),
                _sns_text(message),
                padding.PKCS1v15(),
                SNS_HASHES[message["SignatureVersion"]](),
            )
        except InvalidSignature as error:
            raise AnymailWebhookValidationFailure("Amazon's signature is wrong.") from error
        recent(datetime.fromisoformat(message["Timestamp"]).timestamp())


def recent(stamp: str | float) -> None:
    """Make sure that a signed time is not long ago, nor still to come.

    Raises:
        AnymailWebhookValidationFailure: it is.
    """
    if not abs(time.time() - float(stamp)) < WINDOW:
        raise AnymailWebhookValidationFailure("The signature is too old.")


def certificate_of(url: str) -> rsa.RSAPublicKey:
    """The key of Amazon's certificate at that address, and at no other than Amazon's.

    Raises:
        AnymailWebhookValidationFailure: it is no address of a certificate of Amazon SNS.
    """
    parts = urlsplit(url)
    if parts.scheme != "https" or not SNS_HOST.fullmatch(parts.netloc) or not SNS_PATH.fullmatch(parts.path):
        raise AnymailWebhookValidationFailure("The certificate is not Amazon's.")
    return _fetched(f"https://{parts.netloc}{parts.path}")


@lru_cache(maxsize=16)
def _fetched(url: str) -> rsa.RSAPublicKey:
    with requests.get(url, timeout=TO_FETCH, allow_redirects=False, stream=True) as answer:
        answer.raise_for_status()
        body = answer.raw.read(LARGEST_CERTIFICATE, decode_content=True)
    key = x509.load_pem_x509_certificate(body).public_key()
    if not isinstance(key, rsa.RSAPublicKey):
        raise AnymailWebhookValidationFailure("The certificate holds no RSA key.")
    return key


def _sns_text(message: dict[str, str]) -> bytes:
    """What Amazon signs: some of the fields, name and value on a line each."""
    names = [name for name in SNS_SIGNED[message["Type"]] if name in message]
    return "".join(f"{name}\n{message[name]}\n" for name in names).encode()
