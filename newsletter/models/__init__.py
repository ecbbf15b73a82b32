"""The tables of the newsletter."""

from newsletter.models.attempts import Attempt
from newsletter.models.issues import IssuePage, NewsletterPage
from newsletter.models.mailings import (
    Delivery,
    Dispatch,
    FrozenPicture,
    Lane,
    LedgerMark,
    Mailing,
    Notice,
    Segment,
    Variant,
)
from newsletter.models.pace import Throttle
from newsletter.models.processes import Heartbeat
from newsletter.models.responses import Bounce, BounceMailbox, Registration
from newsletter.models.subscribers import (
    Choice,
    ConsentEvent,
    CopyRecipient,
    Newsletter,
    SignupAttempt,
    Subscriber,
    Subscription,
    Suppression,
)

__all__ = [
    "Attempt",
    "Bounce",
    "BounceMailbox",
    "Choice",
    "ConsentEvent",
    "CopyRecipient",
    "Delivery",
    "Dispatch",
    "FrozenPicture",
    "Heartbeat",
    "IssuePage",
    "Lane",
    "LedgerMark",
    "Mailing",
    "Newsletter",
    "NewsletterPage",
    "Notice",
    "Registration",
    "Segment",
    "SignupAttempt",
    "Subscriber",
    "Subscription",
    "Suppression",
    "Throttle",
    "Variant",
]
