"""How bytes leave.

The greeting (EHLO, STARTTLS, AUTH) is spoken by the standard library; from then on the socket never blocks, so
that one process can keep many connections busy.
"""

from newsletter.smtp.connection import Connection, readable
from newsletter.smtp.relays import Relay, relays
from newsletter.smtp.session import Message, Outcome, Refused, Reply, Session, Stage, send_now

__all__ = [
    "Connection",
    "Message",
    "Outcome",
    "Refused",
    "Relay",
    "Reply",
    "Session",
    "Stage",
    "readable",
    "relays",
    "send_now",
]
