"""Why a message did not go, or not yet: the ledger's reasons in plain words."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from newsletter.delivery import ledger, replies

WORDS = {
    replies.ADDRESS: _("The address does not take mail"),
    replies.EXPIRED: _("The server put us off for three days"),
    replies.UNCERTAIN: _("Handed over, but never confirmed: they may have it"),
    replies.BLOCKED: _("The server refused us, not the address"),
    replies.DEFERRED: _("The server asked us to come back later"),
    replies.UNWRITABLE: _("The message could not be made"),
    replies.DISCONNECTED: _("The connection broke before the message was handed over"),
    ledger.UNSUBSCRIBED: _("Left the newsletter before their turn came"),
    ledger.SUPPRESSED: _("The address was suppressed before their turn came"),
    ledger.ERASED: _("Asked to be forgotten before their turn came"),
    ledger.CANCELLED: _("The mailing was cancelled"),
    ledger.CONFIRMED_MEANWHILE: _("Had confirmed in the meantime"),
}


def words(reason: str) -> str:
    """The reason in plain words; one that has none yet as it is."""
    return str(WORDS.get(reason, reason))
