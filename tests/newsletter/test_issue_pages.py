"""Issues on the web: the draft while it is written, what was frozen once it was sent, and the archive."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest
from bs4 import BeautifulSoup

from content.models import ArticlePage
from newsletter import delivery, digest, messages
from newsletter.models import IssuePage, NewsletterPage

pytestmark = pytest.mark.once


def publish_all(issue):
    for page in messages.editions(issue).values():
        page.get_latest_revision().publish()


@pytest.fixture
def sent(issue, maria):
    """October's issue, frozen and on the web."""
    delivery.start(delivery.schedule(issue))
    return IssuePage.objects.get(pk=issue.pk)


def soup(client, path):
    answer = client.get(path)
    assert answer.status_code == 200
    return BeautifulSoup(answer.content, "lxml")


def test_a_draft_is_not_on_the_web(client, issue):
    assert client.get("/newsletter/issues/2026-10/").status_code == 404


def test_an_issue_lives_under_issues_only(client, sent):
    assert client.get("/newsletter/2026-10/").status_code == 404
    assert client.get("/newsletter/issues/").status_code == 404


def test_an_issue_page_has_one_heading_its_items_and_their_credits(client, sent):
    page = soup(client, "/newsletter/issues/2026-10/")
    assert [h1.get_text() for h1 in page.find_all("h1")] == ["October 2026"]
    assert [h3.get_text() for h3 in page.main.find_all("h3")] == [
        "A good morning",
        "Fractions in your hand",
        "The school that moved its bell",
        "Open kitchen table",
    ]
    for figure in page.main.find_all("figure"):
        assert figure.img["alt"]
        assert "© Resource Center | Artist: Rosa Lindqvist" in figure.get_text()


def test_a_sent_issue_shows_what_was_frozen_whatever_happens_later(client, sent, october):
    october["morning"].title = "Another title"
    october["morning"].save()
    sent.introduction = "<p>Rewritten</p>"
    sent.save_revision().publish()
    words = soup(client, "/newsletter/issues/2026-10/").main.get_text()
    assert "A good morning" in words
    assert "Another title" not in words
    assert "Rewritten" not in words


def test_a_cancelled_mailing_freezes_nothing(client, sent):
    delivery.cancel(sent.mailings.get())
    sent.introduction = "<p>Rewritten</p>"
    sent.save_revision().publish()
    assert "Rewritten" in soup(client, "/newsletter/issues/2026-10/").main.get_text()


def test_a_correction_stands_above_what_was_sent_with_its_date(client, sent):
    sent.corrections = [("correction", {"date": date(2026, 11, 5), "text": "<p>It was seven tiles.</p>"})]
    sent.save_revision().publish()
    aside = soup(client, "/newsletter/issues/2026-10/").main.aside
    assert "Nov. 5, 2026" in aside.get_text()
    assert "It was seven tiles." in aside.get_text()


def test_the_spanish_page_shows_what_spanish_readers_got(client, sent):
    page = soup(client, "/es/newsletter/issues/2026-10/")
    assert page.html["lang"] == "es"
    assert page.main.find("h3").get_text() == "Fracciones en la mano"


def test_the_archive_lists_issues_newest_first(client, sent, publish):
    publish(ArticlePage, "Reading aloud", date(2026, 9, 5))
    publish_all(digest.draft(date(2026, 9, 1)))
    page = soup(client, "/newsletter/")
    assert [h3.get_text() for h3 in page.select(".archive h3")] == ["October 2026", "September 2026"]
    assert page.select(".archive a")[0]["href"] == "/newsletter/issues/2026-10/"


def test_an_empty_archive_says_so(client, newsletter):
    page = soup(client, "/newsletter/")
    assert "The first issue is being written" in page.main.get_text()
    assert page.main.find("input", attrs={"name": "email"})


@pytest.fixture
def many(newsletter):
    """Thirty issues on the web."""
    parent = NewsletterPage.objects.get(locale__language_code="en")
    for number in range(30):
        month = date(2024 + number // 12, number % 12 + 1, 1)
        parent.add_child(
            instance=IssuePage(title=f"Issue {number}", slug=f"issue-{number}", month=month, newsletter=newsletter)
        )


def test_a_long_archive_has_pages_and_costs_the_same_number_of_queries(
    client, many, newsletter, django_assert_max_num_queries
):
    assert len(soup(client, "/newsletter/").select(".archive li")) == 12
    assert len(soup(client, "/newsletter/?page=3").select(".archive li")) == 6
    assert len(soup(client, "/newsletter/?page=nonsense").select(".archive li")) == 12
    with django_assert_max_num_queries(40):
        client.get("/newsletter/")


def test_the_words_of_an_issue_cost_the_same_number_of_queries_when_frozen(client, sent, django_assert_max_num_queries):
    client.get("/newsletter/issues/2026-10/")
    with django_assert_max_num_queries(30):
        client.get("/newsletter/issues/2026-10/")


@pytest.mark.parametrize(("mode", "words"), [("mail", "<!DOCTYPE html>"), ("text", "ACTIONABLE RESOURCES")])
def test_an_editor_previews_mail_and_text(admin_client, issue, mode, words):
    answer = admin_client.get(f"/admin/pages/{issue.pk}/view_draft/?mode={mode}")
    assert words in answer.content.decode()
    assert "\ue000" not in answer.content.decode()
    assert "style-src 'self' 'unsafe-inline'" in answer.headers["Content-Security-Policy"]


def test_the_preview_of_the_web_page_shows_the_draft_even_after_sending(admin_client, sent):
    sent.introduction = "<p>Rewritten</p>"
    sent.save_revision()
    answer = admin_client.get(f"/admin/pages/{sent.pk}/view_draft/")
    assert "Rewritten" in answer.content.decode()


def test_an_editor_previews_the_mail_as_readers_with_a_choice_get_it(admin_client, issue, terms):
    modes = dict(issue.preview_modes)
    assert modes[f"mail-{terms['math']}"] == "As mail, for readers who chose “Math”"
    answer = admin_client.get(f"/admin/pages/{issue.pk}/view_draft/?mode=mail-{terms['math']}")
    titles = [h3.get_text() for h3 in BeautifulSoup(answer.content, "lxml").find_all("h3")]
    assert titles[:2] == ["Fractions in your hand", "A good morning"]


def test_a_preview_offers_the_width_of_a_mail(issue):
    assert 600 in [size["device_width"] for size in issue.preview_sizes]


def test_a_half_filled_draft_can_be_previewed(admin_client, newsletter):
    parent = NewsletterPage.objects.get(locale__language_code="en")
    page = IssuePage(title="Half", slug="half", month=datetime(2026, 10, 1, tzinfo=UTC).date(), newsletter=newsletter)
    parent.add_child(instance=page)
    for mode in ("", "mail", "text"):
        assert admin_client.get(f"/admin/pages/{page.pk}/view_draft/?mode={mode}").status_code == 200
