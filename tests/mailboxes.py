"""Mail servers that hold a mailbox, as small as they can be: POP3 (RFC 1939) and IMAP (RFC 3501), on loopback.

They keep what was told to them in `log`, delete and mark like the real ones, and can be made to break. The real ones
are in tests/torture/test_mailserver.py.
"""

from __future__ import annotations

import contextlib
import re
import socketserver
import threading

USER, PASSWORD = "bounces", "s3cret:/@"
QUOTED = "bounces:s3cret%3A%2F%40"


class MailboxServer:
    """A server in a thread: `mails` is what it holds; it hangs up before it gives away the mail called `breaks_at`."""

    scheme = ""

    def __init__(self, *mails: bytes, breaks_at: int = 0) -> None:
        self.mails = dict(enumerate(mails, 1))
        self.seen: set[int] = set()
        self.breaks_at = breaks_at
        self.log: list[str] = []
        self.server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), self.handler())
        self.server.daemon_threads = True
        self.url = f"{self.scheme}://{QUOTED}@127.0.0.1:{self.server.server_address[1]}"
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.02})

    def handler(self):
        owner = self

        class Handler(socketserver.StreamRequestHandler):
            def handle(self):
                with contextlib.suppress(ConnectionError):
                    owner.talk(self.rfile, self.wfile)

        return Handler

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_error):
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()


class Pop3Server(MailboxServer):
    scheme = "pop3"

    def talk(self, rfile, wfile):
        def say(*lines):
            wfile.write(b"".join(line.encode() + b"\r\n" for line in lines))

        deleted, user = set(), ""
        say("+OK ready")
        for line in rfile:
            command, *words = line.decode().split()
            self.log.append(" ".join([command, *words]))
            number = int(words[0]) if words and words[0].isdigit() else 0
            if command == "USER":
                user = words[0]
                say("+OK")
            elif command == "PASS":
                say("+OK" if (user, words[0]) == (USER, PASSWORD) else "-ERR [AUTH] no")
            elif command == "LIST":
                say("+OK", *(f"{key} {len(mail)}" for key, mail in sorted(self.mails.items())), ".")
            elif command in ("RETR", "TOP"):
                if number == self.breaks_at:
                    return
                say("+OK")
                lines = self.mails[number].split(b"\n")
                for text in lines[: int(words[1])] if command == "TOP" else lines:
                    wfile.write((b"." + text if text.startswith(b".") else text) + b"\r\n")
                say(".")
            elif command == "DELE":
                deleted.add(number)
                say("+OK")
            elif command == "QUIT":
                for key in deleted:
                    self.mails.pop(key, None)
                say("+OK bye")
                return
            else:
                say("-ERR unknown")


class ImapServer(MailboxServer):
    scheme = "imap"

    def talk(self, rfile, wfile):
        def say(line):
            wfile.write(line.encode() + b"\r\n")

        say("* OK ready")
        for line in rfile:
            tag, command, *words = line.decode().strip().split(" ", 4)
            self.log.append(" ".join([command, *words]))
            if command == "CAPABILITY":
                say("* CAPABILITY IMAP4rev1")
            elif command == "LOGIN":
                password = " ".join(words[1:]).strip('"')
                if (words[0].strip('"'), password) != (USER, PASSWORD):
                    say(f"{tag} NO wrong")
                    continue
            elif command == "SELECT":
                if words[0].strip('"') not in ("INBOX", "Back/Here"):
                    say(f"{tag} NO there is no such folder")
                    continue
                say(f"* {len(self.mails)} EXISTS")
            elif command == "LOGOUT":
                say("* BYE")
                say(f"{tag} OK bye")
                return
            elif command == "UID" and words[0] == "SEARCH":
                say("* SEARCH " + " ".join(str(key) for key in sorted(self.mails.keys() - self.seen)))
            elif command == "UID" and words[0] == "FETCH":
                key = int(words[1])
                if key == self.breaks_at:
                    return
                most = int(re.search(r"<0\.(\d+)>", words[2])[1])
                mail = self.mails[key][:most]
                say(f"* {key} FETCH (UID {key} BODY[]<0> {{{len(mail)}}}")
                wfile.write(mail + b")\r\n")
            elif command == "UID" and words[0] == "STORE":
                assert "\\Seen" in words[2]
                self.seen.add(int(words[1]))
            say(f"{tag} OK done")
