"""The WSGI entrance that granian (or gunicorn) loads: the page cache, and Django behind it."""

import os
import signal

from django.core.wsgi import get_wsgi_application

from resource_center.supervisor import die_with_parent

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "resource_center.settings")
die_with_parent(signal.SIGKILL, os.getppid())  # Without its server a worker would keep the port.
django = get_wsgi_application()

from resource_center import logs  # noqa: E402  # These imports need Django to be set up.
from resource_center.pagecache import PageCache  # noqa: E402

logs.log_uncaught_exceptions()
application = PageCache(django)
