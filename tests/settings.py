"""The site's settings for tests: nothing of the operator's environment counts, nothing outlives the run.

TEST_ON=postgres takes PostgreSQL (see machine.py) instead of SQLite.
"""

import atexit
import os
import shutil
import tempfile

from resource_center import preflight
from tests import machine

folder = tempfile.mkdtemp(prefix="resource-center-tests-")
atexit.register(shutil.rmtree, folder, ignore_errors=True)
os.environ.update(dict.fromkeys(preflight.SETTINGS, ""))
os.environ.update(
    SECRET_KEY="only-for-tests-" + "0123456789" * 5,
    DATA_DIR=folder,
    SITE_URL="http://testserver",
    MAIL_FROM="Resource Center <news@resource-center.example>",
    MAIL_REPLY_TO="hello@resource-center.example",
    MAIL_POSTAL_ADDRESS="1 Test Lane, Providence, RI 02903",
    BOUNCE_DOMAIN="bounces.resource-center.example",
)
if os.environ.get("TEST_ON") == "postgres":
    os.environ["DATABASE_URL"] = f"{machine.postgres()}/resource_center_{os.getpid()}"

from resource_center.settings import *  # noqa: E402, F403
from resource_center.settings import DATA_DIR, DATABASES  # noqa: E402

DATABASES["default"].setdefault("TEST", {})
if DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3":
    DATABASES["default"]["TEST"]["NAME"] = str(DATA_DIR / "test.sqlite3")
MEDIA_ROOT = DATA_DIR / "media"
MEDIA_ROOT.mkdir()
STORAGES = {
    "default": {"BACKEND": "resource_center.media.MediaStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
WHITENOISE_AUTOREFRESH = True  # There is no collected folder to scan.
CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
CELERY_BROKER_URL = "memory://"
TASKS = {"default": {"BACKEND": "django_tasks.backends.immediate.ImmediateBackend"}}
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
