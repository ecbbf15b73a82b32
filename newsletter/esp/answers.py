"""What a provider's answer means, in the words of SMTP, so that one ledger judges both."""

from __future__ import annotations

import re
import ssl
from collections.abc import Iterator, Mapping
from typing import Any

import botocore.exceptions
import requests.exceptions
import urllib3.exceptions
from anymail.exceptions import (
    AnymailError,
    AnymailInvalidAddress,
    AnymailSerializationError,
    AnymailUnsupportedFeature,
)
from anymail.message import AnymailRecipientStatus

from newsletter.smtp import Message, Outcome, Reply, Stage, readable

# Nothing of the request has left when one of these is at the bottom of an error.
NEVER_LEFT = (
    botocore.exceptions.ConnectTimeoutError,
    botocore.exceptions.EndpointConnectionError,
    ssl.SSLCertVerificationError,
    urllib3.exceptions.ConnectTimeoutError,
    urllib3.exceptions.NewConnectionError,
    urllib3.exceptions.ProxyError,
)
# Nor with these, and trying again would not help.
NEVER_SENDABLE = (
    AnymailInvalidAddress,
    AnymailSerializationError,
    AnymailUnsupportedFeature,
    botocore.exceptions.NoCredentialsError,
    botocore.exceptions.ParamValidationError,
    botocore.exceptions.PartialCredentialsError,
    requests.exceptions.InvalidHeader,
    requests.exceptions.InvalidURL,
    requests.exceptions.MissingSchema,
    UnicodeError,
)
TAKEN = ("sent", "queued")
REFUSED = {"invalid": "5.1.3 No address.", "rejected": "5.1.1 No longer mailed by the provider."}
SLOW_DOWN = re.compile(r"throttl|too.?many.?requests|LimitExceededException|rate.?limit|quota", re.IGNORECASE)
KEYS = re.compile(r"invalid.{0,8}key|unauthori[sz]ed|forbidden|payment.?required", re.IGNORECASE)
RECIPIENT = re.compile(
    r"""['"`]to['"`]|\bto[\[.]\d|\bto parameter|\bin to\b|\brecipient|local address""", re.IGNORECASE
)
BROKEN = re.compile(r"invalid|not (a )?valid|valid (email )?address|malformed|illegal|syntax", re.IGNORECASE)
SENDER = re.compile(r"\bfrom\b|sender|verif", re.IGNORECASE)


def read(message: Message, title: str, statuses: Mapping[str, AnymailRecipientStatus], status: int) -> Outcome:
    """An answer about the one recipient of a message.

    Args:
        title: the provider's.
        statuses: anymail's, by address; some providers spell the address in another way.
        status: of HTTP.
    """
    by_word = {each.status: each for each in statuses.values()}
    word = next((word for word in (*TAKEN, *REFUSED, "failed") if word in by_word), "unknown")
    if word in TAKEN:
        identity = str(by_word[word].message_id or "")
        return Outcome(message, True, Stage.DOT, Reply(250, f"2.0.0 {title} took it: {identity}"), identity)
    if word in REFUSED:
        return Outcome(message, False, Stage.RCPT, Reply(550, f"{REFUSED[word]} ({title})"))
    if word == "failed" or status >= 400:
        return Outcome(message, False, Stage.DOT, Reply(451, f"4.0.0 {title} could not take it now."))
    return Outcome(message, None, Stage.DOT, Reply(451, f"4.4.2 {title} did not say what became of it."))


def unsendable(message: Message, title: str, error: Exception) -> Outcome:
    """It could not even be written down for the provider."""
    return Outcome(message, False, Stage.MAIL, Reply(554, f"5.6.0 Not for {title}: {_words(error)}"))


def failed(message: Message, title: str, error: Exception) -> Outcome:
    """An error while the message was handed over: where nobody can say whether it was taken, nobody claims to know."""
    status, said = _answer(error)
    if status:
        return _refused(message, status, f"{title} answered {status}: {said}")
    causes = list(_chain(error))
    if any(isinstance(cause, NEVER_SENDABLE) for cause in causes):
        return unsendable(message, title, error)
    if any(isinstance(cause, NEVER_LEFT) for cause in causes):
        return Outcome(message, False, Stage.CONNECT, Reply(421, f"4.4.1 {title} does not answer: {_words(error)}"))
    return Outcome(message, None, Stage.DOT, Reply(451, f"4.4.2 {title} did not answer: {_words(error)}"))


def unread(message: Message, title: str, error: Exception) -> Outcome:
    """An answer that anymail could not make sense of, or that says no under a good status."""
    status, said = _answer(error)
    if status >= 400 or _says_no(error):
        return _refused(message, status, f"{title} answered {status}: {said}")
    return Outcome(
        message, None, Stage.DOT, Reply(451, f"4.4.2 {title} answered {status or 200}: {said or _words(error)}")
    )


def _refused(message: Message, status: int, said: str) -> Outcome:
    """A definite no, in the words of SMTP."""
    if status in (401, 402, 403) or KEYS.search(said):
        return Outcome(message, False, Stage.MAIL, Reply(535, f"5.7.8 {said}"))
    if status in (420, 429) or SLOW_DOWN.search(said):
        return Outcome(message, False, Stage.MAIL, Reply(421, f"4.7.0 {said}"))
    if status >= 500 or status in (408, 409, 423, 425):
        return Outcome(message, False, Stage.DOT, Reply(451, f"4.0.0 {said}"))
    if RECIPIENT.search(said) and BROKEN.search(said) and not SENDER.search(said):
        # Without the words that made us think so: they could make it a hard bounce, and may be a misunderstanding.
        return Outcome(message, False, Stage.RCPT, Reply(550, f"5.2.0 HTTP {status} for this recipient alone."))
    return Outcome(message, False, Stage.MAIL, Reply(554, f"5.6.0 {said}"))


def patience_asked(error: Exception) -> float:
    """How many seconds the provider wants to be left alone; 0 when it did not say."""
    headers = getattr(getattr(error, "response", None), "headers", None) or {}
    after = str(headers.get("Retry-After", ""))
    return float(after) if after.isascii() and after.isdigit() else 0.0


def _answer(error: Exception) -> tuple[int, str]:
    """Status and words of what came back; 0 when nothing did."""
    response: Any = getattr(error, "response", None)
    if response is None:
        return 0, ""
    if isinstance(response, dict):  # boto3's
        inner = response.get("Error", {})
        status = response.get("ResponseMetadata", {}).get("HTTPStatusCode", 400)
        return int(status), readable(f"{inner.get('Code')} {inner.get('Message')}")
    return response.status_code, readable(response.text[:400])


def _says_no(error: Exception) -> bool:
    """Whether a 200 says in so many words that the message was not taken, as Postal's does."""
    try:
        said = getattr(error, "response", None).json()  # type: ignore[union-attr]
    except (ValueError, AttributeError):
        return False
    return isinstance(said, dict) and str(said.get("status")) in {"error", "parameter-error"}


def _words(error: Exception) -> str:
    cause = error.__cause__ if isinstance(error, AnymailError) and error.__cause__ else error
    return readable(f"{type(cause).__name__}: {cause}"[:300])


def _chain(error: BaseException) -> Iterator[BaseException]:
    """An error and all it came from, also where a library keeps the reason inside."""
    seen: set[int] = set()
    found: list[Any] = [error]
    while found:
        each = found.pop()
        if isinstance(each, BaseException) and id(each) not in seen:
            seen.add(id(each))
            yield each
            found += [each.__cause__, each.__context__, getattr(each, "reason", None), *each.args]
