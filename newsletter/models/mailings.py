"""How it goes out: one mailing of an issue, its frozen bodies, one delivery per recipient, and the lanes."""

import secrets

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from newsletter.models.issues import IssuePage
from newsletter.models.subscribers import Newsletter, Subscriber, Subscription


class Mailing(models.Model):
    """One sending of one issue. Only delivery.py changes its state."""

    class State(models.TextChoices):
        SCHEDULED = "scheduled", _("Scheduled")
        PREPARING = "preparing", _("Preparing")
        SENDING = "sending", _("Sending")
        PAUSED = "paused", _("Paused")
        SENT = "sent", _("Sent")
        CANCELLED = "cancelled", _("Cancelled")

    issue = models.ForeignKey(IssuePage, null=True, on_delete=models.SET_NULL, related_name="mailings")
    newsletter = models.ForeignKey(Newsletter, on_delete=models.PROTECT, related_name="mailings")
    state = models.CharField(_("state"), max_length=10, choices=State, default=State.SCHEDULED)
    subject = models.CharField(_("subject"), max_length=150)
    approved = models.JSONField(
        default=list, help_text="Ids of the page revisions that go out, one per language, whatever is saved later."
    )
    scheduled_for = models.DateTimeField(_("scheduled for"))
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    cutoff = models.BigIntegerField(null=True, help_text="The highest subscription id of the audience.")
    watermark = models.BigIntegerField(default=0, help_text="The highest subscription id already frozen.")
    candidates = models.PositiveIntegerField(default=0)
    excluded = models.PositiveIntegerField(default=0)
    pause_reason = models.TextField(_("why it paused"), blank=True)
    started_at = models.DateTimeField(_("started"), null=True, blank=True)
    finished_at = models.DateTimeField(_("finished"), null=True, blank=True)
    restored_at = models.DateTimeField(
        null=True, help_text="When it was found in a restored database: what has no record may have gone out."
    )

    class Meta:
        verbose_name = _("mailing")
        verbose_name_plural = _("mailings")
        ordering = ["-created_at"]
        constraints = [
            models.UniqueConstraint(fields=["issue"], condition=~Q(state="cancelled"), name="one_mailing_per_issue"),
            models.CheckConstraint(
                condition=Q(state__in=["scheduled", "preparing", "sending", "paused", "sent", "cancelled"]),
                name="mailing_state_known",
            ),
            models.CheckConstraint(
                condition=~Q(state__in=["sending", "sent"]) | Q(started_at__isnull=False), name="mailing_started"
            ),
            models.CheckConstraint(condition=~Q(state="sent") | Q(finished_at__isnull=False), name="mailing_finished"),
        ]

    def __str__(self) -> str:
        return f"{self.subject} ({self.get_state_display()})"


class Variant(models.Model):
    """The frozen subject and bodies in one language and one order of items."""

    mailing = models.ForeignKey(Mailing, on_delete=models.CASCADE, related_name="variants")
    language = models.CharField(max_length=10)
    order_key = models.CharField(max_length=64, help_text="SHA-256 of the order of the items, in hex.")
    subject = models.CharField(max_length=150)
    content = models.JSONField(help_text="The tree that mail, text and archive page are made from.")
    template = models.BinaryField(help_text="The whole message as bytes, with slots for what differs per recipient.")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["mailing", "language", "order_key"], name="one_variant_per_order")
        ]


class Segment(models.Model):
    """Which variant subscribers of one language and one set of choices get. Many segments may share a variant."""

    mailing = models.ForeignKey(Mailing, on_delete=models.CASCADE, related_name="segments")
    language = models.CharField(max_length=10)
    choices_key = models.CharField(max_length=64, blank=True, help_text="As on the subscription.")
    variant = models.ForeignKey(Variant, on_delete=models.CASCADE, related_name="segments")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["mailing", "language", "choices_key"], name="one_segment_per_choice")
        ]


class FrozenPicture(models.Model):
    """The copy of a picture that sent mails and their issue on the web show, whatever becomes of the picture itself.

    Its file is named by its content and never given to another. Nothing removes it; a withdrawal puts a neutral
    picture at its address. Copies of issues sent before there was this table keep the address that is in the mails.
    """

    # The number stays when the picture is deleted.
    image = models.ForeignKey(
        "content.CreditedImage", null=True, on_delete=models.DO_NOTHING, db_constraint=False, related_name="+"
    )
    file = models.FileField(max_length=200, unique=True)
    sha256 = models.CharField(
        max_length=64, blank=True, db_index=True, help_text="Of the picture as sent, in hex; blank until it was read."
    )
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    withdrawn_at = models.DateTimeField(_("withdrawn"), null=True, blank=True)
    withdrawn_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    reason = models.TextField(_("why it was withdrawn"), blank=True)

    wagtail_reference_index_ignore = True

    class Meta:
        verbose_name = _("picture of a sent issue")
        verbose_name_plural = _("pictures of sent issues")


def new_token() -> int:
    """A number no other lane has or had, not even before a backup was restored."""
    return secrets.randbits(63)


class Lane(models.Model):
    """One open connection to a relay: a lease that must be renewed, and the rows it claimed in order."""

    token = models.BigIntegerField(primary_key=True, default=new_token)
    owner = models.CharField(max_length=120, help_text="Host, process id and start of the process that holds it.")
    way = models.CharField(max_length=320, blank=True, help_text="The relay it leads to, as host and port.")
    lease_until = models.DateTimeField()
    # Without a check that it is positive, which PostgreSQL would read anew for each settlement.
    cleared = models.IntegerField(
        default=0, help_text="The position whose final dot may have been written: in doubt after a crash."
    )


def new_identity() -> str:
    """What tells one database from another, and is the same in all its copies."""
    return secrets.token_hex(16)


class LedgerMark(models.Model):
    """The one row that says how far this ledger has come; delivery/witness.py keeps the number outside as well."""

    identity = models.CharField(max_length=32, default=new_identity)
    mark = models.BigIntegerField(default=0)
    seen_at = models.DateTimeField()

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(pk=1), name="one_ledger_mark")]


def dispatch_truths(kind: str) -> list[models.BaseConstraint]:
    """What is true of every row on its way to an address, for the table called `kind`."""
    on_its_way = Q(state="in_flight")
    has_lane = Q(lane__isnull=False, position__isnull=False)
    no_lane = Q(lane__isnull=True, position__isnull=True)
    return [
        models.CheckConstraint(
            condition=Q(state__in=["queued", "in_flight", "sent", "failed", "skipped", "bounced"]),
            name=f"{kind}_state_known",
        ),
        models.CheckConstraint(condition=(on_its_way & has_lane) | (~on_its_way & no_lane), name=f"{kind}_in_a_lane"),
        models.CheckConstraint(condition=~Q(state="queued") | Q(due_at__isnull=False), name=f"{kind}_due_while_queued"),
        models.CheckConstraint(condition=~Q(state="sent") | Q(sent_at__isnull=False), name=f"{kind}_sent_when"),
    ]


class Dispatch(models.Model):
    """What deliveries and notices share: a message on its way to one address, through one lane."""

    class State(models.TextChoices):
        QUEUED = "queued", _("Waiting")
        IN_FLIGHT = "in_flight", _("On its way")
        SENT = "sent", _("Sent")
        FAILED = "failed", _("Failed")
        SKIPPED = "skipped", _("Skipped")
        BOUNCED = "bounced", _("Bounced")

    state = models.CharField(_("state"), max_length=10, choices=State, default=State.QUEUED)
    message_id = models.CharField(max_length=200)
    lane = models.BigIntegerField(null=True)
    position = models.IntegerField(null=True)
    attempts = models.SmallIntegerField(_("attempts"), default=0)
    uncertain_attempts = models.SmallIntegerField(default=0)
    due_at = models.DateTimeField(_("due"), null=True)
    first_tried_at = models.DateTimeField(null=True)
    sent_at = models.DateTimeField(_("sent"), null=True)
    reason = models.CharField(_("reason"), max_length=40, blank=True)
    reply = models.CharField(_("last reply"), max_length=500, blank=True)
    provider_id = models.CharField(max_length=200, blank=True, help_text="What an ESP calls it; blank over SMTP.")

    wagtail_reference_index_ignore = True

    class Meta:
        abstract = True


class Delivery(Dispatch):
    """One mailing to one subscriber: the proof of what became of it.

    Every index and every check costs each message three times, when it is frozen, claimed and recorded, so there are
    as few as the questions asked: a subscriber's or a mailing's deliveries begin a unique constraint each, a Message-ID
    names its row (`named`), and each state has an index of its own, so that a row is in one of them. Mailing, variant
    and subscriber are read by the very statement that writes the row, so the database need not look them up a million
    times again: that took a third of a freeze. Django keeps mailings and variants from being deleted under it, and
    an erasure and a freeze wait for each other (`subscribers.hold_off_erasures`).
    """

    mailing = models.ForeignKey(
        Mailing, on_delete=models.CASCADE, related_name="deliveries", db_index=False, db_constraint=False
    )
    variant = models.ForeignKey(
        Variant, on_delete=models.PROTECT, related_name="deliveries", db_index=False, db_constraint=False
    )
    subscriber = models.ForeignKey(
        Subscriber,
        null=True,
        on_delete=models.SET_NULL,
        related_name="deliveries",
        db_index=False,
        db_constraint=False,
    )
    address = models.CharField(_("address"), max_length=320, blank=True, help_text="As frozen; blank after an erasure.")
    address_key = models.CharField(max_length=320)
    domain = models.CharField(max_length=255, help_text="Of the address, for limits and routes per domain.")
    generation = models.SmallIntegerField(default=1, help_text="A person's resend is the next generation.")
    current = models.BooleanField(default=True, help_text="Off once a person's resend took its place: it counts once.")

    class Meta:
        verbose_name = _("delivery")
        verbose_name_plural = _("deliveries")
        constraints = [
            models.UniqueConstraint(fields=["subscriber", "mailing", "generation"], name="one_delivery_per_subscriber"),
            models.UniqueConstraint(fields=["mailing", "address_key", "generation"], name="one_delivery_per_address"),
            *dispatch_truths("delivery"),
        ]
        indexes = [
            # Waiting: what a lane claims next.
            models.Index(fields=["mailing", "due_at", "id"], condition=Q(state="queued"), name="delivery_due"),
            # On its way: what the reaper frees.
            models.Index(fields=["lane", "position"], condition=Q(lane__isnull=False), name="delivery_lane"),
            # Sent: how many, and how many in a minute.
            models.Index(fields=["mailing", "sent_at"], condition=Q(current=True, state="sent"), name="delivery_pace"),
            # Ended otherwise.
            models.Index(
                fields=["mailing", "state"],
                condition=Q(current=True, state__in=["failed", "skipped", "bounced"]),
                name="delivery_ended",
            ),
            # What failed, was left out or has to wait, and why.
            models.Index(
                fields=["mailing", "state", "reason", "due_at"],
                condition=Q(current=True) & ~Q(reason=""),
                name="delivery_trouble",
            ),
            # Resent: their Message-IDs did not always name the row.
            models.Index(fields=["message_id"], condition=Q(generation__gt=1), name="delivery_resent"),
            # What an ESP reports about.
            models.Index(fields=["provider_id"], condition=~Q(provider_id=""), name="delivery_provider"),
        ]


class Notice(Dispatch):
    """One automatic mail to one person: confirmation, welcome, reminder, or a fresh private link.

    Mails to people with an account belong to no subscription. They hold an address, and Django's finished message or,
    of a link to a new password, nothing: its token is made when it is sent. Both are blank once it went out or never
    will.
    """

    class Kind(models.TextChoices):
        CONFIRMATION = "confirmation", _("Please confirm")
        ALREADY = "already", _("You are already subscribed")
        WELCOME = "welcome", _("Welcome")
        REMINDER = "reminder", _("Reminder to confirm")
        EXPORT = "export", _("Link to export one's data")
        ERASURE = "erasure", _("Link to erase one's data")
        UNSUBSCRIBE = "unsubscribe", _("Link to unsubscribe")
        LINK = "link", _("Link to one's subscription")
        PASSWORD = "password", _("Link to set a new password")
        ACCOUNT = "account", _("Other mail to somebody with an account")

    subscription = models.ForeignKey(Subscription, null=True, on_delete=models.CASCADE, related_name="notices")
    kind = models.CharField(_("kind"), max_length=12, choices=Kind)
    address = models.CharField(max_length=320, blank=True)
    message = models.BinaryField(null=True)
    created_at = models.DateTimeField(_("created"), auto_now_add=True)

    class Meta:
        verbose_name = _("notice")
        verbose_name_plural = _("notices")
        constraints = [
            *dispatch_truths("notice"),
            models.UniqueConstraint(fields=["message_id"], name="notice_message_id"),
            models.CheckConstraint(
                condition=Q(subscription__isnull=False) | Q(kind__in=["password", "account"]), name="notice_to_somebody"
            ),
            models.CheckConstraint(
                condition=Q(address="", message__isnull=True) | Q(state__in=["queued", "in_flight"]),
                name="notice_forgets_what_went_out",
            ),
        ]
        indexes = [
            # What a lane claims next, ahead of mailings.
            models.Index(fields=["due_at", "id"], condition=Q(state="queued"), name="notice_due"),
            models.Index(fields=["lane", "position"], condition=Q(lane__isnull=False), name="notice_lane"),
            # What failed lately.
            models.Index(fields=["created_at"], condition=Q(state="failed"), name="notice_failed"),
            # One confirmation an hour and three a day for an address.
            models.Index(fields=["subscription", "kind", "created_at"], name="notice_limit"),
        ]
