import newsletter.models.mailings
from django.db import migrations, models
from django.db.models import Q


def a_lane_is_a_number(kind):
    return [
        migrations.RemoveIndex(kind, f"{kind}_lane"),
        migrations.RemoveField(kind, "lane"),
        migrations.AddField(kind, "lane", models.BigIntegerField(null=True)),
        migrations.AddIndex(
            kind,
            models.Index(fields=["lane", "position"], condition=Q(lane__isnull=False), name=f"{kind}_lane"),
        ),
        *(migrations.AddConstraint(kind, truth) for truth in newsletter.models.mailings.dispatch_truths(kind)[1:]),
    ]


class Migration(migrations.Migration):
    dependencies = [("newsletter", "0001_initial")]

    operations = [
        migrations.DeleteModel("Lane"),
        migrations.CreateModel(
            name="Lane",
            fields=[
                (
                    "token",
                    models.BigIntegerField(
                        default=newsletter.models.mailings.new_token, primary_key=True, serialize=False
                    ),
                ),
                (
                    "owner",
                    models.CharField(help_text="Host, process id and start of the process that holds it.", max_length=120),
                ),
                ("lease_until", models.DateTimeField()),
                (
                    "cleared",
                    models.PositiveIntegerField(
                        default=0,
                        help_text="The position whose final dot may have been written: in doubt after a crash.",
                    ),
                ),
            ],
            options={"indexes": [models.Index(fields=["lease_until"], name="lane_expiry")]},
        ),
        *a_lane_is_a_number("delivery"),
        *a_lane_is_a_number("notice"),
        migrations.AddConstraint(
            "mailing",
            models.CheckConstraint(
                condition=~Q(state__in=["sending", "sent"]) | Q(started_at__isnull=False), name="mailing_started"
            ),
        ),
        migrations.AddConstraint(
            "mailing",
            models.CheckConstraint(
                condition=~Q(state="sent") | Q(finished_at__isnull=False), name="mailing_finished"
            ),
        ),
    ]
