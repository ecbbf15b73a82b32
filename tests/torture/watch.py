"""Asks for a mailing's state and counts again and again, one JSON line for each answer, until it is stopped.

`python -m tests.torture.watch MAILING FILE`
"""

import json
import os
import sys
import time
from pathlib import Path

import django
from django.db import Error, connection

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "resource_center.settings")
django.setup()

from newsletter import delivery  # noqa: E402
from newsletter.models import Mailing  # noqa: E402

with Path(sys.argv[2]).open("a") as file:
    while True:
        try:
            mailing = Mailing.objects.get(pk=int(sys.argv[1]))
            file.write(json.dumps({"state": mailing.state, **delivery.counts(mailing)}) + "\n")
            file.flush()
        except Error:
            connection.close()
        time.sleep(0.1)
