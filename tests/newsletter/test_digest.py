"""The month's draft: what goes in, what stays out, and what an editor's hand means."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from io import StringIO

import pytest
import time_machine
from django.core.exceptions import ValidationError
from django.core.management import CommandError, call_command
from wagtail.models import Locale, PageViewRestriction

from content.models import ArticlePage, CollectionPage, EventPage, StoryPage
from newsletter import digest
from newsletter.models import IssuePage, Mailing

OCTOBER = date(2026, 10, 1)


def titles(stream):
    return [child.value["page"].title for child in stream]


def spanish(issue):
    return issue.get_translation(Locale.objects.get(language_code="es")).get_latest_revision_as_object()


def test_a_draft_holds_what_was_published_in_the_month_and_events_to_come(issue):
    assert (issue.slug, issue.title, issue.live) == ("2026-10", "October 2026", False)
    assert titles(issue.resources) == ["A good morning", "Fractions in your hand"]
    assert titles(issue.stories) == ["The school that moved its bell"]
    assert titles(issue.events) == ["Open kitchen table"]


def test_a_draft_has_words_of_ours(issue):
    assert issue.subject == "October: A good morning"
    assert issue.preheader == "2 resources to use, 1 story from a partner, 1 invitation"
    assert "October" in issue.introduction


def test_the_month_ends_at_midnight_in_the_organisations_time_zone(november, publish):
    late = publish(ArticlePage, "Last minute of October")
    ArticlePage.objects.filter(pk=late.pk).update(first_published_at=datetime(2026, 11, 1, 3, 59, tzinfo=UTC))
    early = publish(ArticlePage, "First minute of November")
    ArticlePage.objects.filter(pk=early.pk).update(first_published_at=datetime(2026, 11, 1, 4, 1, tzinfo=UTC))
    assert titles(digest.draft(OCTOBER).resources) == ["Last minute of October"]


def test_collections_stand_behind_articles(november, publish):
    publish(CollectionPage, "Five for Friday", date(2026, 10, 30))
    publish(ArticlePage, "Reading aloud", date(2026, 10, 2))
    assert titles(digest.draft(OCTOBER).resources) == ["Reading aloud", "Five for Friday"]


def test_drafts_private_and_expired_pages_stay_out(november, publish, october):
    publish(ArticlePage, "A draft", date(2026, 10, 7), live=False)
    private = publish(StoryPage, "For partners only", date(2026, 10, 7))
    PageViewRestriction.objects.create(page=private, restriction_type="login")
    publish(ArticlePage, "Over", date(2026, 10, 7), expire_at=datetime(2026, 11, 2, tzinfo=UTC))
    publish(EventPage, "Yesterday's event", starts_at=datetime(2026, 11, 2, tzinfo=UTC))
    issue = digest.draft(OCTOBER)
    assert titles(issue.resources) == ["A good morning", "Fractions in your hand"]
    assert titles(issue.stories) == ["The school that moved its bell"]
    assert titles(issue.events) == ["Open kitchen table"]


def test_the_spanish_issue_leads_with_spanish_pages_and_keeps_the_others(issue):
    page = spanish(issue)
    assert titles(page.resources) == ["Fracciones en la mano", "A good morning"]
    assert page.translation_key == issue.translation_key
    assert page.url_path.endswith("/newsletter/issues/2026-10/")


def test_without_spanish_content_there_is_no_spanish_issue(november, publish):
    publish(ArticlePage, "Reading aloud", date(2026, 10, 2))
    assert not digest.draft(OCTOBER).get_translations().exists()


def test_a_month_without_anything_is_refused_with_a_reason(newsletter, november):
    with pytest.raises(digest.NothingToSay, match="Nothing was published in October 2026"):
        digest.draft(OCTOBER)
    assert not IssuePage.objects.exists()


def test_a_second_run_changes_nothing_when_nothing_is_new(issue):
    again = digest.draft(OCTOBER)
    assert again.pk == issue.pk
    assert again.revisions.count() == 1


def test_a_second_run_adds_what_was_published_since(issue, publish):
    publish(ArticlePage, "Late but good", date(2026, 10, 31))
    again = digest.draft(OCTOBER)
    assert again.pk == issue.pk
    assert titles(again.resources) == ["Late but good", "A good morning", "Fractions in your hand"]


def test_a_second_run_keeps_the_issue_when_nothing_is_left_to_say(november, publish):
    article = publish(ArticlePage, "Reading aloud", date(2026, 10, 2))
    issue = digest.draft(OCTOBER)
    article.unpublish()
    again = digest.draft(OCTOBER)
    assert (again.pk, again.subject, again.revisions.count()) == (issue.pk, issue.subject, 1)


def test_without_a_newsletter_page_the_drafter_says_what_is_missing(db, november):
    with pytest.raises(CommandError, match="There is no newsletter page"):
        call_command("compose_digest", "--month", "2026-10")


def test_an_editors_hand_stops_the_drafter(issue, publish):
    issue.subject = "My own words"
    issue.save_revision()
    publish(ArticlePage, "Late but good", date(2026, 10, 31))
    again = digest.draft(OCTOBER)
    assert again.subject == "My own words"
    assert titles(again.resources) == ["A good morning", "Fractions in your hand"]


def test_a_published_or_scheduled_issue_is_left_alone(issue, publish):
    at = datetime(2026, 11, 9, tzinfo=UTC)
    Mailing.objects.create(issue=issue, newsletter=issue.newsletter, subject="October", scheduled_for=at)
    publish(ArticlePage, "Late but good", date(2026, 10, 31))
    assert titles(digest.draft(OCTOBER).resources) == ["A good morning", "Fractions in your hand"]


def test_an_issue_begun_by_hand_is_the_months_issue(issue):
    IssuePage.objects.filter(pk=issue.pk).update(digest_key=None, composed_revision=None)
    assert digest.draft(OCTOBER).pk == issue.pk


def test_the_database_refuses_a_second_draft_of_a_month(issue):
    twin = IssuePage(
        title="Twin", slug="twin", month=OCTOBER, newsletter=issue.newsletter, digest_key="monthly:2026-10:en"
    )
    with pytest.raises(ValidationError, match="Digest key already exists"):
        issue.get_parent().add_child(instance=twin)


def test_the_month_before_this_one_begins_in_the_organisations_time_zone():
    with time_machine.travel(datetime(2026, 11, 1, 2, tzinfo=UTC)):
        assert digest.last_month() == date(2026, 9, 1)
    with time_machine.travel(datetime(2026, 11, 1, 12, tzinfo=UTC)):
        assert digest.last_month() == date(2026, 10, 1)


def test_compose_digest_prints_one_json_object(november, october):
    out = StringIO()
    call_command("compose_digest", "--month", "2026-10", "--json", stdout=out)
    issue = IssuePage.objects.get(locale__language_code="en")
    assert json.loads(out.getvalue()) == {
        "issue": issue.pk,
        "slug": "2026-10",
        "resources": 2,
        "stories": 1,
        "events": 1,
        "edit_url": f"http://testserver/admin/pages/{issue.pk}/edit/",
    }


def test_compose_digest_says_why_it_drafts_nothing(newsletter, november):
    with pytest.raises(CommandError, match="no issue to draft"):
        call_command("compose_digest", "--month", "2026-10")


@pytest.mark.parametrize("text", ["October", "2026-13", "9999-12", "0001-01"])
def test_compose_digest_refuses_what_is_no_month(text):
    with pytest.raises(CommandError, match=rf"“{text}” is no month\. Write it like 2026-10\."):
        call_command("compose_digest", "--month", text)


def test_a_whole_issue_has_no_problems(issue):
    assert digest.problems(issue) == []


def test_missing_settings_are_named_with_their_mend(issue, settings):
    settings.MAIL_FROM = settings.MAIL_POSTAL_ADDRESS = ""
    sender, address = digest.problems(issue)
    assert "Set MAIL_FROM" in sender
    assert "Set MAIL_POSTAL_ADDRESS" in address


def test_an_issue_needs_a_subject_and_something_in_it(issue):
    issue.subject, issue.resources, issue.stories, issue.events = " ", [], [], []
    issue.save_revision()
    assert digest.problems(issue) == [
        "The subject is empty. Write one under “In the inbox”.",
        "There is nothing in it. Add at least one resource, story or invitation.",
    ]


def test_an_item_that_readers_can_not_open_is_a_problem(issue, october):
    october["bell"].unpublish()
    problem = "Readers can not open “The school that moved its bell”. Publish it, or take it out."
    assert digest.problems(issue) == [problem, f"Spanish: {problem}"]


def test_an_event_that_is_over_is_a_problem(issue):
    with time_machine.travel(datetime(2026, 12, 24, tzinfo=UTC)):
        assert "“Open kitchen table” is over. Take it out of the invitations." in digest.problems(issue)


def test_a_picture_that_lost_its_credit_is_a_problem_in_every_language(issue, october):
    image = october["fractions"].picture
    image.licence = ""
    image.save()
    english, spanish = digest.problems(issue)
    assert english == "“Fractions in your hand”: the picture “Fraction tiles” has no licence."
    assert spanish.startswith("Spanish: “Fracciones en la mano”")


def test_a_placeholder_is_a_problem(issue):
    issue.introduction = "<p>Dear {{ first_name }},</p>"
    issue.save_revision()
    assert any("“{{ first_name }}" in problem for problem in digest.problems(issue))


def test_a_placeholder_in_an_items_own_words_is_a_problem(issue):
    issue.stories[0].value["summary"] = "For *|FNAME|*"
    issue.save_revision()
    assert any("“*|FNAME|*”" in problem for problem in digest.problems(issue))


def test_a_page_that_goes_live_later_is_a_problem(issue):
    issue.go_live_at = datetime(2026, 12, 1, 13, tzinfo=UTC)
    issue.save_revision()
    assert any("set to go live on Dec. 1, 2026, 8 a.m." in problem for problem in digest.problems(issue))
    with time_machine.travel(datetime(2026, 12, 2, tzinfo=UTC)):
        assert digest.problems(issue) == []


def test_a_mail_that_gmail_would_cut_off_is_a_problem(issue):
    issue.introduction = "<p>word </p>" * 9000
    issue.save_revision()
    assert any("Gmail cuts off after 102" in problem for problem in digest.problems(issue))
