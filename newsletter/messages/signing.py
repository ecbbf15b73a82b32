"""DKIM (RFC 6376): a signature over each message, where the settings name a key. Most relays sign for themselves."""

from __future__ import annotations

from email.utils import parseaddr
from functools import lru_cache
from pathlib import Path

import dkim
from django.conf import settings

# From stands twice, so that nobody can put a second one before it.
SIGNED = [b"from", b"from", b"to", b"subject", b"date", b"message-id", b"reply-to", b"mime-version", b"content-type"]
# RFC 8058: one click to unsubscribe counts only when both headers are signed.
SIGNED += [b"list-id", b"list-unsubscribe", b"list-unsubscribe-post"]


def signed(message: bytes) -> bytes:
    """The message with its signature before it; the message as it is when there is no key."""
    if settings.DKIM_KEY_FILE is None:
        return message
    domain = settings.DKIM_DOMAIN or parseaddr(settings.MAIL_FROM)[1].rpartition("@")[2]
    signature: bytes = dkim.sign(
        message,
        settings.DKIM_SELECTOR.encode(),
        domain.encode(),
        _key(settings.DKIM_KEY_FILE),
        canonicalize=(b"relaxed", b"relaxed"),
        include_headers=SIGNED,
    )
    return signature + message


@lru_cache(maxsize=4)
def _key(path: Path) -> bytes:
    return path.read_bytes()
