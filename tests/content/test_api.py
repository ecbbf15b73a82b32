"""The read API: what readers can see, with its credit, and nothing else."""

import pytest

from content.models import ArticleByline, Person
from tests.content.conftest import figure


@pytest.fixture
def published(draft, picture, document, django_capture_on_commit_callbacks):
    """A live article with a picture and a document."""
    with django_capture_on_commit_callbacks(execute=True):
        page = draft(
            picture=picture(title="Cover", source_url="https://example.org/cover"),
            body=[
                figure(picture(), alt="In this place."),
                {"type": "document", "value": {"document": document().pk, "title": ""}},
            ],
        )
        page.save_revision().publish()
    return page


def test_pages_carry_their_body_and_the_credit_of_each_picture(client, published):
    page = client.get(f"/api/v2/pages/{published.pk}/").json()
    assert page["picture"]["credit_line"].startswith("Cover © Interaction Institute for Learning | Artist: Ana Maguire")
    image = page["body"][0]["value"]["image"]
    assert image["alt_text"] == "In this place."
    assert (image["creator"], image["licence"]) == ("Ana Maguire", "CC-BY-SA-4.0")
    assert image["licence_url"] == "https://creativecommons.org/licenses/by-sa/4.0/"


def test_drafts_are_not_told(client, published, draft):
    secret = draft(title="Secret")
    titles = [item["title"] for item in client.get("/api/v2/pages/?type=content.ArticlePage").json()["items"]]
    assert titles == ["Equity in education"]
    assert client.get(f"/api/v2/pages/{secret.pk}/").status_code == 404


def test_images_have_their_attribution_and_only_published_ones_are_told(client, published, picture):
    unused = picture(title="Unused")
    items = client.get("/api/v2/images/?order=title").json()["items"]
    assert [item["title"] for item in items] == ["Cover", "Two fences"]
    assert {
        name: items[0][name] for name in ("creator", "holder", "licence", "licence_url", "alt_text", "source_url")
    } == {
        "creator": "Ana Maguire",
        "holder": "Interaction Institute for Learning",
        "licence": "CC-BY-SA-4.0",
        "licence_url": "https://creativecommons.org/licenses/by-sa/4.0/",
        "alt_text": "Three children look over a fence, each on a box that fits.",
        "source_url": "https://example.org/cover",
    }
    assert items[0]["credit_line"].endswith("Source: https://example.org/cover")
    assert client.get(f"/api/v2/images/{unused.pk}/").status_code == 404


@pytest.mark.parametrize("address", ["/api/v2/images/?order=title", "/api/v2/pages/?type=content.ArticlePage&fields=*"])
def test_every_reader_can_fetch_a_picture_where_the_api_says_it_is(client, published, address):
    item = client.get(address).json()["items"][0]
    url = item["meta"]["download_url"] if "images" in address else item["picture"]["download_url"]
    assert url.startswith("http://testserver/media/images/")
    file = client.get(url.removeprefix("http://testserver"))
    assert (file.status_code, file["Content-Type"]) == (200, "image/jpeg")
    file.close()


def test_a_portrait_is_told_only_under_a_published_byline(client, published, draft, picture):
    ana, bo = (Person.objects.create(name=name, locale=published.locale, picture=picture(name)) for name in ("A", "B"))
    ArticleByline.objects.create(page=published, person=ana)
    ArticleByline.objects.create(page=draft(title="Secret"), person=bo)
    titles = {item["title"] for item in client.get("/api/v2/images/").json()["items"]}
    assert titles == {"A", "Cover", "Two fences"}
    assert client.get(f"/api/v2/images/{bo.picture.pk}/").status_code == 404


def test_documents_have_their_attribution(client, published):
    (item,) = client.get("/api/v2/documents/").json()["items"]
    assert (item["title"], item["creator"], item["licence"]) == ("Lesson plan", "Ana Maguire", "CC-BY-4.0")


@pytest.mark.parametrize(
    "query",
    [
        "?limit=x",
        "?offset=-1",
        "?offset=99999999999999999999",
        "?id=99999999999999999999",
        "?locale=%00",
        "find/?html_path=%00",
        "find/?id=x",
        "find/?id=%00",
        "?order=nothing",
        "?fields=secret",
        "?q=%00",
        "?licence=x",
        "?search=%27%22",
        "?search=100%25",
        "?search=",
    ],
)
def test_wrong_questions_get_an_answer(client, published, query):
    for kind in ("pages", "images", "documents"):
        assert client.get(f"/api/v2/{kind}/{query}").status_code in (200, 400)


def test_the_api_changes_nothing(client, published):
    for method in (client.post, client.put, client.delete):
        assert method(f"/api/v2/pages/{published.pk}/").status_code in (403, 405)
