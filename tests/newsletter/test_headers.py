"""Words in headers arrive as they were written, whichever program reads them; no line begins with "From "."""

from __future__ import annotations

import email
import email.policy
import glob
import json
import mailbox
import os
import re
import subprocess
from datetime import UTC, datetime
from email.header import decode_header, make_header
from email.utils import parseaddr
from pathlib import Path
from random import Random

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from newsletter import messages, notices
from newsletter.esp.letters import unpack
from newsletter.esp.providers import PROVIDERS
from newsletter.messages import headers, slots
from newsletter.messages.bodies import Bodies
from newsletter.messages.letters import letter
from newsletter.models import Notice
from newsletter.smtp import Message
from tests.conftest import need

pytestmark = pytest.mark.once

ENCODER = Path(headers.__file__)
READER = Path(__file__).with_name("header_reader.py")
PERL = """
use Encode; $| = 1;
while (<STDIN>) { chomp; print unpack("H*", encode("UTF-8", decode("MIME-Header", pack("H*", $_)))), "\\n"; }
"""
NONCHARACTERS = "".join(chr(plane << 16 | low) for plane in range(17) for low in (0xFFFE, 0xFFFF)) + "".join(
    map(chr, range(0xFDD0, 0xFDF0))
)
TEXTS = st.one_of(
    st.text(st.characters(exclude_categories=["Cc", "Cs", "Zl", "Zp"], exclude_characters=NONCHARACTERS), max_size=150),
    st.lists(
        st.one_of(
            st.sampled_from(
                ["jardín,", "música", "and", "l’été", "=?utf-8?q?x?=", "=?", "_", "Smith,", '"Ed"', "\\", ""]
            ),
            st.sampled_from(
                [
                    "👩‍👩‍👧‍👦",
                    "🇪🇸🇲🇽",
                    "e\u0301" * 30,
                    "日本語" * 12,
                    "x" * 90,
                    "(c)",
                    "a@b.example",
                    "\u00a0",
                    "<",
                    "Dr.",
                ]
            ),
            st.text(st.sampled_from("aábcñ =?_.,-"), max_size=30),
        ),
        max_size=10,
    ).map(" ".join),
)


def pythons() -> dict[str, str]:
    """Every Python from 3.11 on that PATH and pyenv hold, by its version."""
    folders = [*os.environ["PATH"].split(os.pathsep), *glob.glob(os.path.expanduser("~/.pyenv/versions/3.*/bin"))]
    found = {}
    for path in {os.path.realpath(each) for folder in folders for each in glob.glob(f"{folder}/python3*")}:
        if re.search(r"/python3(\.\d+)?$", path):
            asked = [path, "-c", "import sys; print(sys.version.split()[0], sys.version_info >= (3, 11))"]
            version, _space, fresh = subprocess.run(asked, capture_output=True, text=True).stdout.strip().partition(" ")
            if fresh == "True":
                found[version] = path
    return found


class Answers:
    """A program that answers each line with one line."""

    def __init__(self, *command: str) -> None:
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def to(self, line: str) -> str:
        print(line, file=self.process.stdin, flush=True)
        return self.process.stdout.readline().strip()

    def close(self) -> None:
        self.process.communicate()


@pytest.fixture(scope="module")
def readers():
    """The reader of each Python, by version."""
    started = {version: Answers(path, str(READER), str(ENCODER)) for version, path in sorted(pythons().items())}
    print(f"Pythons found: {', '.join(started)}")
    yield started
    for reader in started.values():
        reader.close()


@pytest.fixture(scope="module")
def perl():
    """Perl's Encode, as a reader that others wrote."""
    reader = Answers(need("Perl"), "-e", PERL)
    yield lambda line: bytes.fromhex(reader.to(line.hex())).decode()
    reader.close()


@settings(deadline=None)  # programs are asked
@given(TEXTS)
@example("jardín, música")
@example("Conversaciones difíciles y sencillas, jardín, música y más: un año de cuentos, números y pequeñas canciones")
@example("=?utf-8?q?x?= stands here as it is")
@example(" two  spaces and\u00a0one that does not break ")
def test_every_python_reads_any_words_as_they_were_written(readers, text):
    for version, reader in readers.items():
        answer = json.loads(reader.to(json.dumps(text)))
        assert answer["subject"] == [text, text], (version, answer)
        assert answer["name"] == [headers.one_line(text)] * 2, (version, answer)
        assert set(answer["addresses"]) == {"news@resource-center.example"}, version
        for line in answer["lines"]:
            assert len(line) <= 78 and line.strip() and line.isascii(), version
            assert all(len(word) <= 75 for word in line.split()), version
            assert "?==?" not in line, version


@settings(deadline=None)
@given(TEXTS)
@example("jardín, música")
def test_perl_reads_any_words_as_they_were_written(perl, text):
    assert perl(headers.text_header("Subject", text)) == f"Subject: {text}"
    line = headers.address_header("List-Id", text, "monthly.resource-center.example")
    if '"' not in line.decode():  # a quoted name is no matter of encoded words
        assert perl(line) == " ".join(["List-Id:", *([text] if text else []), "<monthly.resource-center.example>"])


@given(TEXTS)
def test_each_encoded_word_holds_whole_characters(text):
    for line in (headers.text_header("Subject", text), headers.address_header("From", text, "a@b.example")):
        for word in re.findall(r"=\?utf-8\?[qb]\?[^?]*\?=", line.decode()):
            ((raw, charset),) = decode_header(word)
            assert raw.decode(charset)


@pytest.mark.parametrize("character", ["👩‍👩‍👧‍👦", "👍🏽", "🇲🇽", "e\u0301", "क्षि", "❤\ufe0f"])
def test_no_encoded_word_begins_within_what_people_see_as_one_character(character):
    words = headers.text_header("Subject", character * 40).decode().split()[1:]
    assert len(words) > 1
    for word in words:
        read = str(make_header(decode_header(word)))
        assert read == character * (len(read) // len(character))


@pytest.mark.parametrize("text", ["two\r\nBcc: all@school.example", "a\x00b", "a\u2028b", "a\x1bb"])
def test_words_that_are_more_than_one_line_are_refused_by_the_encoder(text):
    with pytest.raises(ValueError, match="can not stand in a header"):
        headers.text_header("Subject", text)
    with pytest.raises(ValueError, match="can not stand in a header"):
        headers.address_header("From", text, "a@b.example")
    assert headers.text_header("Subject", headers.one_line(text))


def test_an_address_is_never_encoded_nor_cut():
    address = f"{'a' * 64}@{'b' * 60}.{'c' * 60}.example"
    assert headers.address_header("From", "Niños", address).endswith(f"\r\n <{address}>".encode())
    with pytest.raises(ValueError, match="no address in ASCII"):
        headers.address_header("From", "Niños", "josé@school.example")


def test_plain_names_stay_readable_in_the_source():
    assert headers.address_header("From", "Resource Center", "a@b.example") == b"From: Resource Center <a@b.example>"
    assert headers.address_header("From", 'Dr. "Ed" Roe', "a@b.example") == b'From: "Dr. \\"Ed\\" Roe" <a@b.example>'
    assert headers.address_header("Reply-To", "", "a@b.example") == b"Reply-To: a@b.example"
    assert headers.text_header("Subject", "October: a good morning, (really) good") == (
        b"Subject: October: a good morning, (really) good"
    )


# --- Whole mails


ACCENTED = [
    *("jardín,", "música", "niños", "y", "cuentos", "para", "leer,"),
    *("números", "más", "canciones", "¿cómo?", "Ñandú", "el", "año"),
]
SUBJECT = "Conversaciones difíciles y sencillas, jardín, música y más"
NAME = "Red de Maestras, Ñuñoa: jardín, música y muchísimas canciones para la niñez de todo el país"


def filled(template: bytes) -> bytes:
    values = messages.Slots(
        to="maria@school.example",
        message_id="<d.1@resource-center.example>",
        date=datetime(2026, 11, 4, 13, 30, tzinfo=UTC),
        unsubscribe="https://resource-center.example/u/",
        preferences="https://resource-center.example/p/",
    )
    return messages.fill(template, values)


def decoded(message: bytes, header: str) -> str:
    line = "".join(email.message_from_bytes(message)[header].splitlines())
    return str(make_header(decode_header(line if header == "Subject" else parseaddr(line)[0])))


@pytest.mark.django_db
def test_shuffled_subjects_with_accents_keep_every_space(newsletter):
    shuffler = Random(2047)
    for _each in range(400):
        subject = " ".join(shuffler.sample(ACCENTED, shuffler.randint(2, len(ACCENTED))))
        message = filled(letter(newsletter, subject, Bodies("Text", "<p>Text</p>"), "es", "2026-10"))
        assert email.message_from_bytes(message, policy=email.policy.default)["Subject"] == subject
        assert decoded(message, "Subject") == subject


@pytest.mark.django_db
def test_subject_and_names_of_an_issue_keep_their_spaces(issue, newsletter, settings, perl):
    settings.MAIL_REPLY_TO = '"Jardín, música" <hello@resource-center.example>'
    newsletter.from_name = newsletter.name = NAME
    newsletter.save()
    issue.subject = SUBJECT
    issue.save_revision()
    message = filled(messages.variants(issue, [("en", "")])[0].template)
    head = message.partition(b"\r\n\r\n")[0]
    assert email.message_from_bytes(message, policy=email.policy.default)["Subject"] == SUBJECT
    assert decoded(message, "From") == NAME
    assert decoded(message, "List-Id") == NAME
    assert decoded(message, "Reply-To") == "Jardín, música"
    assert f"Subject: {SUBJECT}" in perl(head)
    assert f"List-Id: {NAME} <monthly.resource-center.example>" in perl(head)
    own = head.partition(b"List-Unsubscribe:")[0]
    assert max(map(len, own.split(b"\r\n"))) <= 78


@pytest.mark.django_db
def test_a_notice_keeps_the_words_of_its_headers(sam):
    newsletter = sam.newsletter
    newsletter.from_name = newsletter.name = "jardín, música"
    newsletter.save()
    notices.queue(sam, Notice.Kind.CONFIRMATION)
    message = messages.notice_message(Notice.objects.get())
    assert decoded(message, "From") == decoded(message, "List-Id") == "jardín, música"


@pytest.mark.django_db
def test_a_provider_is_handed_the_words_in_plain(issue, newsletter):
    newsletter.from_name = NAME
    newsletter.save()
    issue.subject = SUBJECT
    issue.save_revision()
    message = filled(messages.variants(issue, [("en", "")])[0].template)
    handed = unpack(Message(1, "bounce+x@b.example", "maria@school.example", message), PROVIDERS["postmark"])
    assert handed.subject == SUBJECT
    assert parseaddr(handed.from_email) == (NAME, "news@resource-center.example")


# --- Lines that begin with "From "

LETTER = (
    b'From: a@b.example\r\nContent-Type: text/plain; charset="utf-8"\r\n'
    b"Content-Transfer-Encoding: quoted-printable\r\n\r\n"
)


@given(
    st.lists(st.sampled_from(["From ", "from now", ".", "..", "\n", "é", "word ", "x" * 71, "From", " "]), max_size=12)
)
@example(["From ", "\n", "From ", "\n", ".", "\n"])
@example(["x" * 71, " ", "From ", "here"])
def test_no_line_of_a_body_begins_with_from_or_a_dot(parts):
    words = "".join(parts)
    body = f"{words}{slots.slot('unsubscribe')}{words}\n"
    raw = messages.fill(slots.quoted(body, "text"), messages.Slots("", "", datetime.now(UTC), words, ""))
    for line in raw.split(b"\r\n"):
        assert not line.startswith((b"From ", b"."))
        assert len(line) <= 76
    read = email.message_from_bytes(LETTER + raw, policy=email.policy.default).get_content()
    assert read.replace("\r\n", "\n") == f"{words * 3}\n"


@pytest.mark.django_db
def test_a_mail_with_a_line_that_begins_with_from_stays_one_mail_in_a_mailbox_file(issue, tmp_path):
    issue.introduction = "<p>From now on, each issue has a story.</p><p>From here to there.</p><p>.</p>"
    issue.save_revision()
    message = filled(messages.variants(issue, [("en", "")])[0].template)
    file = tmp_path / "mbox"
    file.write_bytes(b"From news@resource-center.example Wed Nov  4 13:30:00 2026\n" + message.replace(b"\r\n", b"\n"))
    box = mailbox.mbox(file)
    (kept,) = [box.get_bytes(key) for key in box.keys()]  # noqa: SIM118 - a mailbox gives its mails to whoever loops over it
    box.close()
    assert kept.replace(b"\n", b"\r\n") == message
    text = email.message_from_bytes(kept, policy=email.policy.default).get_body(["plain"]).get_content()
    assert "From now on, each issue has a story." in text
    assert "\n.\n" in text
