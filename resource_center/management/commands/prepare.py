"""`manage.py prepare`: brings database and files up to date before the site starts."""

from __future__ import annotations

import hashlib
import os
import secrets
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib.auth import get_user_model
from django.contrib.staticfiles.finders import get_finders
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import OperationalError, connection, transaction
from django.db.migrations.executor import MigrationExecutor
from wagtail.models import Site

from content import search
from content.demo import load as library
from content.site import former_languages
from newsletter import heartbeats, site
from newsletter.demo import load as demo
from newsletter.models import Heartbeat

if TYPE_CHECKING:
    from django.core.management.base import CommandParser

PASSWORD_FILE = settings.DATA_DIR / "admin_password"


class Command(BaseCommand):
    """Safe to run at every start, and quick when nothing changed."""

    help = "Migrate, collect static files, make the site's own pages; with --demo also the demo content and the admin."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--demo", action="store_true", help="Load the demo site if the database is empty.")
        parser.add_argument(
            "--expect-heartbeats",
            type=float,
            metavar="SECONDS",
            help="Worker and beat are about to start on this host: miss them only after so many seconds.",
        )

    def handle(self, **options: Any) -> None:
        self.migrate()
        self.collect_static_files()
        follow_site_url()
        if options["demo"]:
            self.load_demo()
            keep_admin()
        site.found()
        self.renew_search_index()
        if options["expect_heartbeats"] is not None:
            heartbeats.expect(Heartbeat.Role, options["expect_heartbeats"])
        for code, name, pages in former_languages():
            self.stderr.write(
                f"{pages} pages in {name} are kept, but readers can not open them: LANGUAGES does not name {code}."
            )

    def migrate(self) -> None:
        try:
            executor = MigrationExecutor(connection)
            waiting = executor.migration_plan(executor.loader.graph.leaf_nodes())
        except OperationalError as error:
            raise CommandError(f"DATABASE_URL: the database does not answer: {error}") from error
        if waiting:
            self.stdout.write(f"Building the database ({len(waiting)} steps) ...")
            call_command("migrate", interactive=False, verbosity=0)

    def collect_static_files(self) -> None:
        """Copy and compress styles, fonts and scripts, unless that was done and none has changed since."""
        stamp = settings.DATA_DIR / "static.stamp"
        present = fingerprint()
        if not stamp.is_file() or stamp.read_text() != present:
            self.stdout.write("Collecting styles, fonts and scripts ...")
            call_command("collectstatic", interactive=False, clear=True, verbosity=0)
            stamp.write_text(present)

    def renew_search_index(self) -> None:
        """Write the readers' search index anew after an upgrade that reads words in another way."""
        if search.rebuild_if_outdated():
            self.stdout.write("The search index was written anew.")

    def load_demo(self) -> None:
        """Load the demo site where nobody has written anything yet."""
        if not demo.is_empty():
            return
        if not library.spoken():
            self.stdout.write("The demo is written in English, which LANGUAGES does not name: nothing is loaded.")
            return
        self.stdout.write("Loading the demo site ...")
        with transaction.atomic():
            call_command("load_demo", verbosity=0)


def fingerprint() -> str:
    """What the static files of all apps look like from outside: names, sizes and times."""
    digest = hashlib.sha256()
    for finder in get_finders():
        for name, storage in finder.list([]):
            seen = Path(storage.path(name)).stat()
            digest.update(f"{name} {seen.st_size} {seen.st_mtime_ns}\n".encode())
    return digest.hexdigest()


def follow_site_url() -> None:
    """Give Wagtail's one Site the host and port of SITE_URL."""
    parts = urlsplit(settings.SITE_URL)
    port = parts.port or (443 if settings.HTTPS else 80)
    one = Site.objects.get(is_default_site=True)
    if (one.hostname, one.port, one.site_name) != (parts.hostname, port, settings.WAGTAIL_SITE_NAME):
        one.hostname, one.port, one.site_name = parts.hostname, port, settings.WAGTAIL_SITE_NAME
        one.save()


def keep_admin() -> None:
    """Make the demo's admin with a random password, kept in DATA_DIR until somebody sets another."""
    people = get_user_model().objects
    admin = people.filter(username="admin").first()
    if admin is None:
        password = PASSWORD_FILE.read_text().strip() if PASSWORD_FILE.is_file() else secrets.token_urlsafe(12)
        people.create_superuser("admin", "admin@example.org", password)
        write_privately(PASSWORD_FILE, password)
    elif PASSWORD_FILE.is_file() and not admin.check_password(PASSWORD_FILE.read_text().strip()):
        PASSWORD_FILE.unlink()


def write_privately(path: Path, text: str) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(f"{text}\n")
