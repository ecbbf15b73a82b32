"""A test copy of an issue to a few addresses: no mailing, no ledger, nothing remembered."""

from __future__ import annotations

import secrets
from collections.abc import Iterable

from django.utils.translation import gettext as _

from newsletter import addresses, copy_recipients, messages, smtp
from newsletter.delivery.mailings import Refused
from newsletter.delivery.ways import Way, choose, for_address, ways_out
from newsletter.mail_identity import bounce_domain
from newsletter.models import IssuePage


def send_test(issue: IssuePage, recipients: Iterable[str], language: str | None = None) -> int:
    """Send a copy of an issue, as it stands now, to each address, and wait until it is taken.

    Args:
        issue: in any language.
        recipients: addresses.
        language: which language; the issue's own if not given.

    Returns:
        How many were sent.

    Raises:
        Refused: an address can not be one or wants no more test copies, or the mail server did not take a copy; says
            which and why.
    """
    try:
        checked = [addresses.parse(recipient) for recipient in recipients]
    except addresses.InvalidAddress as error:
        raise Refused(str(error)) from error
    for address in checked:
        if copy_recipients.has_refused(address.key):
            said = _("%(address)s asked for no more test copies. Send the copy to another address.")
            raise Refused(said % {"address": address.email})
    language = language or issue.locale.language_code
    copies = [(address.email, messages.test_message(issue, address.email, language)) for address in checked]
    sessions: dict[Way, smtp.Session] = {}
    sender = f"bounce+test-{secrets.token_hex(8)}@{bounce_domain()}"
    try:
        for to, data in copies:
            session = _session(to, sessions)
            message = smtp.Message(None, sender, messages.wire_address(to), messages.signed(data))
            outcome = smtp.send_now(session, message)
            if not outcome.taken:
                session.drop()
                words = {"address": to, "reply": outcome.reply or _("no reply")}
                raise Refused(_("The copy for %(address)s was not taken: %(reply)s") % words)
    except smtp.Refused as error:
        raise Refused(str(error)) from error
    finally:
        for session in sessions.values():
            session.leave()
    return len(copies)


def _session(address: str, sessions: dict[Way, smtp.Session]) -> smtp.Session:
    """An open session that may take mail to this address, opened where there is none."""
    ways = for_address(address, ways_out())
    way = next((way for way in ways if way in sessions), None) or choose(ways)
    if way not in sessions:
        sessions[way] = way.connect()
    return sessions[way]
