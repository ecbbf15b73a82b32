"""A facet and a third language come to a running site, and go again: both are offered everywhere, nothing breaks."""

from __future__ import annotations

import csv
import re
from urllib.parse import urlsplit

import pytest
import requests
from bs4 import BeautifulSoup

pytestmark = [pytest.mark.once, pytest.mark.xdist_group("journey")]
AMINA = "amina@school.example"
LUC = "luc@school.example"
FACETS = """
from content.models import *
from wagtail.models import Locale
en = Locale.objects.get(language_code="en")
topic = Facet.objects.create(name="Topic", slug="topic", locale=en)
equity = Term.objects.create(facet=topic, name="Equity", slug="equity", locale=en)
page = ResourceCenterPage.objects.get(locale=en).add_child(instance=ArticlePage(
    title="The pond in May", slug="pond", live=False, summary="Look closely."))
page.terms = [equity]
page.save_revision().publish()
"""
MOOD = """
from content.models import *
from wagtail.models import Locale
en = Locale.objects.get(language_code="en")
season = Facet.objects.create(name="Season", slug="season", locale=en, position=9)
spring = Term.objects.create(facet=season, name="Spring term", slug="spring", locale=en)
page = ArticlePage.objects.get(slug="pond")
page.terms = [*page.terms.all(), spring]
page.save_revision().publish()
"""
FRENCH = """
import datetime
from django.utils import timezone
from content.models import *
from wagtail.models import Locale
fr = Locale.objects.get(language_code="fr")
page = ArticlePage.objects.get(slug="pond").copy_for_translation(fr)
page.title, page.summary, page.slug = "La mare en mai", "Des grenouilles et leurs oeufs.", "mare"
page.save_revision().publish()
event = EventsPage.objects.get(locale=fr).add_child(instance=EventPage(
    title="Une promenade", slug="promenade", live=False,
    starts_at=datetime.datetime(2031, 12, 2, 18, tzinfo=datetime.UTC)))
event.save_revision().publish()
"""


def get(site, path, status=200):
    """A page as an anonymous reader gets it."""
    answer = requests.get(site.url + path, allow_redirects=False)
    assert answer.status_code == status, f"{path}: {answer.status_code} {answer.text[:300]}"
    return answer


def is_kept(answer):
    """Whether the answer is one that the page cache keeps: no other gives it this kind of tag."""
    return answer.headers.get("ETag", "").startswith('W/"') and "public" in answer.headers["Cache-Control"]


def soup(answer):
    return BeautifulSoup(answer.text, "lxml")


def shell(site, code):
    return site.manage("shell", "--no-imports", "-c", code)


def path_of(mail, part):
    return urlsplit(mail.links(part)[0]).path


def subscribers(site, tmp_path):
    site.manage("export_subscribers", tmp_path / "people.csv")
    with (tmp_path / "people.csv").open(newline="", encoding="utf-8") as file:
        return {row["email"]: row for row in csv.DictReader(file)}


def test_a_facet_and_a_third_language_come_and_go(site, inbox, tmp_path):
    inbox.mails.clear()
    shell(site, FACETS)
    assert "season" not in get(site, "/resources/").text
    a_facet_made_while_the_site_runs_is_offered_and_cached(site)
    a_subscriber_chooses_by_it(site, inbox, tmp_path)
    restart(site, "en es fr")
    every_room_speaks_french(site)
    a_french_page_is_found_and_fed(site)
    a_french_reader_signs_up_and_gets_mail(site, inbox, tmp_path)
    farewell = an_issue_reaches_both(site, inbox)
    restart(site, "en es")
    the_language_is_gone_and_nothing_breaks(site, farewell, tmp_path)
    restart(site, "fr en")
    another_language_comes_first(site)


def restart(site, languages):
    site.stop()
    site.environment["LANGUAGES"] = languages
    site.start()


def a_facet_made_while_the_site_runs_is_offered_and_cached(site):
    assert not is_kept(get(site, "/resources/?season=spring"))
    shell(site, MOOD)

    def offered():
        return "Spring term" in get(site, "/resources/").text

    site.wait(offered, 30, "the new facet in the list")
    narrowed = get(site, "/resources/?season=spring")
    assert is_kept(narrowed)
    assert "The pond in May" in narrowed.text
    assert soup(narrowed).select_one('input[name="season"][value="spring"]').has_attr("checked")
    assert "autumn" in get(site, "/resources/?season=autumn").text  # unknown, and said
    feed = get(site, "/feeds/resources.rss?season=spring")
    assert is_kept(feed)
    assert "The pond in May" in feed.text
    assert "The pond in May" not in get(site, "/feeds/resources.rss?season=autumn").text
    assert not is_kept(get(site, "/resources/?mood=calm"))


def a_subscriber_chooses_by_it(site, inbox, tmp_path):
    form = soup(get(site, "/newsletter/"))
    assert form.select_one('main input[name="season"][value="spring"]')
    data = {"email": AMINA, "season": "spring", "topic": ["equity", "nonsense"], "shoe": "red"}
    assert requests.post(f"{site.url}/newsletter/subscribe/", data=data).status_code == 200
    mail = inbox.wait_for(AMINA)[0]
    assert requests.post(site.url + path_of(mail, "/confirm/")).status_code == 200
    row = subscribers(site, tmp_path)[AMINA]
    assert (row["season"], row["topic"], row["status"]) == ("spring", "equity", "confirmed")
    preferences = path_of(inbox.wait_for(AMINA, 2)[-1], "/preferences/")
    assert soup(get(site, preferences)).select_one('input[name="season"][value="spring"]').has_attr("checked")
    saved = requests.post(site.url + preferences, data={"name": "Amina", "topic": "equity", "language": "en"})
    assert saved.status_code == 200
    assert subscribers(site, tmp_path)[AMINA]["season"] == ""
    requests.post(site.url + preferences, data={"name": "Amina", "season": "spring", "language": "en"})
    again = site.manage_json("import_subscribers", tmp_path / "people.csv", "--consent", "Yes.")
    assert again["rows"] == 1 and again["rejected"] == []


def every_room_speaks_french(site):
    rooms = ["", "resources/", "stories/", "events/", "collections/", "newsletter/", "image-credits/"]
    for room in rooms:
        page = get(site, f"/fr/{room}")
        assert soup(page).html["lang"] == "fr", room
        assert is_kept(page), room
    switch = soup(get(site, "/")).select(".masthead__languages a")
    assert [link["hreflang"] for link in switch] == ["en", "es", "fr"]
    assert [link.text.strip() for link in switch] == ["English", "Español", "Français"]
    assert soup(get(site, "/")).select_one('link[rel="alternate"][hreflang="fr"]')
    sitemap = get(site, "/sitemap.xml").text
    assert f"{site.url}/fr/resources/" in sitemap
    assert 'hreflang="fr"' in sitemap
    offered = [
        option["value"] for option in soup(get(site, "/newsletter/")).select('main select[name="language"] option')
    ]
    assert offered == ["en", "es", "fr"]
    assert "fr" in get(site, "/.well-known/security.txt").text


def a_french_page_is_found_and_fed(site):
    shell(site, FRENCH)
    site.wait(lambda: "La mare en mai" in get(site, "/fr/resources/").text, 60, "the French page in the list")
    assert "La mare en mai" in get(site, "/fr/resources/?q=grenouille").text
    assert "La mare en mai" in get(site, "/fr/resources/?season=spring").text
    assert is_kept(get(site, "/fr/resources/?season=spring&language=fr"))
    assert "The pond in May" in get(site, "/resources/?language=fr&language=en").text
    assert get(site, "/resources/?language=tlh").status_code == 200
    assert "La mare en mai" in get(site, "/fr/feeds/resources.atom").text
    assert get(site, "/fr/feeds/resources.json?season=spring").json()["language"] == "fr"
    assert "mardi, 2 décembre 2031" in get(site, "/fr/events/promenade/").text.lower()
    assert "BEGIN:VEVENT" in get(site, "/fr/events/promenade/event.ics").text
    found = get(site, "/api/v2/pages/?locale=fr&type=content.ArticlePage").json()
    assert [item["title"] for item in found["items"]] == ["La mare en mai"]


def a_french_reader_signs_up_and_gets_mail(site, inbox, tmp_path):
    form = soup(get(site, "/fr/newsletter/"))
    assert form.select_one('main input[name="season"][value="spring"]'), "offered in the first language's words"
    answer = requests.post(f"{site.url}/fr/newsletter/subscribe/", data={"email": LUC, "season": "spring"})
    assert answer.status_code == 200
    mail = inbox.wait_for(LUC)[0]
    assert soup_of(mail).html["lang"] == "fr"
    confirm = path_of(mail, "/confirm/")
    assert confirm.startswith("/fr/newsletter/confirm/")
    assert get(site, confirm).status_code == 200
    assert requests.post(site.url + confirm).status_code == 200
    row = subscribers(site, tmp_path)[LUC]
    assert (row["language"], row["season"]) == ("fr", "spring")


def soup_of(mail):
    return BeautifulSoup(mail.html, "lxml")


def an_issue_reaches_both(site, inbox):
    """The way out of Luc's copy."""
    month = site.manage("shell", "--no-imports", "-c", "from django.utils import timezone; print(timezone.localdate())")
    drafted = site.manage_json("compose_digest", "--month", month.strip()[:7])
    assert drafted["issue"]
    sent = site.manage_json("send_issue", drafted["slug"])
    assert sent["recipients"] == 2
    before = len(inbox.sent_to(LUC))
    mail = inbox.wait_for(LUC, max(before, 3))[-1]
    assert inbox.wait_for(AMINA, len(inbox.sent_to(AMINA)))
    unsubscribe = re.search(r"<(http[^>]+)>", mail.message["List-Unsubscribe"] or "")
    return urlsplit(unsubscribe[1]).path if unsubscribe else path_of(mail, "/unsubscribe/")


def the_language_is_gone_and_nothing_breaks(site, farewell, tmp_path):
    for path in ("/fr/", "/fr/resources/", "/fr/resources/mare/", "/fr/feeds/resources.rss", "/fr/events/"):
        get(site, path, 404)
    for path in ("/", "/resources/?language=fr", "/es/", "/newsletter/", "/image-credits/", "/sitemap.xml"):
        page = get(site, path)
        assert 'hreflang="fr"' not in page.text, path
    assert "/fr/" not in get(site, "/sitemap.xml").text
    assert "mare" not in str(get(site, "/api/v2/pages/?type=content.ArticlePage").json())
    assert "readers can not open them: LANGUAGES does not name fr" in site.log.read_text()
    assert get(site, farewell).status_code == 200
    left = requests.post(site.url + farewell, data={"List-Unsubscribe": "One-Click"}, allow_redirects=False)
    assert left.status_code == 200
    assert subscribers(site, tmp_path)[LUC]["status"] == "unsubscribed"
    get(site, farewell.replace("/unsubscribe/", "/preferences/"), 404)  # a token is good for one purpose


def another_language_comes_first(site):
    assert soup(get(site, "/")).html["lang"] == "fr"
    assert "La mare en mai" in get(site, "/resources/").text
    assert soup(get(site, "/en/")).html["lang"] == "en"
    assert "The pond in May" in get(site, "/en/resources/").text
    get(site, "/es/", 404)
    get(site, "/fr/", 404)
