#!/usr/bin/env python
"""The command line of the resource center: `python manage.py help` lists what it can do."""

import os
import sys


def main() -> None:
    """Run a command; a setting that can not work is one line, not a traceback."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "resource_center.settings")
    from django.core.exceptions import ImproperlyConfigured
    from django.core.management import execute_from_command_line

    try:
        execute_from_command_line(sys.argv)
    except ImproperlyConfigured as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
