"""Sets a stage on the database the environment names: an issue, and so many confirmed subscribers. Prints its number.

`python -m tests.torture.scene 2000`
"""

import os
import sys

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "resource_center.settings")
django.setup()

from newsletter import synthetic  # noqa: E402
from newsletter.site import found  # noqa: E402
from tests.newsletter.issues import an_issue  # noqa: E402

synthetic.subscribers(found().newsletter, int(sys.argv[1]))
print(an_issue().pk)
