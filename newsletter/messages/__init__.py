"""Every mail we write, as bytes with HTML and text from one tree. This room never sends."""

from newsletter.messages.accounts import NoSuchAccount, account_message, wire_bytes
from newsletter.messages.issues import FrozenVariant, Segment, test_message, variants
from newsletter.messages.notices import notice_message
from newsletter.messages.signing import signed
from newsletter.messages.slots import Slots, Template, fill, needs_smtputf8, wire_address
from newsletter.messages.tree import editions

__all__ = [
    "FrozenVariant",
    "NoSuchAccount",
    "Segment",
    "Slots",
    "Template",
    "account_message",
    "editions",
    "fill",
    "needs_smtputf8",
    "notice_message",
    "signed",
    "test_message",
    "variants",
    "wire_address",
    "wire_bytes",
]
