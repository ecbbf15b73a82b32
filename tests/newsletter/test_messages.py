"""Every mail as bytes: its headers, its two parts from one tree, its variants, and its slots."""

from __future__ import annotations

import email
import email.policy
import re
from datetime import UTC, datetime
from email.message import EmailMessage
from html import escape

import pytest
from bs4 import BeautifulSoup
from hypothesis import given
from hypothesis import strategies as st

from newsletter import messages, notices
from newsletter.choices import choose
from newsletter.messages import bodies, slots, tree
from newsletter.models import IssuePage, Notice

SLOTS = messages.Slots(
    to="maria.lopez@school.example",
    message_id="<d.0123456789abcdef@resource-center.example>",
    date=datetime(2026, 11, 4, 13, 30, tzinfo=UTC),
    unsubscribe="http://testserver/newsletter/unsubscribe/aUniquePublicId-123.1a.0123456789_bcdefghijkl/",
    preferences="http://testserver/newsletter/preferences/aUniquePublicId-123.0.0123456789_bcdefghijkl/",
    unsubscribe_token="u0-1-2",
)


def parsed(message):
    return email.message_from_bytes(message, policy=email.policy.default)


def bodies_of(message):
    parts = list(parsed(message).iter_parts())
    assert [part.get_content_type() for part in parts] == ["text/plain", "text/html"]
    return [part.get_content() for part in parts]


pytestmark = [pytest.mark.once, pytest.mark.django_db]


@pytest.fixture(scope="module")
def kept():
    """What is costly to make and never changed."""
    return {}


@pytest.fixture
def variant(request, kept):
    """The English variant for readers without choices."""
    if "variant" not in kept:
        kept["variant"] = messages.variants(request.getfixturevalue("issue"), [("en", "")])[0]
    return kept["variant"]


@pytest.fixture
def message(variant):
    return messages.fill(variant.template, SLOTS)


def test_a_message_has_each_header_once(message):
    mail = parsed(message)
    assert mail.defects == []
    assert sorted(mail.keys()) == sorted(
        [
            *("From", "To", "Date", "Subject", "MIME-Version", "Message-ID", "Reply-To", "Content-Type"),
            *("List-Id", "List-Unsubscribe", "List-Unsubscribe-Post", "List-Archive", "Feedback-ID"),
        ]
    )
    assert mail["From"] == "Resource Center <news@resource-center.example>"
    assert mail["To"] == "maria.lopez@school.example"
    assert mail["Date"] == "Wed, 04 Nov 2026 13:30:00 +0000"
    assert mail["Subject"] == "October: A good morning"
    assert mail["Message-ID"] == SLOTS.message_id
    assert mail["List-Id"] == "Resource Center newsletter <monthly.resource-center.example>"
    mailto = f"mailto:bounce+{SLOTS.unsubscribe_token}@bounces.resource-center.example?subject=unsubscribe"
    assert mail["List-Unsubscribe"] == f"<{SLOTS.unsubscribe}>, <{mailto}>"
    assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert mail["List-Archive"] == "<http://testserver/newsletter/>"
    assert re.fullmatch(r"2026-10:monthly:newsletter:[0-9a-f]{12}", mail["Feedback-ID"])


def test_without_a_mailbox_there_is_only_the_link_to_unsubscribe(issue, settings):
    settings.MAIL_REPLY_TO = settings.BOUNCE_DOMAIN = ""
    mail = parsed(messages.fill(messages.variants(issue, [("en", "")])[0].template, SLOTS))
    assert mail["List-Unsubscribe"] == f"<{SLOTS.unsubscribe}>"
    assert mail["Reply-To"] is None


def test_lines_are_short_and_end_in_crlf(message):
    lines = message.split(b"\r\n")
    assert b"\n" not in b"".join(lines)
    body = message.partition(b"\r\n\r\n")[2]
    assert max(map(len, body.split(b"\r\n"))) <= 76
    assert max(map(len, lines)) < 998


def test_both_parts_hold_the_same_content(message, variant):
    text, html = bodies_of(message)
    flat, soup = " ".join(text.split()), BeautifulSoup(html, "lxml")
    seen = " ".join(soup.get_text(" ").split())
    for section in variant.content["sections"]:
        for item in section["items"]:
            for words in (item["title"], item["summary"], *item["facts"]):
                assert words in flat
                assert words in seen
            assert item["url"] in text
            assert soup.find("a", href=item["url"])


def test_both_parts_say_who_sent_it_why_and_how_to_leave(message):
    text, html = bodies_of(message)
    links = {link["href"] for link in BeautifulSoup(html, "lxml").find_all("a")}
    for address in (SLOTS.unsubscribe, SLOTS.preferences, "http://testserver/newsletter/issues/2026-10/"):
        assert address in text
        assert address in links
    for words in ("1 Test Lane, Providence, RI 02903", "You get this because you asked Resource Center"):
        assert words in " ".join(text.split())
        assert words in " ".join(BeautifulSoup(html, "lxml").get_text(" ").split())


def test_each_picture_has_alt_text_and_its_credit_in_both_parts(message):
    text, html = bodies_of(message)
    pictures = BeautifulSoup(html, "lxml").find_all("img")
    assert len(pictures) == 2
    for picture in pictures:
        assert picture["alt"] == "Twelve tiles on a table."
        assert picture["src"].startswith("http://testserver/media/")
        assert picture["src"].endswith(".jpg")
        assert "© Resource Center | Artist: Rosa Lindqvist" in picture.find_parent("td").get_text()
    assert text.count("© Resource Center | Artist: Rosa") == 2


def test_the_html_holds_nothing_that_mail_programs_refuse(message):
    _text, html = bodies_of(message)
    soup = BeautifulSoup(html, "lxml")
    assert soup.html["lang"] == "en"
    assert not soup.find_all(["form", "script", "iframe", "link"])
    assert not soup.find_all("meta", attrs={"http-equiv": True})
    assert all(re.match("https?://", link["href"]) for link in soup.find_all("a"))
    assert "@media (prefers-color-scheme: dark)" in html
    assert "{{" not in html
    assert "\ue000" not in html
    assert len(html.encode()) < 102 * 1024


def test_an_event_says_its_day_and_hour_with_the_zone(message):
    assert "Tuesday, December 8, 2026, 4 p.m. to 5:30 p.m. EST" in bodies_of(message)[0]


def test_a_filled_template_equals_what_the_standard_library_would_make(variant):
    text, html = bodies.digest(variant.content, SLOTS.unsubscribe, SLOTS.preferences)
    expected = EmailMessage()
    expected.set_content(text)
    expected.add_alternative(html, subtype="html")
    expected = parsed(expected.as_bytes(policy=email.policy.SMTP))
    found = parsed(messages.fill(variant.template, SLOTS))
    assert [part.get_content() for part in found.iter_parts()] == [part.get_content() for part in expected.iter_parts()]


def test_a_template_may_be_parsed_once_and_come_from_the_database(variant):
    template = messages.Template.parse(memoryview(variant.template))
    assert messages.fill(template, SLOTS) == messages.fill(variant.template, SLOTS)


@given(
    st.text(
        st.characters(exclude_categories=("Cs", "Co"), exclude_characters="\r\x85\u2028\u2029\x0b\x0c\x1c\x1d\x1e"),
        max_size=400,
    )
)
def test_a_slot_of_any_length_is_encoded_well(words):
    body = f"Before {slots.slot('unsubscribe')} after é.\n"
    for kind, expected in (("text", words), ("html", escape(words))):
        raw = slots.quoted(body, kind)
        filled = messages.fill(raw, messages.Slots("", "", SLOTS.date, unsubscribe=words, preferences=""))
        assert max(map(len, filled.split(b"\r\n"))) <= 76
        message = (
            b'Content-Type: text/plain; charset="utf-8"\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n' + filled
        )
        assert parsed(message).get_content() == f"Before {expected} after é.\n".replace("\n", "\r\n")


@pytest.mark.parametrize("to", ["maria@school.example\r\nBcc: all@school.example", "maria@school.example\x00"])
def test_an_address_can_not_break_out_of_its_header(variant, to):
    with pytest.raises(ValueError, match="would break the message's headers"):
        messages.fill(variant.template, messages.Slots(to, "<a@b>", SLOTS.date, "", ""))


def test_hostile_words_of_an_editor_inject_no_header(issue, newsletter):
    newsletter.from_name = 'Eve"\r\nBcc: all@school.example\r\n <x>'
    newsletter.save()
    issue.subject = "Hi\u2028there\x0b\r\nX-Evil: yes"
    issue.save_revision()
    mail = parsed(messages.fill(messages.variants(issue, [("en", "")])[0].template, SLOTS))
    assert mail["Bcc"] is None
    assert mail["X-Evil"] is None
    assert mail["Subject"] == "Hi there X-Evil: yes"
    assert mail["From"].addresses[0].addr_spec == "news@resource-center.example"


def test_an_accent_in_the_slug_of_an_issue_stays_out_of_the_headers(issue):
    issue.slug = "edición-de-octubre"
    issue.save_revision()
    head = messages.variants(issue, [("en", "")])[0].template.partition(b"\r\n\r\n")[0]
    assert b"Feedback-ID: 2026-10:monthly:" in head


def test_a_long_subject_with_accents_is_folded_and_read_back_whole(issue):
    issue.subject = (
        "¿Cómo leen los niños? Ocho preguntas, una mañana y muchísimas páginas en cada salón de clases — ¡gratis!"
    )
    issue.save_revision()
    message = messages.fill(messages.variants(issue, [("en", "")])[0].template, SLOTS)
    assert parsed(message)["Subject"] == issue.subject
    assert max(map(len, message.partition(b"\r\nTo:")[0].split(b"\r\n"))) <= 78


def test_markup_in_titles_is_shown_not_run(issue, october):
    october["bell"].title = "<script>alert(1)</script> & more"
    october["bell"].save()
    text, html = bodies_of(messages.fill(messages.variants(issue, [("en", "")])[0].template, SLOTS))
    assert "<script>alert(1)</script> & more" in text
    assert "&lt;script&gt;alert(1)&lt;/script&gt; &amp; more" in html


def test_slots_in_an_editors_words_are_taken_out(issue):
    issue.subject = f"Hello {slots.slot('unsubscribe')}"
    issue.save_revision()
    assert messages.variants(issue, [("en", "")])[0].subject == "Hello unsubscribe"


def test_a_domain_in_another_script_goes_out_in_ascii(variant):
    filled = messages.fill(variant.template, messages.Slots("ana@españa.example", "<a@b>", SLOTS.date, "", ""))
    assert parsed(filled)["To"] == "ana@xn--espaa-rta.example"
    assert not messages.needs_smtputf8("ana@españa.example")
    assert messages.needs_smtputf8("josé@school.example")


def test_spanish_readers_get_the_spanish_issue(issue):
    english, spanish = messages.variants(issue, [("en", ""), ("es", "")])
    assert (english.language, spanish.language) == ("en", "es")
    assert spanish.content["sections"][0]["items"][0]["title"] == "Fracciones en la mano"
    assert bodies_of(messages.fill(spanish.template, SLOTS))[1].count('<html lang="es"') == 1


def test_without_a_finished_translation_everybody_gets_the_first_language(issue):
    page = IssuePage.objects.get(locale__language_code="es").get_latest_revision_as_object()
    page.subject = ""
    page.save_revision()
    (only,) = messages.variants(issue, [("en", ""), ("es", "")])
    assert only.segments == [("en", ""), ("es", "")]


def test_a_readers_choices_come_first_and_equal_orders_share_a_variant(issue, maria, terms):
    choose(maria, frozenset({terms["math"]}))
    maria.refresh_from_db()
    plain, math = messages.variants(issue, [("en", ""), ("en", maria.choices_key), ("en", "0" * 64)])
    assert plain.segments == [("en", ""), ("en", "0" * 64)]
    assert math.segments == [("en", maria.choices_key)]
    titles = [item["title"] for item in math.content["sections"][0]["items"]]
    assert titles == ["Fractions in your hand", "A good morning"]


def test_what_is_pinned_stays_first_for_everybody(issue, maria, terms):
    choose(maria, frozenset({terms["math"]}))
    maria.refresh_from_db()
    issue.resources[0].value["pinned"] = True
    issue.save_revision()
    (only,) = messages.variants(issue, [("en", ""), ("en", maria.choices_key)])
    assert only.content["sections"][0]["items"][0]["title"] == "A good morning"


def test_only_the_first_item_of_a_section_keeps_its_picture(variant):
    first, second = variant.content["sections"][0]["items"]
    assert first["picture"]
    assert second["picture"] is None


def test_pages_that_readers_can_not_open_never_reach_a_mail(issue, october):
    october["bell"].unpublish()
    content = messages.variants(issue, [("en", "")])[0].content
    assert [section["kind"] for section in content["sections"]] == ["resources", "events"]


def test_links_in_an_editors_words_become_absolute_and_scripts_vanish(issue, october):
    issue.introduction = (
        f'<p>See <a linktype="page" id="{october["morning"].pk}">this</a>, '
        '<a href="javascript:alert(1)">not this</a></p><script>alert(1)</script>'
    )
    issue.save_revision()
    text, html = bodies_of(messages.fill(messages.variants(issue, [("en", "")])[0].template, SLOTS))
    assert "[this](http://testserver/resources/a-good-morning/)" in text
    assert "alert(1)" not in text + html


def test_freezing_twice_makes_the_same_bytes(issue):
    assert messages.variants(issue, [("en", "")]) == messages.variants(issue, [("en", "")])


def test_a_test_copy_says_so_in_its_subject(issue):
    mail = parsed(messages.test_message(issue, "editor@school.example", "es"))
    assert mail["Subject"] == "[Test] Octubre: Fracciones en la mano"
    assert mail["To"] == "editor@school.example"


def test_a_notice_is_an_automatic_mail_in_the_same_frame(sam):
    notices.queue(sam, Notice.Kind.CONFIRMATION)
    notice = Notice.objects.get()
    mail = parsed(messages.notice_message(notice))
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail["To"] == "sam@school.example"
    assert mail["Message-ID"] == notice.message_id
    assert mail["List-Id"] == "Resource Center newsletter <monthly.resource-center.example>"
    text, html = (part.get_content() for part in mail.iter_parts())
    address = notices.words(notice)["confirm_url"]
    assert address in text
    assert BeautifulSoup(html, "lxml").find("a", href=address)
    assert "1 Test Lane" in text
    assert "1 Test Lane" in html


@pytest.mark.parametrize("kind", sorted({*Notice.Kind} - {Notice.Kind.PASSWORD, Notice.Kind.ACCOUNT}))
def test_every_kind_of_notice_to_a_subscriber_has_words(sam, kind):
    notices.queue(sam, Notice.Kind(kind))
    mail = parsed(messages.notice_message(Notice.objects.get()))
    assert mail["Subject"]
    assert "{{" not in mail.get_body("plain").get_content()


def test_text_is_wrapped_but_addresses_are_whole():
    address = "http://testserver/" + "a" * 90
    lines = bodies.wrapped(f"* {'word ' * 30}\n\n\n\n{address}").splitlines()
    assert max(map(len, lines[:-1])) <= 72
    assert lines[1].startswith("  word")
    assert lines[-2:] == ["", address]


def test_a_postal_address_of_several_lines_stays_so(settings):
    settings.MAIL_POSTAL_ADDRESS = "Resource Center\\n1 Test Lane\nProvidence"
    assert tree.postal_address() == ["Resource Center", "1 Test Lane", "Providence"]
