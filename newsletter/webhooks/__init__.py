"""What a provider (ESP) reports about our messages: `hooks` believe or doubt an event, `events` say what it means."""

from newsletter.webhooks.events import Unbelievable, kind_of, read, take_in

__all__ = ["Unbelievable", "kind_of", "read", "take_in"]
