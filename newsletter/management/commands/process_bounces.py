"""`process_bounces PATH|-`: reads raw mails that came back, and records what they say about messages of ours."""

from __future__ import annotations

import json
import sys
from argparse import ArgumentParser
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from newsletter import bounces


class Command(BaseCommand):
    help = "Read mails that came back. Only a valid return token or a known Message-ID of ours changes anything."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("path", nargs="?", help="a folder of .eml, a Maildir, an mbox, one .eml, or - for stdin")
        parser.add_argument("--mailbox", action="store_true", help="read the mailbox that BOUNCE_MAILBOX_URL names")
        parser.add_argument("--json", action="store_true", help="print one JSON object and nothing else")

    def handle(self, *_args: Any, **options: Any) -> None:
        if bool(options["path"]) is options["mailbox"]:
            raise CommandError("Give a path, or - for standard input, or --mailbox.", returncode=2)
        receipts, troubles = self._from_mailbox() if options["mailbox"] else self._from_files(options["path"])
        self._tell(receipts, as_json=options["json"])
        if troubles:
            raise CommandError("\n".join(troubles))

    def _from_mailbox(self) -> tuple[list[tuple[str, bounces.Receipt]], list[str]]:
        if not settings.BOUNCE_MAILBOX_URL:
            raise CommandError("BOUNCE_MAILBOX_URL is not set: there is no mailbox to read.", returncode=2)
        try:
            receipts, kept = bounces.poll(settings.BOUNCE_MAILBOX_URL)
        except bounces.Unreachable as error:
            raise CommandError(str(error)) from error
        return receipts, [f"Mail {name} could not be recorded and is kept; the log says why." for name in kept]

    def _from_files(self, path: str) -> tuple[list[tuple[str, bounces.Receipt]], list[str]]:
        receipts, troubles = [], []
        try:
            for name, raw in bounces.from_stream(sys.stdin.buffer) if path == "-" else bounces.mails(Path(path)):
                if isinstance(raw, bounces.Unreadable):
                    troubles.append(str(raw))
                else:
                    receipts.append((name, bounces.take(raw)))
        except bounces.Unreadable as error:
            raise CommandError(str(error)) from error
        return receipts, troubles

    def _tell(self, receipts: Iterable[tuple[str, bounces.Receipt]], *, as_json: bool) -> None:
        receipts = list(receipts)
        results = [
            {"file": name, "kind": finding.kind.value, "recipient": finding.recipient, "status": finding.status}
            for name, receipt in receipts
            for finding in receipt.findings
        ]
        kinds = Counter(result["kind"] for result in results)
        numbers = {
            "read": len(receipts),
            "hard": kinds["hard"],
            "soft": kinds["soft"],
            "complaints": kinds["complaint"],
            "unrecognised": sum(not receipt.understood for _name, receipt in receipts),
        }
        if as_json:
            self.stdout.write(json.dumps({**numbers, "results": results}, ensure_ascii=False))
            return
        for result in results:
            self.stdout.write("  ".join(result[key] or "-" for key in ("file", "kind", "recipient", "status")))
        recorded = sum(receipt.recorded for _name, receipt in receipts)
        asked = sum(receipt.asks_to_unsubscribe for _name, receipt in receipts)
        told = [*numbers.items(), ("to unsubscribe", asked), ("recorded", recorded)]
        self.stdout.write(", ".join(f"{number} {name}" for name, number in told))
