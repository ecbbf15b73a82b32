"""One SMTP connection: pipelined where it can be, and its final dot is held until it is told."""

from __future__ import annotations

import contextlib
import errno
import socket
import ssl
import time
from collections import deque
from collections.abc import Mapping
from functools import lru_cache

from newsletter.smtp.session import Message, Outcome, Reply, Stage

# Patience in seconds: RFC 5321, section 4.5.3.2. A short wait after the final dot makes duplicates (RFC 1047).
FOR_A_COMMAND = 300.0
AFTER_THE_DOT = 600.0

CHUNK = 65536
LONGEST_REPLY = 100_000  # bytes; a server that says more without an end is no mail server


class Connection:
    """An open SMTP connection. One message may be offered while the reply to the last one's dot is awaited."""

    def __init__(self, sock: socket.socket, features: Mapping[str, str]) -> None:
        sock.setblocking(False)
        with contextlib.suppress(OSError):
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.sock: socket.socket | None = sock
        self._encrypted = isinstance(sock, ssl.SSLSocket)
        self.features = features
        self.pipelining = "pipelining" in features
        self.most_bytes = _most_bytes(features.get("size", ""))
        self.broken = False
        self._offered: Message | None = None
        self._body_out = False
        self._refusal: tuple[Stage, Reply] | None = None
        self._commands: deque[tuple[Stage, bytes]] = deque()
        self._awaited: deque[tuple[Stage, Message | None]] = deque()
        self._outgoing: deque[memoryview] = deque()
        self._incoming = b""
        self._lines: list[str] = []
        self._outcomes: list[Outcome] = []
        self._patience_ends = 0.0

    @property
    def room(self) -> bool:
        return self._offered is None and not self.broken

    @property
    def ready(self) -> bool:
        return self._body_out and not self._outgoing and not self.broken

    @property
    def news(self) -> bool:
        return bool(self._outcomes) or self.broken or (isinstance(self.sock, ssl.SSLSocket) and self.sock.pending() > 0)

    @property
    def writing(self) -> bool:
        return bool(self._outgoing) and not self.broken

    def offer(self, message: Message) -> None:
        """Say everything about a message but its final dot.

        Without PIPELINING (RFC 2920) each command waits for the reply to the one before.
        """
        self._take_up(message, self._envelope(message))

    def finish(self, following: Message | None = None) -> bool:
        """Write the final dot of the offered message. False when the socket does not take it now: ask again.

        Args:
            following: is offered at once, if the dot was taken; dot and commands share a packet where they may.
        """
        if not self.ready or self._offered is None:
            return False
        finished, envelope = self._offered, self._envelope(following) if following else b""
        dot = b".\r\n" if finished.data.endswith(b"\r\n") else b"\r\n.\r\n"
        behind = envelope if self.pipelining and not self._encrypted and isinstance(envelope, bytes) else b""
        if not self._send_now(dot + behind):
            return False
        self._await((Stage.DOT, finished))
        self._offered, self._body_out = None, False
        if following:
            self._take_up(following, envelope, said=bool(behind))
        return True

    def hear(self) -> list[Outcome]:
        """Take in what the server said and what the clock says; what has become known about messages."""
        if not self.broken:
            self._read()
            self._write()
            if (self._awaited or self._outgoing) and time.monotonic() > self._patience_ends:
                self._break()
        outcomes, self._outcomes = self._outcomes, []
        return outcomes

    def drop(self) -> None:
        """Break the connection: a message without its final dot has not been taken."""
        self._offered = None
        self._awaited.clear()
        self._break()

    def leave(self) -> None:
        """End the connection politely; call it when nothing is outstanding."""
        if not self.broken:
            self._send_now(b"QUIT\r\n")
        self.drop()

    def _envelope(self, message: Message) -> bytes | Reply:
        """What is said of a message before its body; or why this server can not take it."""
        ascii_only = message.ascii or message.data.isascii()
        ascii_address, size = message.recipient.isascii(), len(message.data)
        if not ascii_address and "smtputf8" not in self.features:
            return Reply(553, "5.6.7 The mail server takes no addresses outside ASCII (SMTPUTF8).")
        if not ascii_only and "8bitmime" not in self.features:
            return Reply(554, "5.6.3 The mail server takes no 8-bit messages (8BITMIME).")
        if size > self.most_bytes:
            return Reply(552, f"5.3.4 The message has {size} bytes, the mail server takes {self.most_bytes}.")
        options = "" if ascii_address else " SMTPUTF8"
        if not ascii_only or options:
            options += " BODY=8BITMIME"
        if "size" in self.features:
            options += f" SIZE={size}"
        return f"MAIL FROM:<{message.sender}>{options}\r\nRCPT TO:<{message.recipient}>\r\nDATA\r\n".encode()

    def _take_up(self, message: Message, envelope: bytes | Reply, said: bool = False) -> None:
        self._body_out, self._refusal = False, None
        if isinstance(envelope, Reply):
            self._outcomes.append(Outcome(message, False, Stage.MAIL, envelope))
            return
        self._offered = message
        if self.pipelining:
            self._await((Stage.MAIL, None), (Stage.RCPT, None), (Stage.DATA, None))
            if not said:
                self._push(envelope)
        else:
            commands = envelope.splitlines(keepends=True)
            self._commands.extend(zip((Stage.MAIL, Stage.RCPT, Stage.DATA), commands, strict=True))
            self._go_on()

    def _go_on(self) -> None:
        """Say the next command, once nothing is awaited."""
        if self._commands and not self._awaited:
            self._say(*self._commands.popleft())

    def _say(self, stage: Stage, command: bytes) -> None:
        self._await((stage, None))
        self._push(command)

    def _await(self, *replies: tuple[Stage, Message | None]) -> None:
        if not self._awaited:
            self._be_patient(replies[0][0])
        self._awaited.extend(replies)

    def _be_patient(self, stage: Stage) -> None:
        self._patience_ends = time.monotonic() + (AFTER_THE_DOT if stage is Stage.DOT else FOR_A_COMMAND)

    def _read(self) -> None:
        while self.sock is not None and not self.broken:
            try:
                data = self.sock.recv(CHUNK)
            except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
                return
            except OSError:
                data = b""
            if not data or len(self._incoming) > LONGEST_REPLY:
                self._break()
                return
            self._take_in(data)
            if len(data) < CHUNK and not self._encrypted:
                return

    def _take_in(self, data: bytes) -> None:
        *lines, self._incoming = (self._incoming + data).split(b"\n")
        answered = False
        for line in lines:
            reply, goes_on = _read_line(line)
            if goes_on:
                self._lines.append(reply.text)
                continue
            if self._lines:
                reply, self._lines = Reply(reply.code, " ".join([*self._lines, reply.text])), []
            self._react(reply)
            answered = True
        if answered and self._awaited:
            self._be_patient(self._awaited[0][0])

    def _react(self, reply: Reply) -> None:
        if self.broken:
            return
        if not self._awaited:
            self._break(reply)
            return
        stage, message = self._awaited.popleft()
        if stage is Stage.DOT:
            self._conclude(message, reply)
        elif stage is not Stage.RSET:
            self._advance(stage, reply)
        if reply.code in (0, 421):
            self._break(reply)
        self._go_on()

    def _conclude(self, message: Message | None, reply: Reply) -> None:
        if message is not None and reply.code:
            self._outcomes.append(Outcome(message, reply.code // 100 == 2, Stage.DOT, reply))
        elif message is not None:
            self._outcomes.append(Outcome(message, None, Stage.DOT, reply))

    def _advance(self, stage: Stage, reply: Reply) -> None:
        """One step further towards the body, or back to the start after a refusal (RFC 5321, section 3.3)."""
        accepted = reply.code == 354 if stage is Stage.DATA else reply.good
        if not accepted and self._refusal is None:
            self._refusal = (stage, reply)
        if self._refusal and (stage is Stage.DATA or not self.pipelining):
            if stage is Stage.DATA and accepted:
                self._say(Stage.DOT, b".\r\n")
            self._give_up(*self._refusal)
        elif stage is Stage.DATA and self._offered is not None:
            self._be_patient(self._awaited[0][0] if self._awaited else stage)
            self._push(self._offered.data if self._offered.dotless else _stuffed(self._offered.data))
            self._body_out = True

    def _give_up(self, stage: Stage, reply: Reply) -> None:
        self._commands.clear()
        self._say(Stage.RSET, b"RSET\r\n")
        if self._offered is not None:
            self._outcomes.append(Outcome(self._offered, False, stage, reply))
        self._offered = None

    def _break(self, reply: Reply | None = None) -> None:
        """The connection is over: what waited for the reply to its dot is uncertain, what had none is not taken."""
        self.broken = True
        for stage, message in self._awaited:
            if stage is Stage.DOT and message is not None:
                self._outcomes.append(Outcome(message, None, stage, reply))
        if self._offered is not None:
            stage, said = self._refusal or (Stage.CONNECT, reply)
            self._outcomes.append(Outcome(self._offered, False, stage, said))
        self._awaited.clear()
        self._commands.clear()
        self._outgoing.clear()
        self._offered, self._body_out = None, False
        if self.sock is not None:
            self.sock.close()
            self.sock = None

    def _push(self, data: bytes) -> None:
        self._outgoing.append(memoryview(data))
        if len(self._outgoing) == 1:
            self._write()

    def _write(self) -> None:
        while self._outgoing and not self.broken:
            sent = self._send(self._outgoing[0])
            if sent is None:
                return
            if sent < len(self._outgoing[0]):
                self._outgoing[0] = self._outgoing[0][sent:]
                self._be_patient(self._awaited[0][0] if self._awaited else Stage.DATA)
            else:
                self._outgoing.popleft()

    def _send_now(self, data: bytes) -> bool:
        """All of these few bytes now, or none of them, so that no dot leaves later than it was allowed."""
        sent = None if self._outgoing else self._send(memoryview(data))
        if sent is not None and sent < len(data):
            self._outgoing.append(memoryview(data)[sent:])
        return sent is not None

    def _send(self, data: memoryview) -> int | None:
        if self.sock is None:
            return None
        try:
            return self.sock.send(data)
        except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
            return None
        except OSError as error:
            if error.errno not in (errno.EPIPE, errno.ECONNRESET, errno.ENOTCONN):
                self._break()
            # What the server said before it hung up is still to be read.
            return None


@lru_cache(maxsize=256)  # a server says the same things over and over
def _read_line(line: bytes) -> tuple[Reply, bool]:
    """One line as a reply, and whether more lines of it follow; the code is 0 where there is none."""
    text = readable(line.rstrip(b"\r"))
    code = int(text[:3]) if text[:3].isascii() and text[:3].isdigit() else 0
    return Reply(code, text[4:]), text[3:4] == "-"


def _most_bytes(size: str) -> float:
    """The size a server declares (RFC 1870); none, or zero, means that it knows no limit."""
    return int(size) if size.isascii() and size.isdigit() and int(size) else float("inf")


def _stuffed(data: bytes) -> bytes:
    """The body as it goes over the wire: a dot that begins a line is doubled (RFC 5321, section 4.5.2)."""
    stuffed = data.replace(b"\r\n.", b"\r\n..") if b"\r\n." in data else data
    return b"." + stuffed if stuffed.startswith(b".") else stuffed


def readable(said: bytes | str) -> str:
    text = said.decode("utf-8", "replace") if isinstance(said, bytes) else said
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() else " " for char in text)
