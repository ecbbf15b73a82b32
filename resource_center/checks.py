"""System checks: combinations of settings that would only fail later, each with its mend."""

from __future__ import annotations

import sqlite3
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register
from django.db import DatabaseError
from django.http.request import validate_host

from content import site
from newsletter import esp


@register
def mail_identity(**_kwargs: Any) -> list[CheckMessage]:
    """Every mailing needs a sender, and by law a postal address."""
    return [
        Warning(
            f"{name} is not set: every mailing will be refused.",
            hint=f"Set {name} in the environment or in .env.",
            id="resource_center.W001",
        )
        for name in ("MAIL_FROM", "MAIL_POSTAL_ADDRESS")
        if not getattr(settings, name)
    ]


@register
def provider_events(**_kwargs: Any) -> list[CheckMessage]:
    """Bounces and complaints of a provider count only when they can be proved to be the provider's."""
    if not settings.ESP or esp.proofs():
        return []
    keys = " or ".join(key.replace(esp.SECRET, f"ANYMAIL_{esp.SECRET}") for key in esp.PROVIDERS[settings.ESP].proofs)
    return [
        Warning(
            f"Nothing proves that events come from {settings.ESP}: its bounces and complaints are not taken in.",
            hint=f"Set {keys}, and {settings.SITE_URL}/newsletter/webhooks/{settings.ESP}/ as its webhook.",
            id="resource_center.W003",
        )
    ]


@register
def allowed_hosts(**_kwargs: Any) -> list[CheckMessage]:
    """The site must answer at its own address, and only there."""
    if "*" in settings.ALLOWED_HOSTS:
        return [
            Warning(
                "ALLOWED_HOSTS holds *: a forged Host header would be believed.",
                hint="Name the hosts of this site.",
                id="resource_center.W002",
            )
        ]
    if not validate_host(settings.SITE_HOST, settings.ALLOWED_HOSTS):
        return [
            Error(
                f"The host of SITE_URL, {settings.SITE_HOST}, is not in ALLOWED_HOSTS: every link would answer 400.",
                hint="Add it to ALLOWED_HOSTS, or correct SITE_URL.",
                id="resource_center.E001",
            )
        ]
    return []


@register
def full_text_search(**_kwargs: Any) -> list[CheckMessage]:
    """SQLite searches with FTS5, which a few builds of Python lack."""
    if settings.DATABASES["default"]["ENGINE"] != "django.db.backends.sqlite3":
        return []
    with sqlite3.connect(":memory:") as probe:
        options = {row[0] for row in probe.execute("PRAGMA compile_options")}
    probe.close()
    if "ENABLE_FTS5" in options:
        return []
    return [
        Error(
            "This Python's SQLite has no full-text search (FTS5).",
            hint="Use another build of Python, or set DATABASE_URL to a PostgreSQL database.",
            id="resource_center.E002",
        )
    ]


@register(Tags.database)
def former_languages(databases: Any = None, **_kwargs: Any) -> list[CheckMessage]:
    """Pages in a language that LANGUAGES no longer names are kept, but readers can not open them."""
    if not databases:
        return []
    try:
        former = site.former_languages()
    except DatabaseError:  # before the first migration there is no table of languages
        return []
    return [
        Warning(
            f"{pages} pages stand in {name} ({code}), which LANGUAGES does not name: readers can not open them.",
            hint=f"Add {code} to LANGUAGES, or delete those pages and the language in the admin (Settings, Locales).",
            id="resource_center.W004",
        )
        for code, name, pages in former
    ]
