"""Facets say whether subscribers choose among their terms: those that were offered before, and subjects."""

from django.db import migrations, models

OFFERED = ("role", "grade", "topic", "subject")


def keep_others_back(apps, schema_editor):
    apps.get_model("content", "Facet").objects.exclude(slug__in=OFFERED).update(offered_at_signup=False)


class Migration(migrations.Migration):
    dependencies = [("content", "0007_story_without_its_partner")]

    operations = [
        migrations.AddField(
            model_name="facet",
            name="offered_at_signup",
            field=models.BooleanField(
                default=True,
                help_text=(
                    "Whether people choose among its terms when they sign up to the newsletter and in their preferences. "
                    "The facet in the site's first language decides for all languages."
                ),
                verbose_name="offered to subscribers",
            ),
        ),
        migrations.RunPython(keep_others_back, migrations.RunPython.noop),
    ]
