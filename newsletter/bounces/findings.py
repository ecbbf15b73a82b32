"""What one mail says about one recipient, in the words of `Bounce.Kind`."""

from __future__ import annotations

import re
from dataclasses import dataclass

from newsletter.models import Bounce

ADDRESS = re.compile(
    r"(?:[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]{1,128}|(?<![\w\"])\"[^\s\"@<>()]{1,64}\")"
    r"@[A-Za-z0-9](?:[A-Za-z0-9.-]{0,250}[A-Za-z0-9])?"
)


@dataclass(frozen=True, slots=True)
class Finding:
    """One recipient and what became of the message to them; `original` is the address before it was rewritten."""

    kind: Bounce.Kind
    recipient: str
    status: str = ""
    detail: str = ""
    original: str = ""


def address_in(text: str) -> str:
    """The first mail address in a text, in small letters; empty when there is none."""
    found = ADDRESS.search(text)
    return found[0].strip(".'").lower() if found else ""
