"""Mail through a provider (ESP) instead of SMTP, behind the same ledger.

`providers` says what differs between them, `account` is the way out, `letters` turns the bytes of a message into what
anymail takes, `answers` reads what the provider said. What it reports later comes in by `newsletter.webhooks`.
"""

from newsletter.esp.account import Account
from newsletter.esp.providers import PROVIDERS, SECRET, Provider, proofs

__all__ = ["PROVIDERS", "SECRET", "Account", "Provider", "proofs"]
