"""Who does the work in the background, and when each was last heard from."""

from django.db import models


class Heartbeat(models.Model):
    """The last sign of life of one background process; there is no row once it has ended as it should."""

    class Role(models.TextChoices):
        WORKER = "worker"
        BEAT = "beat"

    role = models.CharField(max_length=10, choices=Role)
    host = models.CharField(max_length=255)
    at = models.DateTimeField(help_text="By the database's clock; in the future while the process may still start.")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["role", "host"], name="one_heartbeat_per_process")]

    def __str__(self) -> str:
        return f"{self.role} on {self.host}"
