"""Requests as each provider sends them: payloads of tests/data/webhooks, filled in and signed with keys of our own."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
import uuid
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlencode

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.x509.oid import NameOID

PAYLOADS = Path(__file__).resolve().parents[1] / "data" / "webhooks"
SECRET = "provider:" + "s3cret" * 5
AMAZON = rsa.generate_private_key(public_exponent=65537, key_size=2048)
POSTAL = rsa.generate_private_key(public_exponent=65537, key_size=2048)
SENDGRID = ec.generate_private_key(ec.SECP256R1())
SVIX = base64.b64encode(b"only for tests, and long enough").decode()


def pem_body(key):
    pem = key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    return "".join(pem.decode().splitlines()[1:-1])


def certificate():
    """A certificate as Amazon's would be, with a key of ours."""
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "sns.amazonaws.com")])
    now = datetime.now(UTC)
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(AMAZON.public_key())
    builder = (
        builder.serial_number(1).not_valid_before(now - timedelta(days=2)).not_valid_after(now + timedelta(days=2))
    )
    return builder.sign(AMAZON, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


KEYS = {
    "amazon_ses": {"WEBHOOK_SECRET": [SECRET], "AMAZON_SES_CLIENT_PARAMS": {"region_name": "us-east-1"}},
    "brevo": {"WEBHOOK_SECRET": [SECRET]},
    "mailersend": {"MAILERSEND_SIGNING_SECRET": "signing"},
    "mailgun": {"MAILGUN_WEBHOOK_SIGNING_KEY": "signing"},
    "mailjet": {"WEBHOOK_SECRET": [SECRET]},
    "mailtrap": {"MAILTRAP_TRACKING_SECRET": "signing"},
    "mandrill": {
        "MANDRILL_WEBHOOK_KEY": "signing",
        "MANDRILL_WEBHOOK_URL": "http://testserver/newsletter/webhooks/mandrill/",
    },
    "postal": {"POSTAL_WEBHOOK_KEY": pem_body(POSTAL)},
    "postmark": {"WEBHOOK_SECRET": [SECRET]},
    "resend": {"RESEND_SIGNING_SECRET": f"whsec_{SVIX}"},
    "sendgrid": {"SENDGRID_TRACKING_WEBHOOK_VERIFICATION_KEY": pem_body(SENDGRID)},
    "sparkpost": {"WEBHOOK_SECRET": [SECRET]},
    "unisender_go": {"UNISENDER_GO_API_KEY": "signing"},
}
BY_PASSWORD_ALONE = {"brevo", "mailjet", "postmark", "sparkpost"}
WITH_A_SIGNED_TIME = {"amazon_ses", "mailgun", "resend", "sendgrid"}
BASIC = {"Authorization": "Basic " + base64.b64encode(SECRET.encode()).decode()}


@dataclass(frozen=True)
class Request:
    """One POST of a provider."""

    name: str
    body: bytes
    content_type: str = "application/json"
    headers: dict = field(default_factory=dict)

    def to(self, client, name=None, slash="/", **more):
        path = f"/newsletter/webhooks/{name or self.name}{slash}"
        return client.post(path, self.body, content_type=self.content_type, headers=self.headers, **more)

    def without_proof(self):
        """The same, as somebody would send it who holds no key."""
        return replace(self, headers={}, body=unsigned(self))

    def tampered(self):
        """The same about somebody else, or with another password where a password is the only proof."""
        if self.name in BY_PASSWORD_ALONE:
            wrong = base64.b64encode(SECRET[:-1].encode()).decode()
            return replace(self, headers={"Authorization": f"Basic {wrong}"})
        return replace(self, body=self.body.replace(b"maria", b"mario") if self.name != "mailgun" else longer(self))


def longer(request):
    """Mailgun signs time and nonce alone: another nonce needs another signature."""
    body = json.loads(request.body)
    body["signature"]["token"] += "x"
    return json.dumps(body).encode()


def unsigned(request):
    if request.name == "mailgun":
        return json.dumps({"event-data": json.loads(request.body)["event-data"]}).encode()
    if request.name == "unisender_go":
        return json.dumps({**json.loads(request.body), "auth": "0" * 32}).encode()
    return request.body


def payload(name, event, token="", identity="", url=""):
    """A payload with what it is about filled in, not signed yet."""
    text = (PAYLOADS / name / f"{event}.json").read_text()
    if name == "amazon_ses":  # whose events are JSON within JSON
        identity = identity.replace("\\", "\\\\")
    for mark, value in {"@TOKEN@": token, "@ID@": identity, "@URL@": url, "@NONCE@": uuid.uuid4().hex}.items():
        text = text.replace(mark, value)
    return text


def signed(name, text, at=None):
    """A request with that payload, signed by the provider at some time (now if not given)."""
    return SIGNERS[name](text, at or time.time())


def _by_password(name):
    return lambda text, at: Request(name, text.encode(), headers=BASIC)


def _by_hmac(name, header):
    def sign(text, at):
        mark = hmac.new(b"signing", text.encode(), hashlib.sha256).hexdigest()
        return Request(name, text.encode(), headers={header: mark})

    return sign


def _mailgun(text, at):
    try:
        event = json.loads(text)
        token = event["signature"]["token"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return Request("mailgun", text.encode())
    stamp = str(int(at))
    mark = hmac.new(b"signing", f"{stamp}{token}".encode(), hashlib.sha256).hexdigest()
    event["signature"] = {"token": token, "timestamp": stamp, "signature": mark}
    return Request("mailgun", json.dumps(event).encode())


def _mandrill(text, at):
    url = KEYS["mandrill"]["MANDRILL_WEBHOOK_URL"]
    mark = base64.b64encode(hmac.new(b"signing", f"{url}mandrill_events{text}".encode(), hashlib.sha1).digest())
    body = urlencode({"mandrill_events": text}).encode()
    return Request("mandrill", body, "application/x-www-form-urlencoded", {"X-Mandrill-Signature": mark.decode()})


def _postal(text, at):
    mark = POSTAL.sign(text.encode(), padding.PKCS1v15(), hashes.SHA1())
    return Request("postal", text.encode(), headers={"X-Postal-Signature": base64.b64encode(mark).decode()})


def _resend(text, at):
    identity, stamp = f"msg_{hashlib.sha256(text.encode()).hexdigest()[:20]}", str(int(at))
    mark = hmac.new(base64.b64decode(SVIX), f"{identity}.{stamp}.{text}".encode(), hashlib.sha256).digest()
    headers = {"svix-id": identity, "svix-timestamp": stamp, "svix-signature": f"v1,{base64.b64encode(mark).decode()}"}
    return Request("resend", text.encode(), headers=headers)


def _sendgrid(text, at):
    stamp = str(int(at))
    mark = base64.b64encode(SENDGRID.sign((stamp + text).encode(), ec.ECDSA(hashes.SHA256()))).decode()
    prefix = "X-Twilio-Email-Event-Webhook"
    return Request("sendgrid", text.encode(), headers={f"{prefix}-Signature": mark, f"{prefix}-Timestamp": stamp})


def _unisender(text, at):
    mark = hashlib.md5(text.replace("@SIGNATURE@", "signing").encode()).hexdigest()
    return Request("unisender_go", text.replace("@SIGNATURE@", mark).encode())


def _amazon(text, at):
    try:
        message = json.loads(text)
        kind, identity = message["Type"], message["MessageId"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return Request("amazon_ses", text.encode(), headers=BASIC)
    message["Timestamp"] = datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    names = ["Message", "MessageId", "SubscribeURL", "Subject", "Timestamp", "Token", "TopicArn", "Type"]
    said = "".join(f"{name}\n{message[name]}\n" for name in names if name in message).encode()
    mark = AMAZON.sign(said, padding.PKCS1v15(), hashes.SHA256())
    message["Signature"] = base64.b64encode(mark).decode()
    headers = {**BASIC, "x-amz-sns-message-type": kind, "x-amz-sns-message-id": identity}
    return Request("amazon_ses", json.dumps(message).encode(), "text/plain; charset=UTF-8", headers)


SIGNERS = {
    "amazon_ses": _amazon,
    "brevo": _by_password("brevo"),
    "mailersend": _by_hmac("mailersend", "Signature"),
    "mailgun": _mailgun,
    "mailjet": _by_password("mailjet"),
    "mailtrap": _by_hmac("mailtrap", "Mailtrap-Signature"),
    "mandrill": _mandrill,
    "postal": _postal,
    "postmark": _by_password("postmark"),
    "resend": _resend,
    "sendgrid": _sendgrid,
    "sparkpost": _by_password("sparkpost"),
    "unisender_go": _unisender,
}
