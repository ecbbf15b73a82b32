"""A mail server that takes everything, keeps a record, and can be told to misbehave.

Inside a test: `with Sink() as sink:`. As a process of its own: `python -m tests.sink --record FILE`, which prints its
port. Every accepted message is one JSON line in the record, written before the reply, so that it counts even when
whoever sent it is killed before reading the reply.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import json
import re
import ssl
import threading
import time
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from pathlib import Path


@dataclass
class Rule:
    """At a stage (greeting, ehlo, mail, rcpt, data, body, dot) do something else than agree.

    `say` answers with these words, which may be a refusal or another way to agree, of many lines; `delay` waits so
    many seconds first; `drop` hangs up instead of answering, at the dot after having taken the message unless it is
    `lost`. It counts for recipients with `to` in them, `times` times at most, or once for `each` of them.
    """

    at: str
    say: str = ""
    delay: float = 0.0
    drop: bool = False
    to: str = ""
    times: int = 10**9
    after: int = 0  # leave so many alone first
    lost: bool = False
    each: bool = False
    met: set[str] = field(default_factory=set)

    @property
    def refuses(self):
        return self.say[:1] in ("4", "5")


@dataclass
class Taken:
    """One message as it was taken, with the envelope around it."""

    sender: str
    recipient: str
    raw: bytes
    connection: int  # its place among those that were greeted
    at: float = field(default_factory=time.time)

    @property
    def message(self):
        return message_from_bytes(self.raw, policy=policy.default)

    @property
    def message_id(self):
        return self.message["Message-ID"]


class Sink:
    """Listens on a port of its own, in a thread of its own."""

    def __init__(
        self,
        *rules: Rule,
        features=("PIPELINING", "8BITMIME", "SMTPUTF8", "SIZE 10000000"),
        record=None,
        delay=0.0,
        account=None,
        certificate=None,
        implicit_tls=False,
        most_connections=10**6,
        keep=True,
        port=0,
        trickle=False,  # every byte of a reply comes by itself
        lax=False,  # a message ends at a dot between any line ends
        auth="AUTH PLAIN",
        auth_answer="",
        broken_tls=False,  # what follows STARTTLS is no handshake
    ):
        self.rules = list(rules)
        self.features = list(features)
        self.record = Path(record) if record else None
        self.delay = delay
        self.account = account
        self.context = None
        self.implicit_tls = implicit_tls
        self.most_connections = most_connections
        self.keep = keep
        self.trickle, self.lax, self.auth, self.auth_answer = trickle, lax, auth, auth_answer
        self.broken_tls = broken_tls
        if certificate:
            self.context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
            self.context.load_cert_chain(*certificate)
        self.taken: list[Taken] = []
        self.commands: list[str] = []
        self.open = self.most_open = self.greeted = 0
        self.loop = asyncio.new_event_loop()
        self.port = port

    def __enter__(self) -> Sink:
        started = threading.Event()
        self.thread = threading.Thread(target=self.run, args=(started,), daemon=True)
        self.thread.start()
        assert started.wait(10)
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        if not self.loop.is_closed():
            self.loop.call_soon_threadsafe(self.stopping.set)
            self.thread.join(10)

    def run(self, started=None):
        asyncio.set_event_loop(self.loop)
        self.loop.run_until_complete(self.serve(started))
        self.loop.close()

    async def serve(self, started):
        self.stopping = asyncio.Event()
        self.writers = set()
        server = await asyncio.start_server(
            self.talk, "127.0.0.1", self.port, limit=2**20, ssl=self.context if self.implicit_tls else None
        )
        self.port = server.sockets[0].getsockname()[1]
        if started:
            started.set()
        else:
            print(self.port, flush=True)
        await self.stopping.wait()
        server.close()
        for writer in list(self.writers):
            writer.transport.abort()
        for task in asyncio.all_tasks() - {asyncio.current_task()}:
            task.cancel()
        await asyncio.sleep(0)

    @property
    def url(self):
        return f"smtp://127.0.0.1:{self.port}"

    def to(self, address):
        return [taken for taken in self.taken if taken.recipient == address]

    @property
    def recipients(self):
        return sorted(taken.recipient for taken in self.taken)

    async def talk(self, reader, writer):
        self.open += 1
        self.most_open = max(self.open, self.most_open)
        self.writers.add(writer)
        try:
            await Talk(self, reader, writer).run()
        except (ConnectionError, asyncio.IncompleteReadError, HangUp):
            pass
        finally:
            self.open -= 1
            self.writers.discard(writer)
            writer.transport.abort()

    def rule(self, stage, recipient=""):
        for rule in self.rules:
            if rule.at == stage and rule.to in recipient and rule.times > 0:
                if rule.each and recipient in rule.met:
                    continue
                rule.met.add(recipient)
                if rule.after > 0:
                    rule.after -= 1
                    continue
                rule.times -= 1
                return rule
        return None

    def take(self, taken):
        if self.keep:
            self.taken.append(taken)
        if self.record:
            message = taken.message
            line = {"to": taken.recipient, "from": taken.sender, "id": message["Message-ID"], "at": taken.at}
            line["subject"] = message["Subject"]
            with self.record.open("a") as file:
                file.write(json.dumps(line) + "\n")


class HangUp(Exception):
    """The sink ends this connection."""


class Talk:
    """One connection."""

    def __init__(self, sink, reader, writer):
        self.sink, self.reader, self.writer = sink, reader, writer
        self.sender = self.recipient = None
        self.trusted = sink.account is None
        self.pipelined = "PIPELINING" in sink.features

    async def run(self):
        if self.sink.open > self.sink.most_connections:
            await self.say("421 4.7.0 Too many connections")
            return
        if not await self.step("greeting", "220 sink.example ESMTP"):
            return
        self.sink.greeted += 1
        self.number = self.sink.greeted
        while line := await self.reader.readline():
            command = line.decode(errors="replace").strip()
            self.sink.commands.append(command)
            verb = command.split(" ")[0].split(":")[0].upper()
            if verb == "QUIT":
                await self.say("221 Bye")
                return
            await getattr(self, f"on_{verb.lower()}", self.on_other)(command)

    async def on_ehlo(self, _command):
        lines = ["sink.example", *self.sink.features]
        if (self.sink.context and not self.sink.implicit_tls) or self.sink.broken_tls:
            lines.append("STARTTLS")
        if self.sink.account and self.sink.auth:
            lines.append(self.sink.auth)
        answer = "".join(f"250{'-' if n < len(lines) - 1 else ' '}{line}\r\n" for n, line in enumerate(lines))
        await self.step("ehlo", answer.rstrip())

    async def on_helo(self, _command):
        await self.say("250 sink.example")

    async def on_starttls(self, _command):
        await self.say("220 Go ahead")
        if self.sink.broken_tls:
            await self.say("I know no TLS")
            raise HangUp
        await self.writer.start_tls(self.sink.context)

    async def on_auth(self, command):
        _empty, user, password = base64.b64decode(command.split(" ")[2]).decode().split("\0")
        if self.sink.auth_answer:
            await self.say(self.sink.auth_answer)
            return
        self.trusted = (user, password) == self.sink.account
        await self.say("235 2.7.0 Welcome" if self.trusted else "535 5.7.8 Wrong user name or password")

    async def on_mail(self, command):
        if not self.trusted:
            await self.say("530 5.7.0 Authentication required")
        elif self.sender is not None:
            await self.say("503 5.5.1 Sender already specified")
        elif await self.step("mail", "250 2.1.0 Sender ok"):
            self.sender = command.partition("<")[2].partition(">")[0]

    async def on_rcpt(self, command):
        recipient = command.partition("<")[2].partition(">")[0]
        if self.sender is None:
            await self.say("503 5.5.1 MAIL first")
        elif await self.step("rcpt", "250 2.1.5 Recipient ok", recipient):
            self.recipient = recipient

    async def on_data(self, _command):
        if self.recipient is None:
            await self.say("503 5.5.1 RCPT first")
            return
        if not await self.step("data", "354 Go on", self.recipient):
            return
        if self.sink.rule("body", self.recipient):
            await self.reader.read(1000)
            raise HangUp
        raw = await self.body()
        taken = Taken(self.sender, self.recipient, raw, self.number)
        self.sender = self.recipient = None
        await self.answer_dot(taken)

    async def body(self):
        if self.sink.lax:
            return await self.lax_body()
        lines = []
        while (line := await self.reader.readuntil(b"\r\n")) != b".\r\n":
            lines.append(line[1:] if line.startswith(b".") else line)
        return b"".join(lines)

    async def lax_body(self):
        """As servers read that take CR or LF alone for a line end (SMTP smuggling)."""
        raw = b""
        while not (end := re.search(rb"[\r\n]\.(\r\n|\n|\r[^\n])$", raw[-4:])):
            raw += await self.reader.readexactly(1)
        return raw[: -len(end[0]) + 1].replace(b"\r\n..", b"\r\n.")

    async def answer_dot(self, taken):
        await asyncio.sleep(self.sink.delay)
        rule = self.sink.rule("dot", taken.recipient)
        if rule is None or not (rule.refuses or rule.lost):
            self.sink.take(taken)
        if rule:
            await asyncio.sleep(rule.delay)
            if rule.drop:
                raise HangUp
        await self.say(rule.say if rule and rule.say else "250 2.0.0 Taken")

    async def on_rset(self, _command):
        self.sender = self.recipient = None
        await self.say("250 2.0.0 Forgotten")

    async def on_other(self, _command):
        await self.say("502 5.5.2 Not known here")

    async def step(self, stage, good, recipient=""):
        """Agree, unless a rule says otherwise. Whether it was agreed to."""
        rule = self.sink.rule(stage, recipient)
        if rule is None:
            await self.say(good)
            return True
        await asyncio.sleep(rule.delay)
        if rule.drop:
            raise HangUp
        await self.say(rule.say or good)
        return not rule.refuses

    async def say(self, words):
        if not self.pipelined:
            await asyncio.sleep(0.002)
            if self.reader._buffer:  # RFC 2920: who was not offered PIPELINING waits for each reply
                self.pipelined, words = True, "421 5.5.0 Wait until you have been answered"
        data = words.encode() + b"\r\n"
        for piece in (data[n : n + 1] for n in range(len(data))) if self.sink.trickle else [data]:
            self.writer.write(piece)
            await self.writer.drain()
            if self.sink.trickle:
                await asyncio.sleep(0)
        if words.startswith("421"):
            raise HangUp


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--record", required=True)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--delay", type=float, default=0.0, help="seconds before every reply to a final dot")
    options = parser.parse_args()
    Sink(record=options.record, delay=options.delay, keep=False, port=options.port).run()


if __name__ == "__main__":
    main()
