"""The WSGI entrance that granian (or gunicorn) loads: the page cache, and Django behind it."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "resource_center.settings")
django = get_wsgi_application()

from resource_center.pagecache import PageCache  # noqa: E402  # Its imports need Django to be set up.

application = PageCache(django)
