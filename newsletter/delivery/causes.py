"""Why a mailing pauses itself, in words for a person who runs a newsletter and no mail server."""

from __future__ import annotations

import re
from email.utils import parseaddr
from typing import TYPE_CHECKING

from django.conf import settings
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from newsletter.delivery.replies import anonymous
from newsletter.smtp import Refused

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

UNSAFE = gettext_lazy(
    "The mail server and this site could not agree on a safe connection. Ask whoever looks after this site to check "
    "how SMTP_URL begins, then resume."
)
SIGN_IN = gettext_lazy(
    "The mail server did not accept our user name and password. Ask whoever looks after this site to check both "
    "(they are part of SMTP_URL), then resume."
)
UNPROVEN = gettext_lazy(
    "The mail server can not tell that this mail really comes from us. Ask whoever looks after the domain of "
    "%(sender)s to check its SPF, DKIM and DMARC entries, then resume."
)
SENDER = gettext_lazy(
    "The mail server does not let us send as %(sender)s. Ask whoever runs it to allow this address, or have MAIL_FROM "
    "changed, then resume."
)
TOO_BIG = gettext_lazy(
    "The message is too big for the mail server. Ask whoever runs it to raise its limit, then resume."
)
QUOTA = gettext_lazy(
    "The mail server has sent as much as it may for now. Wait until its limit allows more (often the next day), or ask "
    "whoever runs it for a higher one, then resume."
)
LISTED = gettext_lazy(
    "The mail server, or our domain, is on a blocklist: a list of senders that others do not trust. Ask whoever runs "
    "the mail server to have it taken off the list, then resume."
)
SPAM = gettext_lazy(
    "The mail server takes this mailing for spam. Ask whoever runs it to let it through, or send a test copy to see "
    "which words or links it minds, then resume."
)
RELAY = gettext_lazy(
    "The mail server does not pass on mail from this site. Ask whoever runs it to allow this, then resume."
)
ANYTHING = gettext_lazy(
    "The mail server refused this mailing, not an address. Ask whoever runs the mail server to let it through, "
    "then resume."
)

# The first that fits wins. Codes are those of RFC 3463 and RFC 4954, words those that servers use.
CAUSES: tuple[tuple[re.Pattern[str], StrOrPromise], ...] = tuple(
    (re.compile(signs, re.IGNORECASE), words)
    for signs, words in (
        (r"starttls|\btls\b", UNSAFE),
        (r"^53[0458]\b|\b5\.7\.[89]\b|authentication (required|failed|credentials)|log ?in", SIGN_IN),
        (r"\bspf\b|dkim|dmarc|\b5\.7\.2[0-9]\b|unauthenticated", UNPROVEN),
        (r"\b5\.1\.[78]\b|sender (address )?(rejected|denied|not)|not (allowed|authori[sz]ed) to send", SENDER),
        (r"\b5\.3\.4\b|too (big|large)|exceeds? .*size|size .*exceed", TOO_BIG),
        (r"quota|too many|(rate|sending|daily|hourly) .{0,20}limit|limit (reached|exceeded)", QUOTA),
        (r"block ?list|black ?list|\brbl\b|\bdnsbl\b|reputation|listed", LISTED),
        (r"spam|unsolicited|junk|content", SPAM),
        (r"relay", RELAY),
    )
)


def refused(reply: str) -> str:
    """A server refused a message because of us."""
    cause = next((words for signs, words in CAUSES if signs.search(reply)), ANYTHING)
    return _("%(cause)s Nobody was removed from the list, and nothing is lost. The server said: “%(reply)s”.") % {
        "cause": cause % {"sender": parseaddr(settings.MAIL_FROM)[1]},
        "reply": anonymous(reply),
    }


def turned_away(refusal: Refused) -> str:
    """A server did not even let us in, and meant it."""
    return refused(str(refusal.reply)) if refusal.reply else anonymous(str(refusal))


def unwritable(error: str) -> str:
    """A message could not be made."""
    return _(
        "One of the messages could not be made. This is a fault of the site, not of an address. Nothing is lost: tell "
        "your developer these words, then resume: “%(error)s”."
    ) % {"error": anonymous(error)}
