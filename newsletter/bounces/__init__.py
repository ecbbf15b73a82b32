"""What comes back: delivery reports, complaints and provider events, in one vocabulary, with their consequences."""

from newsletter.bounces.record import Report, record

__all__ = ["Report", "record"]
