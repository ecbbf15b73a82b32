"""The WSGI entrance that granian (or gunicorn) loads."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "resource_center.settings")

application = get_wsgi_application()
