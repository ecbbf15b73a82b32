"""The words of a picture follow the language of the page that shows it; a word of another language says so."""

import json
import re

import pytest
from bs4 import BeautifulSoup
from django.contrib.auth.models import Group, Permission
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test.utils import CaptureQueriesContext
from wagtail.models import Collection, GroupCollectionPermission, Locale, ReferenceIndex
from wagtail.users.models import UserProfile

from content import edition, gate
from content.models import ArticlePage, CreditedImage, ImageText, ResourceCenterPage
from tests.content.conftest import FULL_CREDIT, drawn, figure
from tests.content.library import spanish, stocked

pytestmark = [pytest.mark.once, pytest.mark.django_db]

ENGLISH = {"title": "Two fences", "description": "Three children look over a fence.", "long_description": "In full."}
SPANISH = {"title": "Dos cercas", "alt": "Tres niños miran sobre una cerca.", "long_description": "Con detalle."}


@pytest.fixture
def library(picture):
    return stocked(picture)


@pytest.fixture
def fences(picture):
    """A picture with its words in English, and in the languages a test names."""

    def make(**words):
        image = picture(**ENGLISH)
        for code, said in words.items():
            ImageText.objects.create(image=image, locale=Locale.objects.get(language_code=code), **said)
        return image

    return make


@pytest.fixture
def article(library):
    """Publishes an article in a language."""

    def make(code="es", **fields):
        shelf = ResourceCenterPage.objects.get(locale__language_code=code)
        page = shelf.add_child(instance=ArticlePage(title="Equidad", slug=f"equidad-{code}", live=False, **fields))
        page.save_revision().publish()
        page.refresh_from_db()
        return page

    return make


def read(client, path):
    answer = client.get(path)
    assert answer.status_code == 200, path
    return BeautifulSoup(answer.content, "html.parser")


def picture_in_data(page):
    graph = json.loads(page.find("script", type="application/ld+json").string)["@graph"]
    return next(thing["image"][0] for thing in graph if thing.get("image"))


def test_a_page_says_everything_about_its_pictures_in_its_own_language(client, fences, article):
    image = fences(es=SPANISH)
    article(picture=image, body=[figure(image, alt=ENGLISH["description"])])
    article("en", picture=image, body=[figure(image, alt=ENGLISH["description"])])

    page = read(client, "/es/resources/equidad-es/")
    figures = page.select("main figure")
    assert [each.img["alt"] for each in figures] == [SPANISH["alt"]] * 2
    assert all("Dos cercas" in each.select_one(".credit").get_text() for each in figures)
    assert all(each.details.div.get_text(strip=True) == "Con detalle." for each in figures)
    assert page.select_one('meta[property="og:image:alt"]')["content"] == SPANISH["alt"]
    assert (picture_in_data(page)["name"], picture_in_data(page)["description"]) == ("Dos cercas", SPANISH["alt"])
    assert not page.main.select("[lang]")
    for words in ENGLISH.values():
        assert words not in str(page)

    page = read(client, "/resources/equidad-en/")
    assert [img["alt"] for img in page.select("main figure img")] == [ENGLISH["description"]] * 2
    assert picture_in_data(page)["name"] == "Two fences"


def test_words_of_another_language_are_labelled(client, fences, article):
    image = fences()
    article(picture=image)

    page = read(client, "/es/resources/equidad-es/")
    shown = page.select_one("main figure")
    assert (shown.img["alt"], shown.img["lang"]) == (ENGLISH["description"], "en")
    assert shown.select_one('.credit [lang="en"]').get_text() == "Two fences"
    assert shown.details.div["lang"] == "en"
    assert "(en inglés)" in shown.summary.get_text()
    assert page.select_one('meta[property="og:image:alt"]')["lang"] == "en"
    assert picture_in_data(page)["inLanguage"] == ["en"]


def test_each_word_falls_back_by_itself_and_first_language_readers_get_what_there_is(client, fences, article, picture):
    image = fences(es={"alt": SPANISH["alt"]})
    article(picture=image)
    shown = read(client, "/es/resources/equidad-es/").select_one("main figure")
    assert shown.img["alt"] == SPANISH["alt"] and "lang" not in shown.img.attrs
    assert shown.details.div["lang"] == "en"

    bare = picture(title="Dos cercas", description="")
    ImageText.objects.create(image=bare, locale=spanish(), alt=SPANISH["alt"])
    article("en", picture=bare)
    shown = read(client, "/resources/equidad-en/").select_one("main figure")
    assert (shown.img["alt"], shown.img["lang"]) == (SPANISH["alt"], "es")


def test_the_alt_text_that_an_editor_wrote_for_a_place_wins(client, fences, article):
    image = fences(es=SPANISH)
    article(body=[figure(image, alt="Aquí, la cerca del patio.")])

    shown = read(client, "/es/resources/equidad-es/").select_one("main figure")
    assert shown.img["alt"] == "Aquí, la cerca del patio."
    assert "lang" not in shown.img.attrs


def test_a_decorative_picture_stays_silent_in_every_language(client, fences, article):
    image = fences(es=SPANISH)
    article(body=[figure(image, alt="", decorative=True)])
    assert read(client, "/es/resources/equidad-es/").select_one("main figure img")["alt"] == ""


def test_the_preview_speaks_the_language_of_the_page_not_of_the_editor(admin_client, fences, article, admin_user):
    image = fences(es=SPANISH)
    in_spanish, in_english = article(picture=image), article("en", picture=image)
    for speaks in ("en", "es"):
        UserProfile.objects.update_or_create(user=admin_user, defaults={"preferred_language": speaks})
        for page, alt in ((in_spanish, SPANISH["alt"]), (in_english, ENGLISH["description"])):
            html = admin_client.get(f"/admin/pages/{page.pk}/view_draft/").content.decode()
            assert BeautifulSoup(html, "html.parser").select_one("main figure img")["alt"] == alt


def test_feeds_and_image_credits_speak_their_own_language(client, fences, article):
    image = fences(es=SPANISH)
    article(picture=image)
    article("en", picture=image)

    for form in ("rss", "atom", "json"):
        feed = client.get(f"/es/feeds/resources.{form}").content.decode()
        assert SPANISH["alt"] in feed and "Dos cercas" in feed
        assert ENGLISH["description"] not in feed
        assert ENGLISH["description"] in client.get(f"/feeds/resources.{form}").content.decode()
    credits = read(client, "/es/image-credits/")
    shown = next(each for each in credits.select("figure") if "Dos cercas" in each.get_text())
    assert shown.img["alt"] == SPANISH["alt"]

    ImageText.objects.all().delete()
    (item,) = client.get("/es/feeds/resources.json").json()["items"]
    assert f'alt="{ENGLISH["description"]}" lang="en"' in item["content_html"]


def test_the_api_gives_a_page_the_words_of_its_language(client, fences, article):
    image = fences(es={**SPANISH, "long_description": ""})
    page = article(picture=image, body=[figure(image, alt=ENGLISH["description"])])

    data = client.get(f"/api/v2/pages/{page.pk}/").json()
    for told in (data["picture"], data["body"][0]["value"]["image"]):
        assert (told["title"], told["alt_text"], told["long_description"]) == (
            "Dos cercas",
            SPANISH["alt"],
            "In full.",
        )
        assert told["languages"] == {"title": "es", "alt_text": "es", "long_description": "en"}
        assert told["credit_line"].startswith("Dos cercas ©")


def test_the_api_of_pictures_gives_the_language_asked_for(client, fences, article):
    image = fences(es=SPANISH)
    article(picture=image)

    def told(query=""):
        return client.get(f"/api/v2/images/{image.pk}/{query}").json()

    assert (told()["title"], told()["alt_text"]) == ("Two fences", ENGLISH["description"])
    assert told()["languages"]["title"] == "en"
    es = told("?locale=es")
    assert (es["title"], es["alt_text"], es["long_description"]) == tuple(SPANISH.values())
    assert es["languages"] == {"title": "es", "alt_text": "es", "long_description": "es"}
    listed = {each["id"]: each["title"] for each in client.get("/api/v2/images/?locale=es").json()["items"]}
    assert listed[image.pk] == "Dos cercas"
    assert client.get("/api/v2/images/?locale=xx").status_code == 400


def test_more_pictures_cost_no_more_queries(client, fences, article):
    images = [fences(es=SPANISH) for _ in range(6)]
    article(picture=images[0], body=[figure(images[1])])

    def cost(path):
        client.get(path)  # renditions are drawn at the first time
        edition.move()
        with CaptureQueriesContext(connection) as queries:
            client.get(path)
        return len(queries)

    addresses = ("/es/resources/equidad-es/", "/es/image-credits/", "/api/v2/images/?locale=es&fields=-tags")
    before = [cost(path) for path in addresses]
    page = ArticlePage.objects.get(slug="equidad-es")
    page.body = [figure(image) for image in images]
    page.save_revision().publish()
    assert [cost(path) for path in addresses] == before


# --- Who writes them


def form_data(image, prefix="", **fields):
    words = {"title": image.title, "description": image.description, "tags": "", **FULL_CREDIT}
    return {f"{prefix}{name}": value for name, value in {**words, **fields}.items()}


@pytest.fixture
def librarian(client, django_user_model, library):
    """Somebody who may change pictures and nothing else."""
    group = Group.objects.create(name="Pictures")
    group.permissions.add(Permission.objects.get(codename="access_admin"))
    for name in ("add_image", "change_image", "choose_image"):
        permission = Permission.objects.filter(codename=name).first()
        GroupCollectionPermission.objects.create(
            group=group, collection=Collection.get_first_root_node(), permission=permission
        )
    user = django_user_model.objects.create_user("lea", password="a long word of passing")
    user.groups.add(group)
    client.force_login(user)
    return client


def test_whoever_may_change_a_picture_writes_its_words_in_every_language(librarian, fences):
    image = fences()
    form = BeautifulSoup(librarian.get(f"/admin/images/{image.pk}/").content, "html.parser")
    for name in ("title_es", "alt_es", "long_description_es"):
        field = form.select_one(f"[name={name}]")
        assert field["lang"] == "es"
        assert "(Spanish)" in form.select_one(f'label[for="{field["id"]}"]').get_text()
    for name in ("title", "description", "long_description"):
        assert "(English)" in form.select_one(f"label[for=id_{name}]").get_text()
    names = [field.get("name") for field in form.select("[name]")]
    assert names.index("long_description") < names.index("title_es") < names.index("creator")

    written = {"title_es": "Dos cercas", "alt_es": SPANISH["alt"], "long_description_es": "Con detalle."}
    answer = librarian.post(f"/admin/images/{image.pk}/", form_data(image, **written))
    assert answer.status_code == 302
    text = ImageText.objects.get(image=image)
    assert (text.locale.language_code, text.title, text.alt) == ("es", "Dos cercas", SPANISH["alt"])

    emptied = dict.fromkeys(written, "")
    librarian.post(f"/admin/images/{image.pk}/", form_data(image, **emptied))
    assert not ImageText.objects.exists()


def test_the_forms_of_several_uploads_and_of_the_chooser_take_them_too(admin_client, resources):
    file = SimpleUploadedFile("hall.png", drawn(), "image/png")
    answer = admin_client.post("/admin/images/multiple/add/", {"title": "hall", "files[]": file}).json()
    image = CreditedImage.objects.get()
    prefix = f"image-{image.pk}-"
    assert f'name="{prefix}alt_es"' in answer["form"]
    data = form_data(image, prefix, alt_es=SPANISH["alt"])
    assert admin_client.post(f"/admin/images/multiple/{image.pk}/", data).json()["success"]
    assert image.texts.get().alt == SPANISH["alt"]

    chooser = admin_client.get("/admin/images/chooser/").json()["html"]
    (name,) = set(re.findall(r'name="([\w-]*alt_es)"', chooser))
    prefix = name.removesuffix("alt_es")
    file = SimpleUploadedFile("yard.png", drawn("red"), "image/png")
    data = {**form_data(CreditedImage(title="Yard"), prefix, alt_es="Un patio.", title="Yard"), f"{prefix}file": file}
    admin_client.post("/admin/images/chooser/create/", data)
    assert CreditedImage.objects.get(title="Yard").texts.get().alt == "Un patio."


def test_a_form_that_was_not_asked_for_the_words_keeps_them(admin_client, fences, library):
    image = fences(es=SPANISH)
    assert admin_client.post(f"/admin/images/{image.pk}/", form_data(image, creator="Bo Li")).status_code == 302
    image.refresh_from_db()
    assert (image.creator, image.texts.get().alt) == ("Bo Li", SPANISH["alt"])


def test_a_file_name_is_no_alt_text_in_any_language(admin_client, fences, library):
    image = fences()
    page = admin_client.post(f"/admin/images/{image.pk}/", form_data(image, alt_es="IMG_2041.jpg")).content.decode()
    assert "This is a file name." in page
    assert not ImageText.objects.exists()


def test_the_alt_text_of_a_picture_in_use_may_move_to_another_language_but_not_go(admin_client, fences, article):
    image = fences()
    article(picture=image)
    moved = form_data(image, description="", alt_es=SPANISH["alt"])
    assert admin_client.post(f"/admin/images/{image.pk}/", moved).status_code == 302
    gone = form_data(image, description="", alt_es="")
    assert "has no alt text" in admin_client.post(f"/admin/images/{image.pk}/", gone).content.decode()
    assert image.texts.get().alt == SPANISH["alt"]


def test_a_page_goes_out_with_words_of_another_language_and_its_editor_is_told(admin_client, fences, article):
    image = fences()
    page = article(picture=image)
    assert gate.findings(page) == []
    assert [each.pk for each in gate.without_words(page)] == [image.pk]

    data = {
        "title": page.title,
        "slug": page.slug,
        "picture": image.pk,
        "action-publish": "1",
        "body-count": "0",
        "bylines-TOTAL_FORMS": "0",
        "bylines-INITIAL_FORMS": "0",
    }
    answer = admin_client.post(f"/admin/pages/{page.pk}/edit/", data, follow=True).content.decode()
    assert "Words in Spanish are missing for: “Two fences”." in BeautifulSoup(answer, "html.parser").get_text()
    assert f"/admin/images/{image.pk}/" in answer

    ImageText.objects.create(image=image, locale=spanish(), **SPANISH)
    assert gate.without_words(page) == []
    answer = admin_client.post(f"/admin/pages/{page.pk}/edit/", data, follow=True).content.decode()
    assert "Words in Spanish are missing" not in answer


def test_a_picture_without_words_in_any_language_still_can_not_go_out(draft, picture):
    page = draft(picture=picture(description=""))
    assert [finding.lack.name for finding in gate.findings(page)] == ["ALT_TEXT"]


def test_words_go_with_their_picture_and_their_language_and_count_as_no_use(fences, article, library):
    image = fences(es=SPANISH)
    assert ReferenceIndex.get_references_to(image).count() == 0
    french = Locale.objects.create(language_code="fr")
    ImageText.objects.create(image=image, locale=french, alt="Trois enfants.")
    french.delete()
    assert [text.locale.language_code for text in image.texts.all()] == ["es"]
    image.delete()
    assert not ImageText.objects.exists()


def test_new_words_reach_pages_that_were_read_before(fences, library):
    image, before = fences(), edition.current()
    text = ImageText.objects.create(image=image, locale=spanish(), **SPANISH)
    assert edition.current() != before
    before = edition.current()
    text.delete()
    assert edition.current() != before
