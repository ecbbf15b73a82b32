"""Any facet an editor makes is offered to subscribers, unless its editor says no; and any language of the site."""

import csv
import datetime
import io

import pytest
from bs4 import BeautifulSoup
from django.core.exceptions import ValidationError
from django.urls import reverse
from django.utils import translation
from wagtail.models import Locale

from content import languages
from content.models import ArticlePage, Facet, ResourceCenterPage, Term
from newsletter import choices, delivery, digest, exporting, forms, importing, links, messages, notices
from newsletter.models import IssuePage, Notice, Segment, Subscription, Variant
from newsletter.site import found

DOOR = "/newsletter/subscribe/"


@pytest.fixture
def subject(newsletter):
    """A facet that no code names, with a term that stands in English alone."""
    english = Locale.objects.get(language_code="en")
    facet = Facet.objects.create(locale=english, slug="subject", name="Subject", position=7)
    Term.objects.create(facet=facet, locale=english, slug="biology", name="Biology")
    return facet


@pytest.fixture
def biology(subject):
    return subject.terms.get()


def shown_on(page):
    return BeautifulSoup(page.content, "lxml").select_one('main input[name="subject"][value="biology"]')


def speak(settings, *codes):
    settings.LANGUAGES = settings.WAGTAIL_CONTENT_LANGUAGES = [(code, languages.language_name(code)) for code in codes]
    settings.LANGUAGE_CODE = codes[0]
    links._path.cache_clear()
    found()


@pytest.fixture(autouse=True)
def paths_of_the_site():
    """What was remembered of the addresses of other languages is forgotten."""
    yield
    links._path.cache_clear()


@pytest.fixture(autouse=True)
def no_pause(monkeypatch):
    monkeypatch.setattr("newsletter.views.subscribing.ANSWER_AFTER", 0)


def test_a_facet_that_an_editor_made_is_offered_chosen_and_kept(client, biology):
    assert shown_on(client.get("/newsletter/"))
    assert shown_on(client.get("/es/newsletter/")), "in the first language's words where nobody has translated it"
    client.post(DOOR, {"email": "ana@school.example", "subject": ["biology", "alchemy"], "shoe": "red"})
    subscription = Subscription.objects.get()
    assert choices.chosen(subscription) == {biology.translation_key}
    path = links.preferences_url(subscription.public_id, "en").removeprefix("http://testserver")
    assert shown_on(client.get(path)).has_attr("checked")
    client.post(path, {"language": "en"})
    assert choices.chosen(subscription) == frozenset()


def test_a_facet_that_is_not_offered_is_asked_nowhere_and_keeps_what_was_chosen(client, maria, subject, biology, terms):
    choices.choose(maria, frozenset({biology.translation_key}))
    Facet.objects.filter(pk=subject.pk).update(offered_at_signup=False)
    assert not shown_on(client.get("/newsletter/"))
    path = links.preferences_url(maria.public_id, "en").removeprefix("http://testserver")
    assert not shown_on(client.get(path))
    client.post(path, {"language": "en", "topic": "math"})
    assert choices.chosen(maria) == {biology.translation_key, terms["math"]}
    client.post(DOOR, {"email": "ana@school.example", "subject": "biology"})
    ana = Subscription.objects.get(subscriber__email="ana@school.example")
    assert choices.chosen(ana) == frozenset()


def test_what_the_first_language_says_counts_for_all(newsletter, subject):
    Facet.objects.create(
        locale=Locale.objects.get(language_code="es"),
        slug="subject",
        name="Materia",
        offered_at_signup=False,
        translation_key=subject.translation_key,
    )
    assert [facet.name for facet in choices.offered("es")] == ["Materia"]
    Facet.objects.filter(pk=subject.pk).update(offered_at_signup=False)
    assert choices.offered("es") == []


def test_lists_go_out_and_come_back_with_every_facet(newsletter, maria, biology, tmp_path):
    choices.choose(maria, frozenset({biology.translation_key}))
    file = io.StringIO()
    exporting.write(newsletter, file)
    (row,) = csv.DictReader(io.StringIO(file.getvalue()))
    assert row["subject"] == "biology"
    path = tmp_path / "people.csv"
    path.write_text(file.getvalue().replace("maria.lopez", "ines"))
    importing.take(newsletter, path, consent="Yes.")
    ines = Subscription.objects.get(subscriber__email="ines@school.example")
    assert choices.chosen(ines) == {biology.translation_key}


def test_an_issue_can_be_seen_as_readers_of_any_facet_get_it(issue, october, subject, biology):
    page = ArticlePage.objects.get(pk=october["fractions"].pk)
    page.terms.add(biology)
    page.save()
    issue = IssuePage.objects.get(pk=issue.pk).get_latest_revision_as_object()
    assert biology in issue.choosable_terms


@pytest.mark.parametrize("slug", ["q", "page", "sort", "kind", "language", "email", "name", "state", "status"])
def test_a_facet_may_not_take_a_name_that_means_something_else(admin_client, newsletter, slug):
    with pytest.raises(ValidationError, match="already means something else"):
        Facet(name="Mine", slug=slug, locale=Locale.get_default()).full_clean()
    answer = admin_client.post(
        reverse("wagtailsnippets_content_facet:add"), {"name": "Mine", "slug": slug, "position": "0"}
    )
    assert answer.status_code == 200
    assert "already means something else in addresses and forms" in answer.content.decode()
    assert not Facet.objects.filter(slug=slug).exists()


def test_the_form_of_a_facet_asks_whether_subscribers_choose_by_it(admin_client, subject):
    path = reverse("wagtailsnippets_content_facet:edit", args=[subject.pk])
    assert "offered_at_signup" in admin_client.get(path).content.decode()
    answer = admin_client.post(path, {"name": "Subject", "slug": "subject", "position": "7"})
    assert answer.status_code == 302
    subject.refresh_from_db()
    assert not subject.offered_at_signup


def test_a_third_language_is_offered_chosen_and_written_to(settings, client, newsletter):
    speak(settings, "en", "es", "fr")
    form = BeautifulSoup(client.get("/fr/newsletter/").content, "lxml")
    assert [option["value"] for option in form.select('main select[name="language"] option')] == ["en", "es", "fr"]
    assert form.select_one('main select[name="language"] option[selected]')["value"] == "fr"
    client.post(DOOR, {"email": "luc@school.example", "language": "fr"})
    subscription = Subscription.objects.get()
    assert subscription.subscriber.language == "fr"
    mail = messages.notice_message(Notice.objects.get()).decode()
    assert 'lang="fr"' in mail.replace("=3D", "=").replace("=\r\n", "")
    assert "/fr/newsletter/confirm/" in notices.words(Notice.objects.get())["confirm_url"]


def test_who_chose_a_language_that_is_gone_is_written_to_in_the_first(client, issue, people):
    luc = people("luc@school.example", language="fr")
    choices.choose(luc, frozenset({Term.objects.filter(slug="math").first().translation_key}))
    assert luc.subscriber.spoken_language == "en"
    mailing = delivery.send(issue)
    assert (mailing.state, delivery.counts(mailing)["queued"]) == ("sending", 1)
    assert Variant.objects.filter(segments__language="fr").values_list("language", flat=True).distinct().get() == "en"
    path = links.preferences_url(luc.public_id, "fr").removeprefix("http://testserver")
    assert path.startswith("/newsletter/preferences/")
    assert client.get(path).status_code == 200


def test_who_confirms_while_a_mailing_is_written_has_a_body_in_whatever_language(issue, maria, people):
    people("luc@school.example", "pending", language="fr")  # a language that LANGUAGES named once
    mailing = delivery.send(issue)
    assert Segment.objects.filter(mailing=mailing, language="fr", choices_key="").exists()


@pytest.mark.parametrize("prefix", ["/fr", "/pt-br", "/en"])
def test_links_of_mails_sent_before_a_language_went_still_work(client, maria, prefix):
    path = links.unsubscribe_url(maria.public_id, None, "en").removeprefix("http://testserver")
    assert client.get(prefix + path).status_code == 200
    answer = client.post(prefix + path, {"List-Unsubscribe": "One-Click"})
    assert answer.status_code == 200
    maria.refresh_from_db()
    assert maria.status == "unsubscribed"


def test_an_issue_in_a_language_that_is_gone_stays_and_is_not_drafted_or_sent(settings, issue, maria):
    spanish = issue.get_translations().get()
    speak(settings, "en")
    assert set(messages.editions(issue)) == {"en"}
    assert digest.problems(issue) == []
    mailing = delivery.send(issue)
    assert set(mailing.variants.values_list("language", flat=True)) == {"en"}
    assert IssuePage.objects.filter(pk=spanish.pk).exists()


def test_an_item_in_any_language_is_labelled(settings, newsletter):
    with translation.override("en"):
        assert messages.tree._foreign("fr") == "Français"


def test_lists_of_others_bring_their_codes(newsletter, tmp_path, settings):
    speak(settings, "en", "pt-br")
    file = tmp_path / "people.csv"
    file.write_text("email,language\nana@school.example,pt_BR\nbo@school.example,PT-br\n")
    importing.take(newsletter, file, consent="Yes.")
    assert set(Subscription.objects.values_list("subscriber__language", flat=True)) == {"pt-br"}


def test_the_form_offers_the_languages_of_this_moment(settings, newsletter):
    speak(settings, "en", "es", "de")
    assert dict(forms.SignupForm().fields["language"].widget.choices) == {
        "en": "English",
        "es": "Español",
        "de": "Deutsch",
    }


def test_where_the_first_language_has_nothing_to_say_the_next_one_does(settings, november, october):
    """A language that was put first has no pages yet: the digest goes on, and takes its pages in when they come."""
    speak(settings, "fr", "en", "es")
    month = datetime.date(2026, 10, 1)
    drafted = digest.draft(month)
    assert drafted.locale.language_code == "en"
    room = ResourceCenterPage.objects.get(locale__language_code="fr")
    room.add_child(
        instance=ArticlePage(title="La mare", slug="mare", published_on=datetime.date(2026, 10, 7), locale=room.locale)
    )
    again = digest.draft(month)
    assert again.pk == drafted.pk
    french = IssuePage.objects.get(locale__language_code="fr")
    assert french.translation_key == drafted.translation_key
    assert digest.draft(month).translation_key == drafted.translation_key
    assert IssuePage.objects.count() == 3
