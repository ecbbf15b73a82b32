"""An SMTP server that takes every mail and lets a test read it, as a mailbox would."""

from __future__ import annotations

import email
import email.policy
import re
import threading
import time
from dataclasses import dataclass
from email.message import EmailMessage

from aiosmtpd.controller import Controller

from tests.live import free_port


@dataclass(frozen=True)
class Mail:
    """One message as it came: the envelope, the bytes, and the bytes read."""

    envelope_from: str
    envelope_to: list[str]
    raw: bytes
    message: EmailMessage

    @property
    def text(self) -> str:
        return self.message.get_body(("plain",)).get_content()

    @property
    def html(self) -> str:
        return self.message.get_body(("html",)).get_content()

    def links(self, part: str) -> list[str]:
        """Every address in the text part that has `part` in it."""
        return [link for link in re.findall(r"https?://[^\s<>\"]+", self.text) if part in link]


class Inbox:
    """Listens on a port of its own and keeps what arrives."""

    def __init__(self) -> None:
        self.mails: list[Mail] = []
        self.arrived = threading.Condition()
        self.controller = Controller(self, hostname="127.0.0.1", port=free_port(), data_size_limit=10_000_000)

    @property
    def url(self) -> str:
        return f"smtp://127.0.0.1:{self.controller.port}"

    def __enter__(self) -> Inbox:
        self.controller.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.controller.stop()

    async def handle_DATA(self, server, session, envelope) -> str:
        message = email.message_from_bytes(envelope.content, policy=email.policy.default)
        with self.arrived:
            self.mails.append(Mail(envelope.mail_from, envelope.rcpt_tos, envelope.content, message))
            self.arrived.notify_all()
        return "250 Taken"

    def sent_to(self, address: str) -> list[Mail]:
        return [mail for mail in self.mails if address in mail.envelope_to]

    def wait_for(self, address: str, count: int = 1, patience: float = 90) -> list[Mail]:
        """Every mail to an address, once there are `count` of them."""
        end = time.monotonic() + patience
        with self.arrived:
            while len(self.sent_to(address)) < count:
                assert self.arrived.wait(end - time.monotonic()), f"waited in vain for mail {count} to {address}"
        return self.sent_to(address)
