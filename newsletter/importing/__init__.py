"""Subscriber files: what other systems and spreadsheets write, read into people who arrive, with a receipt.

`tables` reads the file, `standings` what its columns say about who may get mail (in the words of `standing_words`),
`people` the persons and what became of them.
"""

from newsletter.importing.people import Reading, Receipt, StayingOut, take
from newsletter.importing.standings import CHOICES, StandingRule, UnclearStanding
from newsletter.importing.tables import UnreadableFile, decode

__all__ = [
    "CHOICES",
    "Reading",
    "Receipt",
    "StandingRule",
    "StayingOut",
    "UnclearStanding",
    "UnreadableFile",
    "decode",
    "take",
]
