"""What the words of mail servers mean: a mailbox or domain that does not exist; anything else never counts as that."""

from __future__ import annotations

import pytest

from newsletter.diagnosis import diagnose

pytestmark = pytest.mark.once

DOES_NOT_EXIST = """
550 User unknown
550 5.1.1 <ann@school.example>... User unknown
550 ann@school.example: no such user
550 ann is not a known user at this host
550 unknown local-part "ann" in domain "school.example"
550 Mailbox does not exist
550 mailbox not present
550 No one by that name here
550 This account has been deleted
550 sorry, no mailbox here by that name (#5.1.1 - chkuser)
554 delivery error: dd This user doesn't have a yahoo.example account (ann@yahoo.example) [0]
As the remote domain doesnt exist.
Receiver not found: ann@school.example
Invalid final delivery userid: ann@school.example
550 5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient not found by SMTP address lookup
550 5.4.1 Recipient address rejected: Access denied. AS(201806281)
550 5.1.2 Host unknown (Name server: school.example: host not found)
550 5.4.4 Invalid domain
550 5.4.310 DNS domain nosuch.example does not exist
Host or domain name not found. Name service error for name=x.example type=A: Host found but no data record
Sorry, I couldn't find a mail exchanger or IP address. (#5.4.4)
556 5.1.10 Domain school.example does not accept mail (nullMX)
521 5.3.2 school.example takes no mail
521 No.
an MX or SRV record indicated no SMTP service
552 1 Requested mail action aborted, mailbox not found
550 No existe dicha persona
550 Kein Teilnehmer: Teilnehmer nicht bekannt
550 L'adresse n'existe pas
550 usuário inexistente
550 該当ユーザーは存在しません
"""
IS_ABOUT_US = """
550 Verification failed for the sender: unknown user
550 The sender address does not exist
550 Your account does not exist
550 You are not a known user
550 return address does not exist
550 Reply-To address does not exist
550 Invalid address in header From
550 From: Domain is invalid
553 5.1.8 Domain does not exist
550 5.1.7 User unknown
Connected to 192.0.2.9 but my name was rejected. Remote host said: 501 unknown host
Connected to 192.0.2.9 but sender was rejected. Remote host said: 550 5.1.1 user unknown
host mx.example refused to talk to me: 554 5.1.1 unknown host
550 5.1.1 unknown user (in reply to MAIL FROM command)
SMTP error from remote mail server after HELO relay.example: 501 invalid domain name
550 SPF: domain does not exist
550 5.7.20 No passing DKIM signature found: key does not exist
550 unknown host 192.0.2.9: reverse lookup failed
550 5.7.1 Helo command rejected: Host not found
550 too many unknown users
550 directory harvest attack: unknown users
554 recipient not allowed: user not found in whitelist
550 invalid URL in message: domain does not exist
550 message refers to a non-existent domain
550 5.1.1 <ann@school.example> 203.0.113.9 has sent to too many recipients this hour
550 5.6.0 Message contains invalid header
550 group does not exist or you may not post to it
550 http://lists.blocked.example/why?ip=192.0.2.20
550 Mailbox unavailable. 550 5.7.1 Unfortunately, messages from [192.0.2.2] weren't sent: we have it on our block list
554 5.7.1 This server does not accept mail from dynamic addresses; policy
"""
IS_NEITHER = """
552 5.2.2 Mailbox full
450 4.1.1 <ann@school.example>: User unknown
550 The mailbox is full or the user does not exist
521 5.2.1 (CON:B1) https://postmaster.example/errors/554conb1.html
501 bad address syntax
550 recipient server: invalid content
550 message to user refused: unknown reason
550 5.1.0 Address rejected
550 5.4.14 Hop count exceeded
Host or domain name not found. Name service error for name=x.example type=MX: Host not found, try again
503 5.5.1 Error: need RCPT command
554 5.5.1 Error: no valid recipients (in reply to DATA command)
550 unknown error
571 We do not want this
"""


def lines(text):
    return [line for line in text.splitlines() if line]


@pytest.mark.parametrize("words", lines(DOES_NOT_EXIST))
def test_words_that_say_that_a_mailbox_or_domain_does_not_exist(words):
    assert diagnose(words) == "hard"


@pytest.mark.parametrize("words", lines(IS_ABOUT_US))
def test_words_about_us_or_our_message_never_remove_a_reader(words):
    assert diagnose(words) == "blocked"


@pytest.mark.parametrize("words", lines(IS_NEITHER))
def test_words_that_are_unclear_or_pass_are_not_hard(words):
    assert diagnose(words) in ("soft", "blocked", None)
