"""What real mails that came back say is read right: the corpora's own rule, applied to every one of them."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from newsletter.bounces.mail import parse
from newsletter.bounces.reading import read

pytestmark = pytest.mark.once

FOLDERS = ("bounces", "bounces-kinds", "bounces-more")
# What the corpora call our kinds.
CLASSES = {"blocked": "block", "deferred": "delayed", "autoreply": "auto", "unknown": "none"}
ALARMS = {"hard", "soft", "block", "complaint"}
NO_BOUNCES = {"not-bounce", "auto-reply"}


class Verdict(NamedTuple):
    """One expected recipient, or one mail that is no bounce, and how it was read."""

    file: str
    family: str
    recipient: str
    acceptable: list[str]
    read_as: str
    right: bool
    falsely_hard: bool = False
    false_alarm: bool = False


def read_classes(raw: bytes) -> dict[str, str]:
    """The class of every recipient of a mail, in the words of the corpora."""
    return {finding.recipient: CLASSES.get(finding.kind.value, finding.kind.value) for finding in read(parse(raw))}


def as_it_is(raw: bytes) -> bytes:
    return raw


def judge(folder: Path, change: Callable[[bytes], bytes] = as_it_is) -> Iterator[Verdict]:
    """Apply the rule of a manifest: recipient or alias in an acceptable class; no alarm about what is no bounce."""
    for item in json.loads((folder / "manifest.json").read_text(encoding="utf-8"))["items"]:
        if item.get("doubtful"):
            continue
        classes = read_classes(change((folder / item["file"]).read_bytes()))
        place = item["file"], item["family"]
        if item["kind"] in NO_BOUNCES:
            alarms = sorted(ALARMS & set(classes.values()))
            yield Verdict(*place, "", [], ",".join(alarms) or "none", not alarms, "hard" in alarms, bool(alarms))
            continue
        for expected in item["expected"]:
            names = [name.lower() for name in (expected["recipient"], expected.get("alias")) if name]
            known = [classes[name] for name in names if name in classes]
            read_as, acceptable = (known or ["none"])[0], expected["acceptable"]
            right = any(kind in acceptable for kind in known) or (not known and "none" in acceptable)
            dead = "hard" in known and "hard" not in acceptable
            yield Verdict(*place, expected["recipient"], acceptable, read_as, right, dead)


def test_mails_of_the_corpora_are_read_right(corpus):
    """At least 97 of 100 right, nobody called dead who is not, no automatic reply or other mail called a bounce."""
    well_read([verdict for name in FOLDERS for verdict in judge(corpus / name)])


def well_read(verdicts: list[Verdict]) -> None:
    misses = [verdict for verdict in verdicts if not verdict.right]
    report = "\n".join(f"{miss.file} {miss.family}: {miss}" for miss in misses)
    assert not [verdict for verdict in verdicts if verdict.falsely_hard], report
    assert not [verdict for verdict in verdicts if verdict.false_alarm], report
    assert len(misses) <= 0.03 * len(verdicts), report


def test_every_kind_of_mail_is_read_right(corpus):
    assert [verdict for verdict in judge(corpus / "bounces-kinds") if not verdict.right] == []


BOUNDARY = re.compile(rb"(boundary=\"?)([^\"\s;]+)")


def head_is_wrong(raw: bytes) -> bytes:
    """The head names another boundary than the body has."""
    return BOUNDARY.sub(rb"\1not/\2", raw, count=1)


def body_is_wrong(raw: bytes) -> bytes:
    """The second part is divided by another line than the head says."""
    said = BOUNDARY.search(raw)
    if said is None:
        return raw
    first, *parts = raw.split(b"\n--" + said[2] + b"\n")
    lines = [b"\n--" + (b"not/" if place == 1 else b"") + said[2] + b"\n" for place in range(len(parts))]
    return b"".join([first, *(line + part for line, part in zip(lines, parts, strict=True))])


def sender_is_a_stranger(raw: bytes) -> bytes:
    """Neither the name nor the address of the sender says that it is a mail server."""
    return re.sub(rb"(?im)^from: .*(?:mailer-daemon|postmaster).*$", b"From: Robot <robot@gateway.example>", raw)


@pytest.mark.parametrize("change", [head_is_wrong, body_is_wrong, sender_is_a_stranger])
def test_mails_that_gateways_spoiled_are_read_right_too(corpus, change):
    well_read([verdict for name in FOLDERS for verdict in judge(corpus / name, change)])
