"""Where mail is handed over: the relays of SMTP_URL, and the greeting each of them gets."""

from __future__ import annotations

import smtplib
import socket
import ssl
from dataclasses import dataclass
from urllib.parse import parse_qsl, unquote, urlsplit

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from newsletter.smtp.connection import Connection, readable
from newsletter.smtp.session import Refused, Reply

TO_CONNECT = 30.0  # seconds
PORTS = {"smtp": 25, "smtp+starttls": 587, "smtps": 465}
LOOPBACK = {"localhost", "127.0.0.1", "::1"}


@dataclass(frozen=True, slots=True)
class Relay:
    """One value of SMTP_URL: where mail is handed over, what share of the connections it gets, and how much it takes.

    `connections` is the most that may be open, from all processes together; `rate` is in messages a minute; with
    `domains` it takes the mail for these alone, and all of it. None and nothing: no limit, no route.
    """

    scheme: str
    host: str
    port: int
    user: str
    password: str
    weight: int
    connections: int | None = None
    rate: int | None = None
    domains: frozenset[str] = frozenset()

    @classmethod
    def parse(cls, url: str) -> Relay:
        """Read `smtp://`, `smtp+starttls://` or `smtps://` with user:password@host:port.

        It may have the parameters weight, connections, rate (numbers) and domains (with commas between them).

        Raises:
            ImproperlyConfigured: it is none of these.
        """
        try:
            parts = urlsplit(url)
            given = dict(parse_qsl(parts.query))
            numbers = {name: int(given[name]) for name in ("weight", "connections", "rate") if name in given}
            port = parts.port or PORTS[parts.scheme]
            if not parts.hostname or any(number < 1 for number in numbers.values()):
                raise ValueError(url)
        except (KeyError, ValueError):
            raise ImproperlyConfigured(
                "SMTP_URL can not be read: write smtp://, smtp+starttls:// or smtps://user:password@host:port?weight=1."
            ) from None
        user, password = unquote(parts.username or ""), unquote(parts.password or "")
        domains = frozenset(filter(None, given.get("domains", "").lower().split(",")))
        return cls(
            *(parts.scheme, parts.hostname, port, user, password),
            weight=numbers.get("weight", 1),
            connections=numbers.get("connections"),
            rate=numbers.get("rate"),
            domains=domains,
        )

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"

    def connect(self) -> Connection:
        """Open a connection and introduce ourselves; blocks, for `TO_CONNECT` seconds at most a step.

        Raises:
            Refused: the relay does not answer, or does not let us in.
        """
        try:
            return Connection(*self._greet())
        except smtplib.SMTPResponseException as error:
            reply = Reply(error.smtp_code, readable(error.smtp_error))
            raise Refused(f"The mail server {self} refused the connection: {reply}", reply) from error
        except smtplib.SMTPServerDisconnected as error:
            raise Refused(f"The mail server {self} hung up while it was greeted.") from error
        except ssl.SSLError as error:
            raise Refused(f"No safe connection to the mail server {self}: {error}") from error
        except smtplib.SMTPException as error:
            raise Refused(f"The mail server {self} can not be used: {error}", Reply(530, str(error))) from error
        except OSError as error:
            raise Refused(f"The mail server {self} does not answer: {error}") from error

    def _greet(self) -> tuple[socket.socket, dict[str, str]]:
        server = self._open()
        try:
            server.ehlo_or_helo_if_needed()
            if self.scheme == "smtp+starttls":
                server.starttls(context=_tls(self.host))
                server.ehlo_or_helo_if_needed()
            if self.user:
                server.login(self.user, self.password)
            if server.sock is None:
                raise smtplib.SMTPServerDisconnected("closed")
        except BaseException:
            server.close()
            raise
        if server.file is not None:
            server.file.close()
        return server.sock, server.esmtp_features

    def _open(self) -> smtplib.SMTP:
        if self.scheme == "smtps":
            return smtplib.SMTP_SSL(self.host, self.port, _own_name(), timeout=TO_CONNECT, context=_tls(self.host))
        return smtplib.SMTP(self.host, self.port, _own_name(), timeout=TO_CONNECT)


def relays() -> tuple[Relay, ...]:
    """The relays of SMTP_URL.

    Raises:
        ImproperlyConfigured: one of them can not be read.
    """
    return tuple(Relay.parse(url) for url in settings.SMTP_URLS)


def _own_name() -> str:
    """The name we greet with; a bare number must stand in brackets (RFC 5321, section 4.1.3)."""
    name = settings.SITE_HOST or "localhost"
    return f"[{name}]" if name.replace(".", "").isdigit() else name


def _tls(host: str) -> ssl.SSLContext:
    context = ssl.create_default_context()
    if host in LOOPBACK:
        # A relay on this machine has a certificate of its own making, and nobody stands in between.
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context
