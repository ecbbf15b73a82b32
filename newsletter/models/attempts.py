"""Tries that are limited for an account or a network: kept in the database, so that no lost cache lifts a limit."""

from django.db import models


class Attempt(models.Model):
    """One try, known by keyed hashes alone. What succeeded is kept for a month, all else for a day."""

    class Action(models.TextChoices):
        LOGIN = "login"
        PAGE = "page"
        RESET = "reset"

    action = models.CharField(max_length=8, choices=Action)
    subject_hash = models.CharField(max_length=64, help_text="Of the account, page or address it was about.")
    network_hash = models.CharField(max_length=64, help_text="Of the network it came from.")
    succeeded = models.BooleanField(default=False)
    at = models.DateTimeField(auto_now_add=True)

    class Meta:
        indexes = [
            # The latest tries for one account, page or address.
            models.Index(fields=["action", "subject_hash", "at"], name="attempt_subject"),
            # The latest tries from one network.
            models.Index(fields=["action", "network_hash", "at"], name="attempt_network"),
            # The day's clean-up.
            models.Index(fields=["at"], name="attempt_age"),
        ]
