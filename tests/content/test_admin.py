"""The editors' desk, asked through its own pages."""

import pytest
from wagtail.models import Locale

from content.models import CreditedImage, Facet, Partner, Person, Term
from tests.content.conftest import FULL_CREDIT, drawn, figure


@pytest.fixture
def vocabulary(resources):
    """One facet with one term in each language, a partner and a person."""
    for locale, name in ((resources.locale, "Equity"), (Locale.objects.get(language_code="es"), "Equidad")):
        facet = Facet.objects.create(name="Topic", slug="topic", locale=locale)
        Term.objects.create(facet=facet, name=name, slug="equity", locale=locale)
    partner = Partner.objects.create(
        name="Delta Schools", slug="delta", kind="district", state="MS", locale=resources.locale
    )
    Person.objects.create(name="Ana Roe", partner=partner, locale=resources.locale)


@pytest.mark.parametrize(
    ("kind", "name"), [("facet", "Topic"), ("term", "Equity"), ("partner", "Delta Schools"), ("person", "Ana Roe")]
)
def test_the_library_lists_finds_and_edits(admin_client, vocabulary, kind, name):
    listing = admin_client.get(f"/admin/snippets/content/{kind}/?q={name}").content.decode()
    assert name in listing
    model = {"facet": Facet, "term": Term, "partner": Partner, "person": Person}[kind]
    pk = model.objects.get(name=name, locale__language_code="en", **({"slug": "topic"} if kind == "facet" else {})).pk
    assert admin_client.get(f"/admin/snippets/content/{kind}/edit/{pk}/").status_code == 200
    assert admin_client.get(f"/admin/snippets/content/{kind}/add/?locale=es").status_code == 200


def test_partners_are_filtered_by_kind(admin_client, vocabulary):
    assert "Delta Schools" in admin_client.get("/admin/snippets/content/partner/?kind=district").content.decode()
    assert "Delta Schools" not in admin_client.get("/admin/snippets/content/partner/?kind=school").content.decode()


def test_a_partner_can_not_be_given_a_picture_without_a_licence(admin_client, vocabulary, picture):
    partner = Partner.objects.get()
    form = {"name": "Delta", "slug": "delta", "kind": "district", "state": "MS", "picture": picture(licence="").pk}
    answer = admin_client.post(f"/admin/snippets/content/partner/edit/{partner.pk}/", form)
    assert "The picture “Two fences” has no licence." in answer.content.decode()


def test_a_page_offers_the_terms_of_its_language_under_their_facet(admin_client, vocabulary, draft):
    form = admin_client.get(f"/admin/pages/{draft().pk}/edit/").content.decode()
    assert "Equity" in form and "Equidad" not in form
    assert 'type="checkbox" name="terms"' in form


def test_the_form_of_a_picture_asks_for_alt_text_and_credit(admin_client, picture):
    form = admin_client.get(f"/admin/images/{picture().pk}/").content.decode()
    for field in (
        "description",
        "is_decorative",
        "long_description",
        *FULL_CREDIT,
        "licence_evidence",
        "media_release",
    ):
        assert f'name="{field}"' in form
    assert "Unsure? Ask before you publish." in form


def test_uploading_several_pictures_asks_each_for_its_credit(admin_client, db):
    from django.core.files.uploadedfile import SimpleUploadedFile

    file = SimpleUploadedFile("hall.png", drawn(), "image/png")
    answer = admin_client.post("/admin/images/multiple/add/", {"title": "hall", "files[]": file}).json()
    assert answer["success"]
    for field in ("description", "creator", "holder", "licence"):
        assert f"-{field}" in answer["form"]
    image = CreditedImage.objects.get()
    prefix = f"image-{image.pk}"
    saved = {f"{prefix}-{name}": value for name, value in {"title": "Hall", "tags": "", **FULL_CREDIT}.items()}
    assert admin_client.post(f"/admin/images/multiple/{image.pk}/", saved).json()["success"]
    image.refresh_from_db()
    assert image.creator == "Ana Maguire"


def test_the_report_names_what_lacks_its_credit_and_where_it_is_used(admin_client, picture, document, draft):
    picture(title="Sound")
    bare = picture(title="Bare", licence="")
    draft(body=[figure(bare)])
    report = admin_client.get("/admin/reports/lacking-pictures/").content.decode()
    assert "Bare" in report and "has no licence" in report and "Sound" not in report
    assert f"/admin/images/{bare.pk}/" in report
    document(title="Handout", creator="")
    assert "names no creator" in admin_client.get("/admin/reports/lacking-documents/").content.decode()


def test_the_report_can_be_taken_along(admin_client, picture):
    picture(title="Bare", licence="")
    answer = admin_client.get("/admin/reports/lacking-pictures/?export=csv")
    assert b"Bare,has no licence" in b"".join(answer.streaming_content)


def test_desk_and_menu_open(admin_client, resources):
    desk = admin_client.get("/admin/").content.decode()
    assert "Pictures lacking credit" in desk and "Partners" in desk


@pytest.mark.parametrize("query", ["%27%22", "%22", "100%25", "a%22b", "*", "%00"])
def test_odd_signs_in_the_search_of_the_desk_are_no_error(admin_client, draft, picture, query):
    draft(), picture()
    for address in ("pages/search", "images", "documents", "snippets/content/partner"):
        assert admin_client.get(f"/admin/{address}/?q={query}").status_code == 200
