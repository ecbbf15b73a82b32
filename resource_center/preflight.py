"""The door: every setting with its default and its rule, checked before anything is installed.

Standard library only, so that it runs on a bare Python: `python3 resource_center/preflight.py demo`.
settings.py reads its values through here, so each rule is written once.
"""

from __future__ import annotations

import datetime
import difflib
import errno
import ipaddress
import os
import re
import socket
import sys
import tempfile
import zoneinfo
from email.utils import parseaddr
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import SplitResult, parse_qsl, urlsplit

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

BASE_DIR = Path(__file__).resolve().parent.parent
OLDEST_PYTHON = (3, 11)
STARTED_AS = "RESOURCE_CENTER_STARTED_AS"  # `demo` or `run`: what start.py tells its children; nobody else sets it
TRUE = {"1", "true", "yes", "on"}
FALSE = {"0", "false", "no", "off"}
HOST = re.compile(r"\.?[A-Za-z0-9_]([A-Za-z0-9_.-]*[A-Za-z0-9_])?|\*|\[[0-9A-Fa-f:.]+\]")
DOMAIN = re.compile(r"(?!-)[A-Za-z0-9-]{1,63}(\.[A-Za-z0-9-]{1,63})+")
RELAY_NUMBERS = {"weight": "the weight", "connections": "the number of connections", "rate": "the rate"}
LIMIT = re.compile(r"([a-z0-9-]+(?:\.[a-z0-9-]+)+)=(?:([1-9][0-9]*)/min(?:,([1-9][0-9]*))?|([1-9][0-9]*))")
WARM_UP = re.compile(r"(\d{4}-\d{2}-\d{2})(?::((?:first|days)=\d{1,7}(?:,(?:first|days)=\d{1,7})?))?")
WARM = 200_000  # messages a day at the end of a warm-up
LOG_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")
# The languages that Django knows by name and speaks; settings.py takes their names from it.
KNOWN_LANGUAGES = (
    "af ar ar-dz ast az be bg bn br bs ca ckb cs cy da de dsb el en en-au en-gb eo es es-ar es-co es-mx es-ni es-ve et "
    "eu fa fi fr fy ga gd gl he hi hr hsb hu hy ia id ig io is it ja ka kab kk km kn ko ky lb lt lv mk ml mn mr ms my "
    "nb ne nl nn os pa pl pt pt-br ro ru sk sl sq sr sr-latn sv sw ta te tg th tk tr tt udm ug uk ur uz vi zh-hans "
    "zh-hant"
)
LINE = re.compile(r"(?:export\s+)?([A-Za-z_][A-Za-z0-9_]*)\s*=\s*(.*)")


class BrokenSetting(Exception):
    """One or more settings can not work; the message has one line for each."""


# --- Rules: each takes a value that is not empty and says what is wrong with it, or nothing.


def anything(_value: str) -> str:
    return ""


def truth(value: str) -> str:
    return "" if value.lower() in TRUE | FALSE else f"is {value!r}: it must be on or off"


def port(value: str) -> str:
    fine = value.isascii() and value.isdigit() and 1 <= int(value) <= 65535
    return "" if fine else f"is {value!r}: it must be a whole number from 1 to 65535"


def ip_address(value: str) -> str:
    try:
        ipaddress.ip_address(value)
    except ValueError:
        return f"is {value!r}: it must be an IP address of this machine, such as 127.0.0.1 or 0.0.0.0"
    return ""


def networks(value: str) -> str:
    for word in words(value):
        try:
            ipaddress.ip_network(word)
        except ValueError as error:
            return f"names {word!r}, which is no network such as 10.0.0.0/8 ({error})"
    return ""


def hosts(value: str) -> str:
    wrong = [word for word in words(value) if not HOST.fullmatch(word)]
    return f"names {wrong[0]!r}: write host names alone, such as www.example.org" if wrong else ""


def origin(value: str) -> str:
    parts = split(value.rstrip("/"))
    if parts is None or parts.scheme not in {"http", "https"} or not HOST.fullmatch(bracketed(parts.hostname or "")):
        return f"is {value!r}: it must be http:// or https:// with a host, such as https://www.example.org"
    if parts.path or parts.query or parts.fragment or parts.username is not None:
        return f"is {value!r}: it must be scheme and host alone, such as https://www.example.org"
    return ""


def origins(value: str) -> str:
    return next((complaint for word in words(value) if (complaint := origin(word))), "")


def database_url(value: str) -> str:
    parts = split(value)
    if parts is None or parts.scheme not in {"postgres", "postgresql", "sqlite"}:
        return "must begin with postgres:// (or sqlite:///) and hold a valid port"
    if not parts.path.strip("/"):
        return "names no database: postgres://user:password@host:5432/NAME"
    return ""


def redis_url(value: str) -> str:
    parts = split(value)
    if parts is None or parts.scheme not in {"redis", "rediss", "unix"}:
        return "must begin with redis://, rediss:// or unix:// and hold a valid port"
    if parts.scheme == "unix":
        return "" if parts.path.startswith("/") else "must hold an absolute path: unix:///run/redis.sock?db=0"
    if not parts.hostname:
        return "names no host: redis://host:6379/0"
    number = parts.path.strip("/")
    return "" if not number or number.isdigit() else f"ends in {number!r}: the database must be a number"


def smtp_urls(value: str) -> str:
    wrong = next((complaint for word in value.split() if (complaint := smtp_url(word))), "")
    if not wrong and all("domains=" in urlsplit(word).query for word in value.split()):
        return "has ?domains= at every relay: one must be there for all other domains"
    return wrong


def smtp_url(value: str) -> str:
    parts = split(value)
    if parts is None or parts.scheme not in {"smtp", "smtp+starttls", "smtps"} or not parts.hostname:
        return "must be smtp://, smtp+starttls:// or smtps:// with user:password@host:port (special characters as %XX)"
    for name, given in parse_qsl(parts.query, keep_blank_values=True):
        if name not in {*RELAY_NUMBERS, "domains"}:
            return f"has the parameter {name!r}: only weight, connections, rate and domains are known"
        if name in RELAY_NUMBERS and not counts(given):
            return f"has {RELAY_NUMBERS[name]} {given!r}: it must be a whole number from 1"
        if name == "domains" and not all(DOMAIN.fullmatch(word) for word in given.split(",")):
            return f"has the domains {given!r}: write them as school.edu,district.org"
    return ""


def provider(value: str) -> str:
    return "" if value in PROVIDERS else f"is {value!r}: it must be one of {', '.join(PROVIDERS)}"


def credentials(value: str) -> str:
    wrong = [word for word in words(value) if not re.fullmatch(r"[^:]+:.+", word)]
    return "must be of the form user:password" if wrong else ""


def http_url(value: str) -> str:
    parts = split(value)
    fine = parts is not None and parts.scheme in {"http", "https"} and parts.hostname
    return "" if fine else f"is {value!r}: it must begin with http:// or https:// and name a host"


def counts(text: str) -> bool:
    return text.isascii() and text.isdigit() and int(text) > 0


def domain_limits(value: str) -> str:
    wrong = [word for word in value.split() if not LIMIT.fullmatch(word.lower())]
    if wrong:
        return f"names {wrong[0]!r}: write gmail.com=60/min,4 (messages a minute, connections; one may be missing)"
    return ""


def warm_up(value: str) -> str:
    match = WARM_UP.fullmatch(value)
    try:
        start = datetime.date.fromisoformat(match[1]) if match else None
    except ValueError:
        start = None
    options = dict(re.findall(r"(\w+)=(\d+)", value))
    if match is None or start is None or len(options) < value.count("="):
        return f"is {value!r}: it must be a date, such as 2026-11-26 or 2026-11-26:first=200,days=42"
    if not 1 <= int(options.get("first", 200)) < WARM:
        return f"begins with {options['first']} messages a day: it must be from 1 to {WARM - 1:,}"
    if not 2 <= int(options.get("days", 42)) <= 366:
        return f"takes {options['days']} days: it must be from 2 to 366"
    return ""


def key_file(value: str) -> str:
    path = BASE_DIR / value
    try:
        found = path.read_text(encoding="ascii")
    except (OSError, ValueError) as error:
        return f"can not be read: {getattr(error, 'strerror', None) or 'it is no PEM file'} ({path})"
    if not re.search(r"-----BEGIN (RSA )?PRIVATE KEY-----\s[^-]+-----END (RSA )?PRIVATE KEY-----", found):
        return f"holds no RSA private key without a password, in PEM ({path})"
    return ""


def selector(value: str) -> str:
    return "" if DOMAIN.fullmatch(f"{value}.example") else f"is {value!r}: it must be a name such as news2026"


def address(value: str) -> str:
    mailbox = parseaddr(value)[1]
    local, _, domain = mailbox.rpartition("@")
    fine = local.isascii() and local and HOST.fullmatch(domain) and not re.search(r"[\r\n]", value)
    return "" if fine else f"is {value!r}: it must be a mail address such as News <news@example.org>"


def domain(value: str) -> str:
    return "" if HOST.fullmatch(value) and "@" not in value else f"is {value!r}: it must be a domain"


def bounce_mailbox_url(value: str) -> str:
    parts = split(value)
    if parts is None or parts.scheme not in {"pop3", "pop3s", "imap", "imaps"} or not parts.hostname:
        return "must be pop3://, pop3s://, imap:// or imaps:// with user:password@host:port (special characters as %XX)"
    if not parts.username or parts.password is None:
        return "names no user and password: pop3s://user:password@host"
    return "has parameters, but none is known" if parts.query or parts.fragment else ""


def uncertain(value: str) -> str:
    return "" if value in {"resend", "hold"} else f"is {value!r}: it must be resend or hold"


def languages(value: str) -> str:
    codes = read_languages(value)
    known = KNOWN_LANGUAGES.split()
    unknown = next((code for code in codes if code not in known), "")
    if unknown:
        near = difflib.get_close_matches(unknown.replace("_", "-"), known, n=1)
        return f"names {unknown!r}: write codes such as en, es or pt-br" + (
            f" (did you mean {near[0]}?)" if near else ""
        )
    twice = next((code for code in codes if codes.count(code) > 1), "")
    if twice:
        return f"names {twice!r} twice"
    return "" if codes else "names no language: write codes such as en es, the first one first"


def time_zone(value: str) -> str:
    known = zoneinfo.available_timezones()
    if not known or value in known:  # A bare machine may know none: then Django says so later.
        return ""
    return f"is {value!r}: it must be a time zone such as America/New_York"


def seconds(value: str) -> str:
    fine = counts(value) and int(value) >= 5
    return "" if fine else f"is {value!r}: it must be a whole number of seconds from 5"


def log_format(value: str) -> str:
    return "" if value.lower() in {"plain", "json"} else f"is {value!r}: it must be plain or json"


def log_level(value: str) -> str:
    return "" if value.upper() in LOG_LEVELS else f"is {value!r}: it must be one of {', '.join(LOG_LEVELS)}"


def not_yet(instead: str) -> Callable[[str], str]:
    return lambda _value: f"is set, but this version can not use it yet: unset it; {instead}"


class Setting(NamedTuple):
    """A name of the environment: what it is when not set, and what is wrong with a value."""

    default: str
    complaint: Callable[[str], str]


SETTINGS: dict[str, Setting] = {
    "SECRET_KEY": Setting("", anything),
    "SECRET_KEY_FALLBACKS": Setting("", anything),
    "DEBUG": Setting("off", truth),
    "BIND": Setting("127.0.0.1", ip_address),
    "PORT": Setting("8000", port),
    "DATA_DIR": Setting("var", anything),
    "SITE_URL": Setting("", origin),
    "ALLOWED_HOSTS": Setting("", hosts),
    "TRUSTED_PROXIES": Setting("127.0.0.0/8 ::1/128", networks),
    "LANGUAGES": Setting("en es", languages),
    "EMBED_ORIGINS": Setting("", origins),
    "DATABASE_URL": Setting("", database_url),
    "REDIS_URL": Setting("", redis_url),
    "SMTP_URL": Setting("", smtp_urls),
    "ESP": Setting("", provider),
    "ANYMAIL_WEBHOOK_SECRET": Setting("", credentials),
    "MAIL_FROM": Setting("", address),
    "MAIL_REPLY_TO": Setting("", address),
    "MAIL_POSTAL_ADDRESS": Setting("", anything),
    "BOUNCE_DOMAIN": Setting("", domain),
    "BOUNCE_MAILBOX_URL": Setting("", bounce_mailbox_url),
    "UNCERTAIN_DELIVERIES": Setting("resend", uncertain),
    "DOMAIN_LIMITS": Setting("", domain_limits),
    "MAIL_WARM_UP": Setting("", warm_up),
    "DKIM_KEY_FILE": Setting("", key_file),
    "DKIM_SELECTOR": Setting("", selector),
    "DKIM_DOMAIN": Setting("", domain),
    "TIME_ZONE": Setting("America/New_York", time_zone),
    "HEARTBEAT_TIMEOUT": Setting("90", seconds),
    "LOG_FORMAT": Setting("plain", log_format),
    "LOG_LEVEL": Setting("INFO", log_level),
    "ACCESS_LOG": Setting("", not_yet("the proxy in front of the site can keep one.")),
    "MEDIA_BUCKET_URL": Setting("", not_yet("media are kept in DATA_DIR.")),
    "SEARCH_URL": Setting("", not_yet("the database searches.")),
    "SENTRY_DSN": Setting("", not_yet("errors are written to the log.")),
}


class Provider(NamedTuple):
    """The keys of one value of ESP, by the names that django-anymail gives them."""

    needs: tuple[str, ...]
    takes: tuple[str, ...] = ()

    @property
    def keys(self) -> tuple[str, ...]:
        return self.needs + self.takes


# Not needed on a machine of Amazon's that has a role of its own.
AWS_CREDENTIALS = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")
PROVIDERS: dict[str, Provider] = {
    "amazon_ses": Provider(
        ("AWS_DEFAULT_REGION",),
        (*AWS_CREDENTIALS, "AMAZON_SES_CONFIGURATION_SET_NAME"),
    ),
    "brevo": Provider(("BREVO_API_KEY",), ("BREVO_API_URL",)),
    "mailersend": Provider(("MAILERSEND_API_TOKEN",), ("MAILERSEND_API_URL", "MAILERSEND_SIGNING_SECRET")),
    "mailgun": Provider(
        ("MAILGUN_API_KEY",), ("MAILGUN_API_URL", "MAILGUN_SENDER_DOMAIN", "MAILGUN_WEBHOOK_SIGNING_KEY")
    ),
    "mailjet": Provider(("MAILJET_API_KEY", "MAILJET_SECRET_KEY"), ("MAILJET_API_URL",)),
    "mailtrap": Provider(
        ("MAILTRAP_API_TOKEN",), ("MAILTRAP_API_URL", "MAILTRAP_SANDBOX_ID", "MAILTRAP_TRACKING_SECRET")
    ),
    "mandrill": Provider(("MANDRILL_API_KEY",), ("MANDRILL_API_URL", "MANDRILL_WEBHOOK_KEY", "MANDRILL_WEBHOOK_URL")),
    "postal": Provider(("POSTAL_API_KEY", "POSTAL_API_URL"), ("POSTAL_WEBHOOK_KEY",)),
    "postmark": Provider(("POSTMARK_SERVER_TOKEN",), ("POSTMARK_API_URL", "POSTMARK_MESSAGE_STREAM")),
    "resend": Provider(("RESEND_API_KEY",), ("RESEND_API_URL", "RESEND_SIGNING_SECRET")),
    "sendgrid": Provider(("SENDGRID_API_KEY",), ("SENDGRID_API_URL", "SENDGRID_TRACKING_WEBHOOK_VERIFICATION_KEY")),
    "sparkpost": Provider(("SPARKPOST_API_KEY",), ("SPARKPOST_API_URL", "SPARKPOST_SUBACCOUNT")),
    "unisender_go": Provider(("UNISENDER_GO_API_KEY", "UNISENDER_GO_API_URL")),
}
SETTINGS |= {
    key: Setting("", http_url if key.endswith("_URL") else anything)
    for names in PROVIDERS.values()
    for key in names.keys
}


# --- Reading


def split(url: str) -> SplitResult | None:
    """The parts of a URL; None when its host or port can not be read."""
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        return None
    return parts


def words(value: str) -> list[str]:
    """The words of a list, parted by commas or spaces."""
    return [word for word in re.split(r"[,\s]+", value) if word]


def bracketed(host: str) -> str:
    """A host as it stands in a URL: IPv6 addresses in brackets."""
    return f"[{host}]" if ":" in host else host


def unquoted(text: str) -> str:
    """A value of a settings file without its quotes, or without the comment behind it.

    Raises:
        ValueError: the closing quote is missing, or something follows it.
    """
    if text[:1] not in {"'", '"'}:
        return re.split(r"\s#", f" {text}", maxsplit=1)[0].strip()
    value, closed, rest = text[1:].partition(text[0])
    if not closed or (rest.strip() and not rest.strip().startswith("#")):
        raise ValueError("the closing quote is missing")
    return value


def read_file(path: Path) -> dict[str, str]:
    """The settings of a file of NAME=value lines; none when there is no such file.

    Raises:
        BrokenSetting: a line can not be read, or names a setting that does not exist.
    """
    if not path.is_file():
        return {}
    found: dict[str, str] = {}
    for number, line in enumerate(path.read_text(encoding="utf-8", errors="replace").splitlines(), 1):
        text = line.strip()
        if not text or text.startswith("#"):
            continue
        match = LINE.fullmatch(text)
        if not match:
            raise BrokenSetting(
                f"{path.name}, line {number}: {text.split('=')[0][:40]!r} is not of the form NAME=value."
            )
        name = match[1]
        if name not in SETTINGS:
            near = difflib.get_close_matches(name, SETTINGS, n=1)
            hint = f" Did you mean {near[0]}?" if near else ""
            raise BrokenSetting(f"{path.name}, line {number}: {name} is no setting.{hint}")
        try:
            found[name] = unquoted(match[2])
        except ValueError as error:
            raise BrokenSetting(f"{path.name}, line {number}: {name} can not be read, {error}.") from error
    return found


def given() -> dict[str, str]:
    """What the environment sets, and below it `.env`."""
    named = {name: value for name, value in os.environ.items() if name in SETTINGS}
    return read_file(BASE_DIR / ".env") | named


def kept(data_dir: Path) -> dict[str, str]:
    """What `make demo` keeps in the data folder: its key, its addresses, its mail identity."""
    return read_file(data_dir / "demo.env")


def read_languages(value: str) -> list[str]:
    """LANGUAGES as codes in small letters."""
    return words(value.lower())


class DomainLimit(NamedTuple):
    """The most a domain takes from us; None where there is no such limit."""

    rate: int | None  # messages a minute
    connections: int | None


def read_domain_limits(value: str) -> dict[str, DomainLimit]:
    """DOMAIN_LIMITS by domain; the value has passed its rule."""
    found = {}
    for match in filter(None, map(LIMIT.fullmatch, value.lower().split())):
        name, rate, with_rate, alone = match.groups()
        connections = with_rate or alone
        found[name] = DomainLimit(int(rate) if rate else None, int(connections) if connections else None)
    return found


class WarmUp(NamedTuple):
    """When the volume begins to grow, with how many messages a day, and for how many days."""

    start: datetime.date
    first: int = 200
    days: int = 42
    last: int = WARM


def read_warm_up(value: str) -> WarmUp | None:
    """MAIL_WARM_UP; the value has passed its rule."""
    if not value:
        return None
    start, _colon, options = value.partition(":")
    numbers = {name: int(number) for name, number in re.findall(r"(\w+)=(\d+)", options)}
    return WarmUp(datetime.date.fromisoformat(start), **numbers)


def data_dir(values: Mapping[str, str]) -> Path:
    """The folder of database, media, broker, keys and mail; a relative one is meant from the checkout."""
    return BASE_DIR / (values.get("DATA_DIR") or SETTINGS["DATA_DIR"].default)


def site_url(values: Mapping[str, str]) -> str:
    """Scheme and host of every absolute link."""
    return values["SITE_URL"].rstrip("/") or f"http://{bracketed(values['BIND'])}:{values['PORT']}"


def completed(values: Mapping[str, str]) -> dict[str, str]:
    """The values with every gap filled by the default; set but empty counts as a gap."""
    return {name: values.get(name, "").strip() or setting.default for name, setting in SETTINGS.items()}


def complaints(values: Mapping[str, str]) -> list[str]:
    """One line for every value that can not work."""
    found = []
    if "SECRET_KEY" in values and not values["SECRET_KEY"].strip():
        found.append("SECRET_KEY is set but empty: give it a long random value, or unset it for `make demo`.")
    for name, setting in SETTINGS.items():
        value = values.get(name, "").strip()
        if value and (complaint := setting.complaint(value)):
            found.append(f"{name} {complaint.rstrip('.')}.")
    return found + clashes(values)


def clashes(values: Mapping[str, str]) -> list[str]:
    """One line for every setting that another one needs, or can not stand beside it."""
    esp, smtp = (values.get(name, "").strip() for name in ("ESP", "SMTP_URL"))
    if esp and smtp:
        return ["ESP and SMTP_URL are both set, but mail leaves one way only: unset one of them."]
    needed = PROVIDERS[esp].needs if esp in PROVIDERS else ()
    missing = [f"{key} is missing: ESP={esp} needs it." for key in needed if not values.get(key, "").strip()]
    signing = values.get("DKIM_KEY_FILE", "").strip()
    if signing and not key_file(signing) and not values.get("DKIM_SELECTOR", "").strip():
        missing.append("DKIM_SELECTOR is missing: DKIM_KEY_FILE needs the name its public key has in the DNS.")
    return missing


def environment() -> dict[str, str]:
    """Every setting's value: the environment, else `.env`, else what `make demo` kept, else the default.

    Raises:
        BrokenSetting: with one line for each value that can not work.
    """
    values = given()
    values = kept(data_dir(values)) | values
    if broken := complaints(values):
        raise BrokenSetting("\n".join(broken))
    return completed(values)


# --- The machine


def old_python() -> str:
    if sys.version_info >= OLDEST_PYTHON:
        return ""
    return "Python {}.{} is too old: 3.11 or newer is needed (PYTHON=/path/to/python3.11 names another).".format(
        *sys.version_info[:2]
    )


def unwritable(folder: Path) -> str:
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=folder).close()
    except OSError as error:
        return f"DATA_DIR can not be used: nothing can be written to {folder} ({error.strerror})."
    return ""


def unbindable(bind: str, number: int) -> str:
    family = socket.AF_INET6 if ":" in bind else socket.AF_INET
    with socket.socket(family) as door:
        door.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            door.bind((bind, number))
            door.listen()
        except OSError as error:
            return {
                errno.EADDRINUSE: f"Port {number} is taken by another program: stop it or set PORT.",
                errno.EADDRNOTAVAIL: f"BIND is {bind!r}: this machine has no such address.",
                errno.EACCES: f"PORT is {number}: this account may not use it; choose one from 1024 on.",
            }.get(error.errno or 0, f"BIND {bind} and PORT {number} can not be used ({error.strerror}).")
    return ""


def troubles(target: str) -> list[str]:
    """Everything that would stop `make TARGET`, one line each."""
    if old := old_python():
        return [old]
    if target == "test":
        return []
    try:
        values = given()
        earlier = kept(data_dir(values)) if target == "demo" else {}
    except BrokenSetting as error:
        return str(error).splitlines()
    found = complaints(values) + complaints(earlier)
    if target == "run" and "SECRET_KEY" not in values:
        found.append("SECRET_KEY is missing: set it to a long random value, the same at every start.")
    if found:
        return found
    full = completed(values)
    return [line for line in (unwritable(data_dir(full)), unbindable(full["BIND"], int(full["PORT"]))) if line]


if __name__ == "__main__":
    sys.exit("\n".join(troubles(sys.argv[1])) or None)
