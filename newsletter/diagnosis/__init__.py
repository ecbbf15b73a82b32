"""What a mail server's words mean: the address is dead, it takes nothing now, or the server does not want us.

Both those who hear a server (`newsletter.delivery`) and those who read what comes back (`newsletter.bounces`) ask
here. `phrases` has the words, `rules` says how they and the codes of RFC 3463 are weighed.
"""

from newsletter.diagnosis.rules import diagnose, is_before_any_recipient, status_of, tells

__all__ = ["diagnose", "is_before_any_recipient", "status_of", "tells"]
