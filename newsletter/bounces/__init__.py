"""What comes back: delivery reports, complaints and provider events, in one vocabulary, with their consequences.

`record` is the only door. Raw mails get there through `take`, which reads them and finds the message they are about;
`poll` fetches them from a mailbox, `mails` and `from_stream` from files.
"""

from newsletter.bounces.findings import Finding
from newsletter.bounces.intake import Receipt, take
from newsletter.bounces.mailbox import Unreachable, known_as, poll
from newsletter.bounces.record import Report, record
from newsletter.bounces.sources import Unreadable, from_stream, mails

__all__ = [
    "Finding",
    "Receipt",
    "Report",
    "Unreachable",
    "Unreadable",
    "from_stream",
    "known_as",
    "mails",
    "poll",
    "record",
    "take",
]
