"""What issues sent so far show stays where their mails look for it, whatever becomes of the picture.

Their files were renditions, which are deleted with their picture and drawn anew when its credit changes. Here they
become pictures of sent issues; no file is touched. A worker reads them when it starts (newsletter/frozen_pictures.py).
"""

from urllib.parse import unquote, urlsplit

from django.conf import settings
from django.db import migrations


def keep(apps, _schema_editor):
    FrozenPicture = apps.get_model("newsletter", "FrozenPicture")
    renditions = apps.get_model("content", "CreditedRendition").objects
    known = set()
    for content in apps.get_model("newsletter", "Variant").objects.values_list("content", flat=True).iterator():
        for name in shown_by(content) - known:
            known.add(name)
            rendition = renditions.filter(file=name).first()
            FrozenPicture.objects.get_or_create(file=name, defaults={"image_id": rendition and rendition.image_id})
            # Without the row nobody deletes the file.
            renditions.filter(file=name).delete()


def shown_by(content):
    """The names of the media files whose addresses a tree holds."""
    items = [item for section in content.get("sections", []) for item in section["items"]]
    paths = [unquote(urlsplit(item["picture"]["url"]).path) for item in items if item.get("picture")]
    return {path.removeprefix(settings.MEDIA_URL) for path in paths if path.startswith(settings.MEDIA_URL)}


class Migration(migrations.Migration):
    dependencies = [
        ("content", "0005_picture_uploads"),
        ("newsletter", "0008_frozen_pictures"),
    ]

    operations = [migrations.RunPython(keep, migrations.RunPython.noop)]
