"""The search index forgets the aliases that repeat a page of the same language: lists name every text once."""

from django.db import migrations
from django.db.models import F


def forget_repetitions(apps, _schema_editor):
    entries = apps.get_model("content", "SearchEntry").objects
    entries.filter(page__alias_of__locale=F("page__locale")).delete()


class Migration(migrations.Migration):
    dependencies = [("content", "0005_picture_uploads")]

    operations = [migrations.RunPython(forget_repetitions, migrations.RunPython.noop)]
