"""Who gets it: the only room that writes a subscription's status, always with the event that proves it."""

from newsletter.subscribers.arrivals import Arrival, Outcome, take_in
from newsletter.subscribers.consent import (
    confirm,
    is_suppressed,
    lift_suppression,
    mail_link,
    prefer,
    request_confirmation,
    subscribe,
    suppress,
    unsubscribe,
    unsubscribe_reader,
)
from newsletter.subscribers.privacy import erase, forget_unconfirmed, hold_off_erasures, portrait
from newsletter.subscribers.reachability import Reader, heed
from newsletter.subscribers.reminders import remind_unconfirmed

__all__ = [
    "Arrival",
    "Outcome",
    "Reader",
    "confirm",
    "erase",
    "forget_unconfirmed",
    "heed",
    "hold_off_erasures",
    "is_suppressed",
    "lift_suppression",
    "mail_link",
    "portrait",
    "prefer",
    "remind_unconfirmed",
    "request_confirmation",
    "subscribe",
    "suppress",
    "take_in",
    "unsubscribe",
    "unsubscribe_reader",
]
