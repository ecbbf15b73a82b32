"""What a mail that came back says: the class of every recipient, and never a hard one in doubt."""

from __future__ import annotations

import base64
import time
from pathlib import Path

import pytest

from newsletter.bounces.mail import parse
from newsletter.bounces.reading import read

pytestmark = pytest.mark.once

FOLDER = Path(__file__).resolve().parent.parent / "data" / "bounces"
READINGS = {
    # Reports for machines
    "postfix-unknown": {"ines.ortega@school.example": ("hard", "5.1.1")},
    "postfix-delayed": {"noah.kim@district.example": ("deferred", "4.4.1")},
    "postfix-expired": {"noah.kim@district.example": ("soft", "4.1.1")},
    "postfix-two-recipients": {"one@school.example": ("hard", "5.1.1"), "two@school.example": ("soft", "5.2.2")},
    "postfix-success": {"ana@school.example": ("delivered", "2.0.0")},
    "postfix-antispam-host": {"ana@school.example": ("hard", "5.1.1")},
    "gmail-unknown": {"pat.doe@gmail.example": ("hard", "5.1.1")},
    "gmail-unauthenticated": {"pat.doe@gmail.example": ("blocked", "5.7.26")},
    "gmail-quota": {"pat.doe@gmail.example": ("soft", "5.2.2")},
    "outlook-authentication": {"kai@outlook.example": ("blocked", "5.7.515")},
    "office365-not-found": {"lena@district.example": ("hard", "5.1.10")},
    "office365-directory-edge": {"lena@district.example": ("hard", "5.4.1")},
    "office365-german": {"j.braun@bezirk.example": ("soft", "5.2.2")},
    "exchange-restricted": {"allstaff@district.example": ("blocked", "5.7.133")},
    "exchange-expired": {"lena@district.example": ("soft", "5.4.7")},
    "sendmail-transcript": {"olu@academy.example": ("hard", "5.1.1")},
    "dmarc-refused": {"ruth@yahoo.example": ("blocked", "5.7.9")},
    "null-mx": {"info@nomail.example": ("hard", "5.1.0")},
    "domain-gone": {"info@gone.example": ("hard", "5.4.4")},
    "domain-silent": {"info@silent.example": ("soft", "4.4.3")},
    "sender-domain": {"ana@school.example": ("blocked", "5.1.8")},
    "code-says-dead-words-say-spam": {"ana@school.example": ("blocked", "5.1.1")},
    "disabled": {"ana@school.example": ("soft", "5.2.1")},
    "reason-in-prose-alone": {"ana@school.example": ("hard", "5.0.0")},
    "reason-nowhere": {"ana@school.example": ("soft", "5.0.0")},
    "report-without-blank-lines": {"one@school.example": ("hard", "5.1.1"), "two@school.example": ("soft", "5.2.2")},
    "report-in-base64": {"one@school.example": ("hard", "5.1.1")},
    "report-cut-off": {"one@school.example": ("hard", "5.1.1")},
    "international-report": {"one@school.example": ("hard", "5.1.1")},
    # Prose
    "exim-unroutable": {"tomas@academy.example": ("hard", "")},
    "exim-two": {"tomas@academy.example": ("hard", "5.1.1"), "vera@academy.example": ("soft", "4.2.2")},
    "exim-delayed": {"tomas@academy.example": ("deferred", "")},
    "qmail-unknown": {"greta@charter.example": ("hard", "5.1.1")},
    "qmail-remote": {"greta@charter.example": ("blocked", "5.7.1"), "hugo@charter.example": ("hard", "")},
    "exchange-old": {"iris@oldschool.example": ("hard", "")},
    "yahoo-old": {"ruth@yahoo.example": ("hard", "")},
    "domino": {"lena@district.example": ("hard", "")},
    "spanish": {"lucia.prado@escuela.example": ("hard", "")},
    "spanish-full": {"lucia.prado@escuela.example": ("soft", "")},
    "german": {"j.braun@schule.example": ("hard", "")},
    "german-refused": {"j.braun@schule.example": ("blocked", "")},
    "japanese": {"tanaka@gakko.example": ("hard", "")},
    "japanese-full": {"tanaka@gakko.example": ("soft", "")},
    "french-html": {"amelie@ecole.example": ("hard", "")},
    "reason-before-recipient": {"ann@district.example": ("soft", ""), "bob@district.example": ("hard", "")},
    "transcript-of-a-gateway": {"ann@district.example": ("hard", "")},
    "unclear-prose": {"ana@school.example": ("soft", "")},
    # Parts and recipients where nobody looks for them
    "boundary-of-others": {"ines@school.example": ("hard", "5.1.1")},
    "boundary-unsaid": {"ines@school.example": ("soft", "5.2.2")},
    "recipient-behind-a-label": {"ines@school.example": ("soft", "5.4.6")},
    "recipient-with-a-date": {"ines@school.example": ("hard", "")},
    "recipient-in-a-sentence-of-its-own": {"ines@school.example": ("soft", "")},
    "recipient-in-the-copy-alone": {"5550123@phones.example": ("hard", "")},
    "recipient-among-postmasters": {"ines@school.example": ("hard", "5.1.1")},
    "recipient-in-quotes": {'"ines..ortega"@phones.example': ("hard", "5.1.1")},
    "recipients-with-numbers": {"ann@school.example": ("hard", ""), "bob@school.example": ("soft", "")},
    "recipient-somewhere": {"ines@school.example": ("hard", "")},
    "warning-of-sendmail": {"ines@school.example": ("deferred", "")},
    "arrived-in-words": {"ines@school.example": ("delivered", "")},
    "recipient-in-chinese": {"ines@school.example": ("hard", "")},
    "bounce-behind-a-preface": {"ines@phones.example": ("soft", "4.3.2")},
    "bounce-as-an-attachment": {"ines@school.example": ("hard", "5.1.1")},
    "report-in-plain-words": {"ines@school.example": ("hard", "5.1.1")},
    "report-with-a-source-route": {"ines@school.example": ("soft", "5.2.0")},
    "report-of-a-gateway-to-x400": {"ines@school.example": ("hard", "5.1.1")},
    "report-of-a-probe": {"ines@school.example": ("delivered", "2.1.5")},
    "list-for-members-only": {"teachers@lists.example": ("blocked", "")},
    "unreadable": {},
    # Said about us, or about nobody
    "our-name-refused": {"ines@school.example": ("blocked", "")},
    "our-address-refused": {"ines@school.example": ("blocked", "")},
    "our-domain-refused": {"ines@school.example": ("blocked", "5.2.0")},
    "refused-before-any-recipient": {"ines@school.example": ("blocked", "5.1.1")},
    "nothing-but-a-link": {"ines@school.example": ("blocked", "5.1.1")},
    "neighbors-in-a-transcript": {
        "ann@one.example": ("soft", ""),
        "bob@two.example": ("hard", ""),
        "cy@three.example": ("soft", ""),
        "dee@three.example": ("hard", ""),
        "eve@four.example": ("hard", ""),
    },
    "unknown-after-it-was-accepted": {"ines@school.example": ("soft", "5.1.1")},
    "unknown-before-the-data": {"ines@school.example": ("hard", "5.1.1")},
    "stock-sentence-above-a-transcript": {"ines@school.example": ("hard", "")},
    "stock-sentence-alone": {"ines@school.example": ("soft", "")},
    "no-mail-for-the-host": {"ines@school.example": ("hard", "5.3.2")},
    "no-mail-for-the-domain": {"ines@school.example": ("hard", "")},
    "status-beside-the-words": {"kai@outlook.example": ("hard", "5.5.0")},
    "userid": {"ines@school.example": ("hard", "")},
    # Complaints
    "arf-rfc": {"ruth@provider.example": ("complaint", "")},
    "arf-recipient-in-copy": {"kai@outlook.example": ("complaint", "")},
    "arf-fraud": {"ruth@aol.example": ("complaint", "")},
    "arf-not-spam": {"ruth@provider.example": ("unknown", "")},
    "arf-auth-failure": {"ruth@provider.example": ("unknown", "")},
    "jmrp": {"kai@hotmail.example": ("complaint", "")},
    "ses-complaint": {"ruth@provider.example": ("complaint", "")},
    "ses-transient": {"ana@school.example": ("soft", "5.1.1")},
    # Neither
    "vacation-marked": {"maria@school.example": ("autoreply", "")},
    "vacation-exchange": {"maria@school.example": ("autoreply", "")},
    "vacation-german": {"jonas@schule.example": ("autoreply", "")},
    "vacation-spanish": {"lucia@escuela.example": ("autoreply", "")},
    "vacation-japanese": {"tanaka@gakko.example": ("autoreply", "")},
    "reading-receipt": {},
    "person": {},
    "spam": {},
    "quarantine": {},
}


def reading(raw):
    return {finding.recipient: (finding.kind.value, finding.status) for finding in read(parse(raw))}


@pytest.mark.parametrize("name", READINGS)
def test_a_mail_is_read_for_what_it_says(name):
    assert reading((FOLDER / f"{name}.eml").read_bytes()) == READINGS[name]


def test_every_example_has_a_reading():
    assert {file.stem for file in FOLDER.iterdir()} == set(READINGS)


@pytest.mark.parametrize("ending", [b"\r\n", b"\r"])
def test_the_ends_of_lines_do_not_matter(ending):
    raw = (FOLDER / "postfix-unknown.eml").read_bytes().replace(b"\n", ending)
    assert reading(raw) == READINGS["postfix-unknown"]


HOSTILE = {
    "nothing": b"",
    "noise": bytes(range(256)) * 4000,
    "deep": b"".join(b"Content-Type: multipart/mixed; boundary=b%d\n\n--b%d\n" % (n, n) for n in range(5000)),
    "many parts": b"Content-Type: multipart/mixed; boundary=b\n\n" + b"--b\n\nx\n" * 100_000,
    "nested mails": b"Content-Type: message/rfc822\n\n" * 20_000 + b"x",
    "one line": b"From: MAILER-DAEMON@x\nSubject: failure notice\n\n" + b"a" * 2_000_000,
    "many addresses": b"From: MAILER-DAEMON@x\nSubject: failure notice\n\n"
    + b"".join(b"<a%d@b.example>: no\n" % n for n in range(60_000)),
    "address-like": b"From: MAILER-DAEMON@x\nSubject: failure notice\n\n" + b"a@" * 700_000,
    "dots": b"From: MAILER-DAEMON@x\nSubject: failure notice\n\n<a@b.example>: " + b"5.1." * 400_000,
    "many headers": b"X-A: b\n" * 300_000 + b"\nx",
    "long header": b"Subject: " + b"=?utf-8?q?x?= " * 150_000 + b"\n\nx",
    "bad words": b"Subject: =?nonsense?b?!!!?= =?utf-8?b?====?=\nFrom: <>\n\nx",
    "many fields": b"Content-Type: message/delivery-status\n\n" + b"Final-Recipient: rfc822; a@b.example\n" * 50_000,
    "html": b"From: MAILER-DAEMON@x\nContent-Type: text/html\n\n" + b"<div>" * 300_000,
    "spaces": b"From: MAILER-DAEMON@x\nSubject: failure notice\n\n" + b" " * 1_900_000,
    "bad status": b"Content-Type: message/delivery-status\nContent-Transfer-Encoding: base64\n\n" + b"\xff" * 9000,
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_mail_is_read_in_no_time(name):
    began = time.monotonic()
    read(parse(HOSTILE[name]))
    assert time.monotonic() - began < 5


def test_what_a_mail_claims_to_be_written_in_does_not_matter():
    body = base64.b64encode("<ana@school.example>: 550 5.1.1 Пользователь не найден".encode()).decode()
    head = "From: MAILER-DAEMON@x.example\nSubject: failure notice\nContent-Type: text/plain; charset=klingon\n"
    assert reading(f"{head}Content-Transfer-Encoding: base64\n\n{body}".encode()) == {
        "ana@school.example": ("hard", "5.1.1")
    }
