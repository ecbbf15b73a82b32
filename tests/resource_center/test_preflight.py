"""A value that can not work stops the start with one line that names it, on a bare Python."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from resource_center import preflight

pytestmark = pytest.mark.once
ROOT = Path(__file__).resolve().parents[2]


def check(target="demo", **settings) -> tuple[int, list[str]]:
    """Run the door as `make` does, with only these settings: its exit code and its lines."""
    environment = {name: value for name, value in os.environ.items() if name not in preflight.SETTINGS}
    done = subprocess.run(
        [sys.executable, "-S", "-I", "resource_center/preflight.py", target],  # no installed package is in reach
        cwd=ROOT,
        env=environment | settings,
        capture_output=True,
        text=True,
        timeout=30,
    )
    return done.returncode, done.stderr.splitlines()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SECRET_KEY", ""),
        ("SECRET_KEY", "   "),
        ("DEBUG", "maybe"),
        ("PORT", "0"),
        ("PORT", "65536"),
        ("PORT", "abc"),
        ("PORT", "٨٠"),
        ("BIND", "localhost"),
        ("BIND", "203.0.113.9"),
        ("SITE_URL", "www.example.org"),
        ("SITE_URL", "ftp://example.org"),
        ("SITE_URL", "https://"),
        ("SITE_URL", "https://example.org/library"),
        ("SITE_URL", "http://[::1"),
        ("ALLOWED_HOSTS", "https://example.org"),
        ("TRUSTED_PROXIES", "10.0.0.0/33"),
        ("EMBED_ORIGINS", "https://a.example null"),
        ("DATABASE_URL", "mysql://localhost/site"),
        ("DATABASE_URL", "postgres://localhost"),
        ("DATABASE_URL", "postgres://localhost:port/site"),
        ("REDIS_URL", "http://localhost"),
        ("REDIS_URL", "redis://localhost/one"),
        ("SMTP_URL", "mail.example.org"),
        ("SMTP_URL", "smtp://mail.example.org:smtp"),
        ("SMTP_URL", "smtp://a.example smtp://b.example?weight=0"),
        ("SMTP_URL", "smtp://a.example?heaviness=2"),
        ("ESP", "pigeon"),
        ("ESP", "Postmark"),
        ("ANYMAIL_WEBHOOK_SECRET", "no-colon"),
        ("POSTMARK_API_URL", "api.postmarkapp.com"),
        ("SMTP_URL", "smtp://a.example?connections=few"),
        ("SMTP_URL", "smtp://a.example?rate=0"),
        ("SMTP_URL", "smtp://a.example smtp://b.example?domains=school"),
        ("SMTP_URL", "smtp://a.example?domains=school.edu smtp://b.example?domains=district.org"),
        ("DOMAIN_LIMITS", "gmail.com"),
        ("DOMAIN_LIMITS", "gmail.com=60/hour"),
        ("DOMAIN_LIMITS", "gmail.com=60/min outlook.com=0"),
        ("MAIL_WARM_UP", "tomorrow"),
        ("MAIL_WARM_UP", "2026-02-30"),
        ("MAIL_WARM_UP", "2026-11-26:first=0"),
        ("MAIL_WARM_UP", "2026-11-26:first=200,weeks=6"),
        ("MAIL_WARM_UP", "2026-11-26:days=1"),
        ("DKIM_KEY_FILE", "/proc/nothing.pem"),
        ("DKIM_KEY_FILE", "README.md"),
        ("DKIM_SELECTOR", "two words"),
        ("DKIM_DOMAIN", "me@example.org"),
        ("MAIL_FROM", "nobody"),
        ("MAIL_FROM", "josé@example.org"),
        ("MAIL_REPLY_TO", "a@b@"),
        ("BOUNCE_DOMAIN", "me@example.org"),
        ("UNCERTAIN_DELIVERIES", "drop"),
        ("TIME_ZONE", "Mars/Olympus"),
        ("MEDIA_BUCKET_URL", "s3://bucket"),
        ("SEARCH_URL", "http://localhost:9200"),
        ("SENTRY_DSN", "https://x@sentry.example/1"),
        ("DATA_DIR", "/proc/nothing"),
    ],
)
def test_a_broken_value_is_one_line_with_its_name(name, value, tmp_path):
    code, lines = check(**{"DATA_DIR": str(tmp_path), name: value})
    assert code == 1
    assert len(lines) == 1
    assert lines[0].startswith(name)


def test_a_key_that_a_provider_needs_is_missed_by_its_name(tmp_path):
    for name, provider in preflight.PROVIDERS.items():
        keys = {key: "https://api.example/" if key.endswith("_URL") else "key" for key in provider.needs}
        assert preflight.complaints({"ESP": name, **keys}) == []
        assert preflight.complaints({"ESP": name}) == [f"{key} is missing: ESP={name} needs it." for key in keys]
    code, lines = check(DATA_DIR=str(tmp_path), ESP="mailjet", MAILJET_API_KEY="key")
    assert (code, lines) == (1, ["MAILJET_SECRET_KEY is missing: ESP=mailjet needs it."])


def test_mail_leaves_one_way_only(tmp_path):
    code, lines = check(DATA_DIR=str(tmp_path), ESP="brevo", BREVO_API_KEY="key", SMTP_URL="smtp://relay.example")
    assert code == 1
    assert lines == ["ESP and SMTP_URL are both set, but mail leaves one way only: unset one of them."]


def test_every_broken_value_is_named_at_once(tmp_path):
    code, lines = check(DATA_DIR=str(tmp_path), PORT="x", DEBUG="x", TIME_ZONE="x")
    assert code == 1
    assert [line.split()[0] for line in lines] == ["DEBUG", "PORT", "TIME_ZONE"]


def test_a_complaint_never_shows_a_password(tmp_path):
    secret = "open-sesame"
    for name, value in {
        "DATABASE_URL": f"mysql://me:{secret}@localhost/site",
        "REDIS_URL": f"http://:{secret}@localhost",
        "SMTP_URL": f"imap://me:{secret}@localhost",
        "ANYMAIL_WEBHOOK_SECRET": secret,
    }.items():
        assert secret not in "".join(check(**{"DATA_DIR": str(tmp_path), name: value})[1])


def test_values_that_work_pass(tmp_path):
    private_key = tmp_path / "dkim.pem"
    private_key.write_text("-----BEGIN PRIVATE KEY-----\nMIIEvQ==\n-----END PRIVATE KEY-----\n")
    assert check(
        DATA_DIR=str(tmp_path),
        SITE_URL="https://www.example.org",
        ALLOWED_HOSTS="www.example.org, .example.org",
        TRUSTED_PROXIES="10.0.0.0/8 ::1/128",
        EMBED_ORIGINS="https://partner.example http://localhost:3000",
        DATABASE_URL="postgres://me:p%40ss@db.example:5432/site",
        REDIS_URL="rediss://:secret@redis.example:6380/2",
        SMTP_URL="smtp+starttls://me:p%40ss@relay.example:587?weight=3&connections=4&rate=600 smtps://relay2.example"
        " smtp://relay3.example?domains=school.edu,district.org",
        DOMAIN_LIMITS="gmail.com=60/min,4 outlook.com=20/min Yahoo.com=2",
        MAIL_WARM_UP="2026-11-26:first=200,days=42",
        DKIM_KEY_FILE=str(private_key),
        DKIM_SELECTOR="news.2026",
        DKIM_DOMAIN="example.org",
        MAIL_FROM="Bücherei <news@example.org>",
        BOUNCE_DOMAIN="bounces.example.org",
        UNCERTAIN_DELIVERIES="hold",
        TIME_ZONE="Europe/Berlin",
        DEBUG="off",
    ) == (0, [])


def test_a_key_without_its_name_in_the_dns_is_no_use(tmp_path):
    private_key = tmp_path / "dkim.pem"
    private_key.write_text("-----BEGIN PRIVATE KEY-----\nMIIEvQ==\n-----END PRIVATE KEY-----\n")
    code, lines = check(DATA_DIR=str(tmp_path), DKIM_KEY_FILE=str(private_key))
    assert (code, len(lines)) == (1, 1)
    assert lines[0].startswith("DKIM_SELECTOR is missing")


def test_a_port_that_is_taken_is_named(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as other:
        number = other.getsockname()[1]
        code, lines = check(DATA_DIR=str(tmp_path), PORT=str(number))
    assert code == 1
    assert lines == [f"Port {number} is taken by another program: stop it or set PORT."]


def test_make_run_wants_a_key_and_make_demo_does_not(tmp_path):
    code, lines = check("run", DATA_DIR=str(tmp_path))
    assert code == 1
    assert lines == ["SECRET_KEY is missing: set it to a long random value, the same at every start."]
    assert check("demo", DATA_DIR=str(tmp_path)) == (0, [])


def test_a_settings_file_is_read_like_a_shell_would(tmp_path):
    file = tmp_path / ".env"
    file.write_text("# ours\n\nexport PORT=8001 # beside the other\nMAIL_FROM=\"News # <a@b.example>\"\nBIND='::1'\n")
    assert preflight.read_file(file) == {"PORT": "8001", "MAIL_FROM": "News # <a@b.example>", "BIND": "::1"}


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ("PORT 8000", ".env, line 1: 'PORT 8000' is not of the form NAME=value."),
        ("SIET_URL=http://x", ".env, line 1: SIET_URL is no setting. Did you mean SITE_URL?"),
        ("MAIL_FROM='News", ".env, line 1: MAIL_FROM can not be read, the closing quote is missing."),
    ],
)
def test_a_settings_file_with_a_mistake_names_the_line(tmp_path, line, complaint):
    file = tmp_path / ".env"
    file.write_text(line)
    with pytest.raises(preflight.BrokenSetting) as error:
        preflight.read_file(file)
    assert str(error.value) == complaint


def test_an_old_python_is_told_so(monkeypatch):
    monkeypatch.setattr(sys, "version_info", (3, 10, 4))
    assert preflight.troubles("test") == [
        "Python 3.10 is too old: 3.11 or newer is needed (PYTHON=/path/to/python3.11 names another)."
    ]
