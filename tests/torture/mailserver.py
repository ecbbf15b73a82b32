"""A real Postfix and a real Dovecot of our own: configuration, queue and mail in one folder, on loopback alone.

They need the Debian packages postfix, dovecot-pop3d and, for IMAP, dovecot-imapd, and to be root, since they change
to accounts of their own. Nothing of the machine's own mail system is touched.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import subprocess
import tempfile
import time
from pathlib import Path
from types import TracebackType

DOVECOT = Path("/usr/lib/dovecot")
PATIENCE = 30  # seconds
PASSWORD = "only-on-loopback"

MAIN = """
compatibility_level = 3.6
queue_directory = {folder}/spool
data_directory = {folder}/data
mail_owner = postfix
setgid_group = postdrop
maillog_file = {folder}/log/postfix.log
maillog_file_prefixes = {folder}
myhostname = mx.test
mydestination =
alias_maps =
local_recipient_maps =
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
mynetworks = 127.0.0.0/8
recipient_delimiter = +
virtual_mailbox_domains = school.test, bounces.test
virtual_mailbox_base = {folder}/mail
virtual_mailbox_maps = texthash:{folder}/etc/mailboxes
virtual_uid_maps = static:65534
virtual_gid_maps = static:65534
transport_maps = texthash:{folder}/etc/transport
# Whoever has no mailbox is found out after the mail was taken: so a report comes back.
smtpd_reject_unlisted_recipient = no
smtpd_client_connection_count_limit = 0
smtpd_peername_lookup = no
smtp_host_lookup = native
"""
MASTER = """
127.0.0.1:{port} inet n - n - - smtpd
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
flush unix n - n 1000? 0 flush
proxymap unix - - n - - proxymap
proxywrite unix - - n - 1 proxymap
smtp unix - - n - - smtp
error unix - - n - - error
retry unix - - n - - error
discard unix - - n - - discard
local unix - n n - - local
virtual unix - n n - - virtual
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
postlog unix-dgram n - n - 1 postlogd
"""
MAILBOX = """
protocols = {protocols}
listen = 127.0.0.1
base_dir = {folder}/run
state_dir = {folder}/run
log_path = {folder}/log/dovecot.log
ssl = no
disable_plaintext_auth = no
first_valid_uid = 100
default_internal_user = dovecot
default_login_user = dovenull
mail_location = maildir:{folder}/mail/bounces
passdb {{
  driver = static
  args = password={password}
}}
userdb {{
  driver = static
  args = uid=65534 gid=65534 home={folder}/mail
}}
"""
LISTENER = """
service {protocol}-login {{
  chroot =
  inet_listener {protocol} {{
    port = {port}
  }}
  inet_listener {protocol}s {{
    port = 0
  }}
}}
"""


def missing() -> str:
    """What this machine lacks for it, in one line; empty when nothing."""
    if os.geteuid() != 0:
        return "Postfix and Dovecot: they need root to start"
    absent = [name for name, path in (("postfix", "postfix"), ("dovecot-pop3d", "dovecot")) if not shutil.which(path)]
    absent += [] if (DOVECOT / "pop3").exists() or absent else ["dovecot-pop3d"]
    return f"Postfix and Dovecot: not found (apt-get install {' '.join(absent)})" if absent else ""


def protocols() -> list[str]:
    """How its mailbox can be read on this machine."""
    return [protocol for protocol in ("pop3", "imap") if (DOVECOT / protocol).exists()]


class MailServer:
    """Takes mail for school.test, and keeps what comes back in a mailbox that Dovecot serves.

    Args:
        mailboxes: the names at school.test that exist.
        refusals: why others are refused, by name: `{"full": "5.2.2 mailbox full"}`.
    """

    def __init__(self, mailboxes: list[str], refusals: dict[str, str]) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="mailserver-"))
        self.folder.chmod(0o755)
        self.ports = {name: free_port() for name in ("smtp", *protocols())}
        self._configure(mailboxes, refusals)

    @property
    def smtp_url(self) -> str:
        return f"smtp://127.0.0.1:{self.ports['smtp']}"

    def mailbox_url(self, protocol: str) -> str:
        return f"{protocol}://bounce:{PASSWORD}@127.0.0.1:{self.ports[protocol]}"

    @property
    def came_back(self) -> int:
        """How many mails wait in the bounce mailbox."""
        return len(list((self.folder / "mail" / "bounces").glob("new/*"))) + len(
            list((self.folder / "mail" / "bounces").glob("cur/*"))
        )

    def arrived(self) -> set[str]:
        """The names at school.test that have mail."""
        return {path.parent.parent.name for path in (self.folder / "mail" / "school").glob("*/new/*")}

    def __enter__(self) -> MailServer:
        try:
            self._run("postfix", "-c", str(self.folder / "etc"), "start")
            self._run("dovecot", "-c", str(self.folder / "etc" / "dovecot.conf"))
            for port in self.ports.values():
                wait_for_port(port)
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, _kind: type | None, _error: BaseException | None, _trace: TracebackType | None) -> None:
        self.stop()

    def stop(self) -> None:
        """End both servers, as far as they run, and leave nothing behind."""
        for command in (
            ("postfix", "-c", str(self.folder / "etc"), "stop"),
            ("doveadm", "-c", str(self.folder / "etc" / "dovecot.conf"), "stop"),
        ):
            with contextlib.suppress(RuntimeError, subprocess.SubprocessError):
                self._run(*command)
        shutil.rmtree(self.folder, ignore_errors=True)

    def _configure(self, mailboxes: list[str], refusals: dict[str, str]) -> None:
        for name in ("etc", "spool", "data", "log", "run", "mail/school", "mail/bounces"):
            (self.folder / name).mkdir(parents=True)
        shutil.chown(self.folder / "data", "postfix")
        for path in (self.folder / "mail", *(self.folder / "mail").iterdir()):
            os.chown(path, 65534, 65534)
        boxes = {f"{name}@school.test": f"school/{name}/" for name in mailboxes}
        self._write("mailboxes", self._table({**boxes, "bounce@bounces.test": "bounces/"}))
        self._write("transport", self._table({f"{name}@school.test": f"error:{why}" for name, why in refusals.items()}))
        self._write("main.cf", MAIN.format(folder=self.folder))
        self._write("master.cf", MASTER.format(port=self.ports["smtp"]))
        listeners = "".join(LISTENER.format(protocol=name, port=self.ports[name]) for name in protocols())
        settings = {"folder": self.folder, "password": PASSWORD, "protocols": " ".join(protocols())}
        self._write("dovecot.conf", MAILBOX.format(**settings) + listeners)

    def _table(self, rows: dict[str, str]) -> str:
        return "".join(f"{key} {value}\n" for key, value in rows.items())

    def _write(self, name: str, text: str) -> None:
        (self.folder / "etc" / name).write_text(text.lstrip())

    def _run(self, *command: str) -> None:
        # Into a file: a daemon would keep a pipe open for ever.
        with (self.folder / "log" / "commands").open("a+") as said:
            done = subprocess.run(command, stdout=said, stderr=said, timeout=2 * PATIENCE, check=False)
            said.seek(0)
            if done.returncode:
                raise RuntimeError(f"{' '.join(command)} failed: {said.read()}")


def free_port() -> int:
    with socket.socket() as door:
        door.bind(("127.0.0.1", 0))
        return int(door.getsockname()[1])


def wait_for_port(port: int) -> None:
    end = time.monotonic() + PATIENCE
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        except OSError:
            assert time.monotonic() < end, f"nothing listens on port {port}"
            time.sleep(0.1)
