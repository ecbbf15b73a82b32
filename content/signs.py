"""Signs that no text may hold: XML, UTF-8 or PostgreSQL refuse them."""

from __future__ import annotations

import re

REFUSED = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def legible(text: str) -> str:
    """The text without the signs that XML 1.0 does not know: control characters, NUL and halves of pairs."""
    return REFUSED.sub("", text)
