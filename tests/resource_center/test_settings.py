"""One settings file, whose values come from the environment alone."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from resource_center import preflight

pytestmark = pytest.mark.once
ROOT = Path(__file__).resolve().parents[2]
PRODUCTION = {
    "SECRET_KEY": "Lq8-8sJ2vY0wq9RkZb7Xc1Tn5Pm3Hd6Gf4Ea-Uo_Wi2Vt8Sr0-Bn7",
    "SITE_URL": "https://www.example.org",
    "ALLOWED_HOSTS": "www.example.org",
    "MAIL_FROM": "News <news@example.org>",
    "MAIL_POSTAL_ADDRESS": "1 Main Street, Springfield",
}


def manage(*arguments, **settings) -> subprocess.CompletedProcess:
    """Run manage.py with only these settings."""
    environment = {name: value for name, value in os.environ.items() if name not in preflight.SETTINGS}
    return subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=ROOT,
        env=environment | {"DJANGO_SETTINGS_MODULE": "resource_center.settings"} | settings,
        capture_output=True,
        text=True,
        timeout=60,
    )


def value(expression: str, **settings):
    """What an expression over the settings gives, as JSON tells it."""
    program = f"import json; from resource_center import settings as s; print(json.dumps({expression}))"
    return json.loads(manage("shell", "--no-imports", "-v0", "-c", program, **settings).stdout)


def test_production_settings_leave_nothing_to_warn_about(tmp_path):
    done = manage("check", "--deploy", "--fail-level", "INFO", DATA_DIR=str(tmp_path), **PRODUCTION)
    assert (done.returncode, done.stderr) == (0, "")
    assert "no issues" in done.stdout


@pytest.mark.parametrize(
    ("expected", "told"),
    [
        (True, {preflight.STARTED_AS: "demo"}),
        (True, {preflight.STARTED_AS: "demo", "BIND": "::1"}),
        (False, {}),
        (False, {preflight.STARTED_AS: "run"}),
        (False, {preflight.STARTED_AS: "demo", "BIND": "0.0.0.0"}),
        (False, {preflight.STARTED_AS: "demo", "SITE_URL": "http://localhost:8000"}),
        (False, {preflight.STARTED_AS: "demo", "SITE_URL": "https://www.example.org"}),
    ],
)
def test_the_mailbox_needs_no_login_only_in_a_demo_at_its_default_address(tmp_path, expected, told):
    told = {"DATA_DIR": str(tmp_path), "SECRET_KEY": PRODUCTION["SECRET_KEY"], **told}
    assert value("s.MAILBOX_WITHOUT_LOGIN", **told) is expected


def test_a_provider_takes_the_place_of_the_local_mailbox(tmp_path):
    keys = {"ESP": "mailgun", "MAILGUN_API_KEY": "key", "MAILGUN_WEBHOOK_SIGNING_KEY": "signing"}
    told = {"DATA_DIR": str(tmp_path), **PRODUCTION, **keys, "ANYMAIL_WEBHOOK_SECRET": "me:one you:two"}
    assert value("s.LOCAL_MAILBOX", **told) is False
    anymail = value("s.ANYMAIL", **told)
    assert {key: anymail[key] for key in keys if key != "ESP"} == {k: v for k, v in keys.items() if k != "ESP"}
    assert anymail["WEBHOOK_SECRET"] == ["me:one", "you:two"]
    assert "BREVO_API_KEY" not in anymail
    done = manage("check", "--deploy", "--fail-level", "INFO", **told)
    assert (done.returncode, done.stderr) == (0, "")


def test_no_library_sends_twice_behind_the_ledger(tmp_path):
    told = {"DATA_DIR": str(tmp_path), **PRODUCTION, "ESP": "amazon_ses", "AWS_DEFAULT_REGION": "eu-west-1"}
    amazon = value("s.ANYMAIL['AMAZON_SES_CLIENT_PARAMS']", **told, AWS_ACCESS_KEY_ID="id", AWS_SECRET_ACCESS_KEY="key")
    assert amazon["config"]["retries"] == {"total_max_attempts": 1}
    assert (amazon["region_name"], amazon["aws_access_key_id"]) == ("eu-west-1", "id")
    assert "aws_session_token" not in amazon


def test_a_missing_key_stops_every_command_with_one_line(tmp_path):
    done = manage("check", DATA_DIR=str(tmp_path))
    assert done.returncode == 1
    assert done.stderr == "SECRET_KEY is missing: set it to a long random value (`make demo` makes one).\n"


def test_a_broken_value_stops_every_command_with_one_line(tmp_path):
    done = manage("migrate", DATA_DIR=str(tmp_path), **PRODUCTION | {"TIME_ZONE": "Mars"})
    assert done.returncode == 1
    assert done.stderr == "TIME_ZONE is 'Mars': it must be a time zone such as America/New_York.\n"
    assert list(tmp_path.iterdir()) == []


def test_a_first_command_finds_a_folder_to_write_to_or_says_why_not_in_one_line(tmp_path):
    done = manage("migrate", "-v0", DATA_DIR=str(tmp_path / "new" / "folder"), **PRODUCTION)
    assert (done.returncode, done.stderr) == (0, "")
    (tmp_path / "taken").write_text("a file")
    done = manage("migrate", "-v0", DATA_DIR=str(tmp_path / "taken"), **PRODUCTION)
    assert done.returncode == 1
    assert done.stderr == f"DATA_DIR can not be used: nothing can be written to {tmp_path}/taken (File exists).\n"


def test_commands_find_what_the_demo_keeps_and_the_environment_goes_before_it(tmp_path):
    (tmp_path / "demo.env").write_text('SECRET_KEY="kept"\nMAIL_FROM="kept@example.org"\nPORT="8123"\n')
    found = value("[s.SECRET_KEY, s.MAIL_FROM, s.SITE_URL]", DATA_DIR=str(tmp_path), MAIL_FROM="now@example.org")
    assert found == ["kept", "now@example.org", "http://127.0.0.1:8123"]


@pytest.mark.parametrize(
    "way", [{}, {"SMTP_URL": "smtp://relay.example"}, {"ESP": "brevo", "BREVO_API_KEY": "key"}], ids=str
)
def test_whatever_the_way_out_the_sites_own_mail_takes_it_through_the_ledger(tmp_path, way):
    told = {"DATA_DIR": str(tmp_path), **PRODUCTION, **way}
    assert value("s.EMAIL_BACKEND", **told) == "newsletter.accounts.LedgerBackend"


def test_without_a_broker_of_its_own_the_site_uses_the_one_in_its_folder(tmp_path):
    found = value("[s.REDIS_URL, s.CELERY_BROKER_URL]", DATA_DIR="/tmp/site", **PRODUCTION)
    assert found == [
        "unix:///tmp/site/valkey/valkey.sock?db=0",
        "redis+socket:///tmp/site/valkey/valkey.sock?virtual_host=0",
    ]


def test_a_long_folder_moves_the_brokers_socket_to_a_short_one(tmp_path):
    found = value("s.REDIS_URL", DATA_DIR=f"/tmp/{'long' * 30}", **PRODUCTION)
    assert "longlong" not in found
    assert len(found) < 120


def test_the_site_must_be_among_its_allowed_hosts(tmp_path):
    done = manage("check", DATA_DIR=str(tmp_path), **PRODUCTION | {"ALLOWED_HOSTS": "other.example"})
    assert done.returncode == 1
    assert "resource_center.E001" in done.stderr
    assert "Add it to ALLOWED_HOSTS" in done.stderr


def test_a_site_that_could_not_mail_is_warned(tmp_path):
    done = manage("check", DATA_DIR=str(tmp_path), **PRODUCTION | {"MAIL_POSTAL_ADDRESS": ""})
    assert done.returncode == 0
    assert "resource_center.W001" in done.stderr
