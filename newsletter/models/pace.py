"""At what pace it goes out: what all sending processes know together about a domain, a relay or a day."""

from django.db import models


class Throttle(models.Model):
    """One key, such as `domain:gmail.com`, `relay:smtp.example:25` or `day:2026-11-26`, and what counts for it."""

    key = models.CharField(max_length=320, primary_key=True)
    tokens = models.FloatField(null=True, help_text="How many could go when it was last counted; null: never counted.")
    counted_at = models.DateTimeField(null=True)
    spent = models.PositiveIntegerField(default=0, help_text="How many went out, on a day of the warm-up.")
    rate = models.FloatField(null=True, help_text="Messages a minute, as learned at the last sign; null: not slowed.")
    usual = models.FloatField(null=True, help_text="Messages a minute before the first sign.")
    slowed_at = models.DateTimeField(null=True)
    signs = models.PositiveSmallIntegerField(default=0, help_text="How often it was slowed down without a recovery.")
    rest_until = models.DateTimeField(null=True)
    why = models.CharField(max_length=500, blank=True, help_text="What the server said, without addresses.")

    def __str__(self) -> str:
        return self.key
