"""The main job from end to end, with every part real: publish, find, subscribe, digest, delivery, leave."""

from __future__ import annotations

import csv
import datetime
import re
from urllib.parse import urljoin

import pytest
import requests
from bs4 import BeautifulSoup

from tests.live import ROOT

pytestmark = [pytest.mark.once, pytest.mark.xdist_group("journey")]
ARTICLE = ROOT / "tests" / "data" / "journey"
PATH = "/resources/a-fair-start-for-every-reader/"
CREDIT = "© Common Thread Learning Network | Artist: Imani Okafor"
MARIA = "maria.lopez@school.example"
PASSWORD = "a long password for tests"
STORY_AND_EVENT = """
import datetime
from django.utils import timezone
from content.models import EventsPage, EventPage, Partner, StoriesPage, StoryPage
from wagtail.models import Locale
en = Locale.objects.get(language_code="en")
partner = Partner.objects.create(
    name="Harbor Street School", slug="harbor-street", kind="school", state="RI", locale=en)
story = StoriesPage.objects.get(locale=en).add_child(instance=StoryPage(
    title="How Harbor Street reads together", slug="harbor-street-reads", partner=partner, live=False,
    summary="Every adult in the building reads with a group of four, twice a week."))
story.save_revision().publish()
event = EventsPage.objects.get(locale=en).add_child(instance=EventPage(
    title="An evening with four librarians", slug="four-librarians", live=False,
    starts_at=timezone.now() + datetime.timedelta(days=70),
    ends_at=timezone.now() + datetime.timedelta(days=70, hours=1),
    invitation="Bring a question and a book you love."))
event.save_revision().publish()
"""
LAST_MONTHS_ARTICLE = """
import datetime
from content.models import ArticlePage, ResourceCenterPage
from wagtail.models import Locale
page = ResourceCenterPage.objects.get(locale__language_code="en").add_child(instance=ArticlePage(
    title="Planning backwards from the goal", slug="planning-backwards", live=False, summary="Begin at the end.",
    published_on=datetime.date.fromisoformat("{day}")))
page.save_revision().publish()
"""


@pytest.fixture(scope="module")
def editor(site):
    """An editor, signed in to the admin over HTTP."""
    site.environment["DJANGO_SUPERUSER_PASSWORD"] = PASSWORD
    site.manage("createsuperuser", "--noinput", "--username", "editor", "--email", "editor@resource-center.example")
    session = requests.Session()
    session.get(f"{site.url}/admin/login/")
    answer = session.post(
        f"{site.url}/admin/login/",
        data={"username": "editor", "password": PASSWORD, "csrfmiddlewaretoken": session.cookies["csrftoken"]},
        headers={"Referer": site.url},
    )
    assert answer.ok and "/login/" not in answer.url
    return session


def submit(session, url, changes):
    """Fill in the last form of an admin page and send it, as a browser would."""
    soup = BeautifulSoup(session.get(url).text, "html.parser")
    form = soup.select("main form, form")[-1]
    form = next((f for f in soup.select("form") if any(f.select(f"[name='{name}']") for name in changes)), form)
    data = {}
    for field in form.select("input[name], textarea[name], select[name]"):
        if field.name == "select":
            chosen = field.select_one("option[selected]")
            data[field["name"]] = chosen["value"] if chosen else ""
        elif field.name == "textarea":
            data[field["name"]] = field.text.strip()
        elif field.get("type") not in ("file", "checkbox", "radio", "submit") or field.has_attr("checked"):
            data[field["name"]] = field.get("value", "")
    action = urljoin(url, form.get("action") or url)
    return session.post(action, data={**data, **changes}, headers={"Referer": url})


def statuses(site, tmp_path):
    """What export_subscribers says: address -> status."""
    site.manage("export_subscribers", tmp_path / "subscribers.csv")
    with (tmp_path / "subscribers.csv").open(newline="", encoding="utf-8") as file:
        return {row["email"]: row["status"] for row in csv.DictReader(file)}


def test_the_month_from_an_imported_article_to_a_click_that_ends_it(site, editor, inbox, tmp_path):
    inbox.mails.clear()
    page, image = an_article_is_imported_but_refused_without_a_licence(site)
    the_editor_is_refused_too_then_mends_the_credit_and_publishes(site, editor, page, image)
    a_reader_finds_it_by_search_with_its_credit(site)
    a_subscriber_signs_up_and_only_a_post_confirms(site, inbox, tmp_path)
    mail = the_digest_of_the_month_reaches_her(site, inbox)
    the_mail_is_complete(site, mail)
    one_click_unsubscribes_without_a_cookie(site, mail, tmp_path)
    the_next_mailing_skips_her(site, inbox, tmp_path)


def an_article_is_imported_but_refused_without_a_licence(site):
    receipt = site.manage_json("import_resources", ARTICLE, "--format", "html", "--publish")
    assert (receipt["created"], receipt["images"], receipt["missing_images"]) == (1, 1, 0)
    assert receipt["needs_attribution"] == 1
    assert any("licence" in problem["what"] for problem in receipt["problems"])
    assert requests.get(site.url + PATH).status_code == 404
    found = site.manage(
        "shell", "--no-imports", "-c",
        "from content.models import *; print(ArticlePage.objects.get().pk, CreditedImage.objects.get().pk)",
    )  # fmt: skip
    return found.split()


def the_editor_is_refused_too_then_mends_the_credit_and_publishes(site, editor, page, image):
    publish = f"{site.url}/admin/bulk/wagtailcore/page/publish/?id={page}&next=/admin/"
    refused = submit(editor, publish, {})
    assert "licence" in refused.text.lower()
    assert requests.get(site.url + PATH).status_code == 404
    form = f"{site.url}/admin/images/{image}/"
    mended = submit(editor, form, {"licence": "CC-BY-4.0", "source_url": "https://resource-center.example/picture"})
    assert mended.ok
    assert submit(editor, publish, {}).ok
    assert requests.get(site.url + PATH).status_code == 200


def a_reader_finds_it_by_search_with_its_credit(site):
    listed = requests.get(f"{site.url}/resources/", params={"q": "fair readers"})
    assert PATH in listed.text
    article = requests.get(site.url + PATH)
    assert not article.cookies
    soup = BeautifulSoup(article.text, "html.parser")
    figure = soup.select_one("main figure")
    assert CREDIT in re.sub(r"\s+", " ", figure.get_text(" ", strip=True)).replace(" |", " |")
    assert figure.img["alt"].startswith("Two panels at a library shelf")


def a_subscriber_signs_up_and_only_a_post_confirms(site, inbox, tmp_path):
    answer = requests.post(
        f"{site.url}/newsletter/subscribe/", data={"email": MARIA, "name": "Maria"}, headers={"Origin": site.url}
    )
    assert answer.status_code == 200
    confirmation = inbox.wait_for(MARIA)[0]
    assert confirmation.message["Auto-Submitted"] == "auto-generated"
    assert "Maria" not in confirmation.text
    link = confirmation.links("/newsletter/confirm/")[0]
    for visit in (requests.get, requests.head, requests.get):
        assert visit(link).status_code == 200
    assert statuses(site, tmp_path) == {MARIA: "pending"}
    assert requests.post(link).status_code == 200
    assert statuses(site, tmp_path) == {MARIA: "confirmed"}


def the_digest_of_the_month_reaches_her(site, inbox):
    site.manage("shell", "--no-imports", "-c", STORY_AND_EVENT)
    before = len(inbox.sent_to(MARIA))
    drafted = site.manage_json("compose_digest", "--month", f"{datetime.date.today():%Y-%m}")
    assert [drafted[kind] for kind in ("resources", "stories", "events")] == [1, 1, 1]
    sent = site.manage_json("send_issue", drafted["issue"])
    assert sent["recipients"] == 1
    site.wait(
        lambda: site.manage_json("mailing_status", sent["mailing"])["state"] == "sent", 90, "the mailing to be sent"
    )
    status = site.manage_json("mailing_status", sent["mailing"])
    assert (status["sent"], status["failed"], status["queued"], status["in_flight"]) == (1, 0, 0, 0)
    archive = requests.get(f"{site.url}/newsletter/issues/{drafted['slug']}/")
    assert "A fair start for every reader" in archive.text
    return next(
        mail for mail in inbox.wait_for(MARIA, before + 1) if "A fair start" in mail.text and mail.message["List-Id"]
    )


ONCE = ("From", "To", "Date", "Subject", "MIME-Version", "Message-ID", "List-Id", "List-Unsubscribe",
        "List-Unsubscribe-Post", "List-Archive", "Feedback-ID")  # fmt: skip


def the_mail_is_complete(site, mail):
    message = mail.message
    assert {name: len(message.get_all(name, [])) for name in ONCE} == dict.fromkeys(ONCE, 1)
    assert message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert message["To"].addresses[0].addr_spec == MARIA and len(mail.envelope_to) == 1
    assert re.fullmatch(r"bounce\+[^@]+@bounces\.resource-center\.example", mail.envelope_from)
    assert message.get_content_type() == "multipart/alternative"
    assert [part.get_content_type() for part in message.iter_parts()] == ["text/plain", "text/html"]
    assert max(map(len, mail.raw.splitlines())) <= 998
    assert len(mail.html.encode()) < 102_000
    soup = BeautifulSoup(mail.html, "html.parser")
    assert soup.html["lang"] == "en"
    assert all(picture.has_attr("alt") for picture in soup.select("img"))
    assert not soup.select("form, script, meta[http-equiv=refresh]")
    addresses = [tag.get("href") or tag.get("src") for tag in soup.select("a[href], img[src]")]
    assert all(re.match(r"https?://|mailto:", address) for address in addresses)
    for part in (mail.text, soup.get_text(" ")):
        words = re.sub(r"\s+", " ", part)
        for expected in (
            "A fair start for every reader",
            "How Harbor Street reads together",
            "An evening with four librarians",
            "1 Test Lane, Providence, RI 02903",
        ):
            assert expected in words
        assert not re.search(r"\{\{|\}\}|\{%|%\}", words)
    for link in ("/newsletter/unsubscribe/", "/newsletter/preferences/", "/newsletter/issues/"):
        assert link in mail.text and link in mail.html


def one_click_unsubscribes_without_a_cookie(site, mail, tmp_path):
    link = re.search(r"<(https?://[^>]+)>", mail.message["List-Unsubscribe"]).group(1)
    for visit in (requests.get, requests.head):
        assert visit(link, allow_redirects=False).status_code == 200
    assert statuses(site, tmp_path)[MARIA] == "confirmed"
    answer = requests.post(link, data={"List-Unsubscribe": "One-Click"}, allow_redirects=False)
    assert answer.status_code == 200
    assert statuses(site, tmp_path)[MARIA] == "unsubscribed"


def the_next_mailing_skips_her(site, inbox, tmp_path):
    others = tmp_path / "others.csv"
    others.write_text("email,name\nsam@school.example,Sam\n" + MARIA + ",Maria\n", encoding="utf-8")
    imported = site.manage_json("import_subscribers", others, "--consent", "Signed up at the spring meeting, on paper.")
    assert imported["created"] == 1
    assert statuses(site, tmp_path)[MARIA] == "unsubscribed"
    last_month = datetime.date.today().replace(day=1) - datetime.timedelta(days=1)
    site.manage("shell", "--no-imports", "-c", LAST_MONTHS_ARTICLE.format(day=last_month.replace(day=12)))
    before = len(inbox.sent_to(MARIA))
    drafted = site.manage_json("compose_digest", "--month", f"{last_month:%Y-%m}")
    sent = site.manage_json("send_issue", drafted["issue"])
    assert sent["recipients"] == 1
    inbox.wait_for("sam@school.example")
    site.wait(
        lambda: site.manage_json("mailing_status", sent["mailing"])["state"] == "sent", 90, "the mailing to be sent"
    )
    assert len(inbox.sent_to(MARIA)) == before
