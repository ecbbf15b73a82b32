"""Articles from files: what is read, what is kept, what is said about the rest."""

import datetime
import json
import shutil
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from content.importing import html, markdown
from content.importing.intake import Intake
from content.importing.resource import Callout, Card, Code, Figure, Heading, Quote, Table, Video, Words
from content.models import ArticlePage, CreditedImage, ImportedSource, Person, ResourceCenterPage, Term
from content.models.terms import Facet
from tests.content.conftest import drawn

pytestmark = pytest.mark.once


def words(resource):
    return " ".join(piece.html for piece in resource.pieces if isinstance(piece, (Words, Callout)))


def kinds(resource):
    return [type(piece) for piece in resource.pieces]


def said(resource):
    return [problem.what for problem in resource.problems]


# --- Web pages


def page(body, head=""):
    return html.read(f"<html lang='en'><head>{head}</head><body><main>{body}</main></body></html>", "page.html")


def test_the_article_is_the_main_part_and_its_h1_the_title():
    resource = html.read(
        "<title>Equity - Delta</title><nav>Menu</nav><main><h1>Equity in education</h1><p>One.</p></main>"
        "<footer>Foot</footer>",
        "a.html",
    )
    assert resource.title == "Equity in education"
    assert resource.pieces == [Words("<p>One.</p>")]


def test_headings_become_blocks_and_lower_ones_stay_in_the_text():
    resource = page("<h1>T</h1><h2>First</h2><p>a</p><h3>Second</h3><p>b</p>")
    assert resource.pieces == [Heading("First"), Words("<p>a</p><h3>Second</h3><p>b</p>")]


def test_a_figure_keeps_alt_caption_and_credit_apart():
    resource = page(
        "<figure><img src='f.png' alt='Two fences'><figcaption>Equity <b>vs</b> equality "
        "© Interaction Institute | Artist: Ana Roe, CC BY-SA 3.0</figcaption></figure>"
    )
    (figure,) = resource.figures
    assert (figure.source, figure.alt, figure.caption) == ("f.png", "Two fences", "Equity <b>vs</b> equality")
    assert (figure.credit.holder, figure.credit.creator, figure.credit.licence) == (
        "Interaction Institute",
        "Ana Roe",
        "CC-BY-SA-3.0",
    )


def test_a_picture_inside_a_paragraph_parts_it_in_place():
    assert page("<p>Before <img src='a.png' alt='A'> after</p>").pieces == [
        Words("<p>Before</p>"),
        Figure("a.png", "A"),
        Words("<p>after</p>"),
    ]


def test_a_list_with_code_between_its_points_keeps_the_order():
    resource = page("<ol><li>Type<pre><code>ls</code></pre></li><li>Read</li></ol>")
    assert resource.pieces == [Words("<ol><li>Type</li></ol>"), Code("ls"), Words("<ol><li>Read</li></ol>")]
    assert said(resource) == [
        "a numbered list has pictures or code between its points: its numbers start again after them"
    ]


def test_a_table_keeps_links_headings_and_spans():
    resource = page(
        "<table><caption>Visits</caption><tr><th>School</th><th>Year</th></tr>"
        "<tr><th><a href='https://example.org/'>Delta</a></th><td>2020</td></tr>"
        "<tr><th colspan='2'>All</th></tr></table>"
    )
    assert resource.pieces == [
        Table(
            "Visits",
            ["School", "Year"],
            [['<p><a href="https://example.org/">Delta</a></p>', "<p>2020</p>"], ["<p>All</p>", ""]],
            names_rows=True,
        )
    ]
    assert said(resource) == ["cells of a table that spanned several were spread out"]


def test_videos_become_links_to_watch_and_other_frames_become_cards():
    resource = page(
        "<iframe src='https://www.youtube.com/embed/abc-1?start=9' title='Talk'></iframe>"
        "<iframe src='//slides.example.org/7' title='Slides'></iframe>"
    )
    assert resource.pieces == [
        Video("Talk", "https://www.youtube.com/watch?v=abc-1"),
        Card("Slides", "https://slides.example.org/7"),
    ]
    assert "the video https://www.youtube.com/watch?v=abc-1 has no transcript yet" in said(resource)


def test_relative_links_are_made_whole_when_the_pages_address_is_known():
    body = "<p><a href='next.html'>Next</a> <a href='#top'>Top</a></p>"
    known = page(body, "<link rel='canonical' href='https://old.example.org/a/b.html'>")
    assert known.pieces == [Words('<p><a href="https://old.example.org/a/next.html">Next</a> Top</p>')]
    unknown = page(body)
    assert unknown.pieces == [Words('<p><a href="next.html">Next</a> Top</p>')]
    assert said(unknown) == ["1 link leads to other pages of the old site and were kept as written: next.html"]


def test_what_the_head_of_the_page_says_is_read():
    resource = page(
        "<h1>T</h1><p>x</p>",
        "<meta name='description' content='Short'>"
        "<meta property='article:published_time' content='2023-05-04T10:00:00Z'>"
        "<meta name='author' content='Ana Roe'>",
    )
    assert (resource.summary, resource.published_on, resource.authors) == (
        "Short",
        datetime.date(2023, 5, 4),
        ["Ana Roe"],
    )


def test_what_can_not_be_taken_is_said():
    resource = page("<p>a</p><form><p>Name <input></p></form><canvas></canvas><math><mi>x</mi></math>")
    assert said(resource) == [
        "a form was left out; its words were kept: “Name”",
        "a drawing made by a script was left out",
        "a formula was left out; its words were kept: “x”",
    ]
    assert "Name" in words(resource)


@pytest.mark.parametrize("span", ["²", "9" * 5000, "x", "-1"])
def test_a_span_that_is_no_number_of_cells_keeps_the_table(span):
    resource = page(f"<table><tr><th>a</th><th>b</th></tr><tr><td rowspan='{span}'>c</td><td>d</td></tr></table>")
    assert resource.pieces == [Table("", ["a", "b"], [["<p>c</p>", "<p>d</p>"]], names_rows=False)]


@pytest.mark.parametrize(
    ("body", "reported"),
    [
        ("<p><a href='http://[x'>b</a></p>", "a link with an address we do not take was left out: http://[x"),
        ("<p>b</p><iframe src='http://[x'></iframe>", "a frame without a usable address was left out: http://[x"),
    ],
)
@pytest.mark.parametrize("head", ["", "<base href='https://old.example.org/'>"])
def test_a_broken_address_costs_no_words_and_is_said(body, reported, head):
    resource = page(f"<p>a</p>{body}<p>c</p>", head)
    assert words(resource) == "<p>a</p><p>b</p><p>c</p>"
    assert said(resource) == [reported]


@pytest.mark.parametrize("head", ["<base href='http://[x'>", "<link rel='canonical' href='http://[x'>"])
def test_a_page_whose_own_address_is_broken_is_read_as_one_without(head):
    assert page("<p><a href='https://example.org/'>a</a></p>", head).pieces == [
        Words('<p><a href="https://example.org/">a</a></p>')
    ]


def test_the_source_of_a_picture_is_no_longer_than_a_picture_takes():
    caption = f"<a href='https://example.org/{'x' * 2000}'>Photo by Ana Roe, CC BY 4.0</a>"
    (figure,) = page(f"<figure><img src='a.png' alt='A'><figcaption>{caption}</figcaption></figure>").figures
    assert len(figure.credit.source_url) == 2000


def test_what_json_says_between_the_lines_is_left_out():
    head = r'<script type="application/ld+json">{"author": {"name": "Ana\u0000 Roe\ud800"}}</script>'
    assert page("<p>a</p>", head).authors == ["Ana Roe"]


@pytest.mark.parametrize(
    "attack",
    [
        "<script>alert(1)</script>",
        "<img src=x onerror=alert(1)>",
        "<a href='javascript:alert(1)'>x</a>",
        "<a href='jAvAsCrIpT&#58;alert(1)'>x</a>",
        "<a href='java\nscript:alert(1)'>x</a>",
        "<a href='data:text/html,<script>alert(1)</script>'>x</a>",
        "<p style='x:expression(alert(1))' onclick='alert(1)'>x</p>",
        "<svg><script>alert(1)</script></svg>",
        "<math><mtext></p><style><img src=x onerror=alert(1)></style>",
        "<table><tr><td onmouseover=alert(1)><script>alert(1)</script>a</td><td>b</td></tr></table>",
        "<details ontoggle=alert(1)><summary>s</summary>x</details>",
        "<noscript><p title='</noscript><img src=x onerror=alert(1)>'></noscript>",
        "<iframe src='javascript:alert(1)'></iframe>",
        "<blockquote onfocus=alert(1)><p>x</p></blockquote>",
        "<ul><li><a href='vbscript:x'>y</a></li></ul>",
    ],
)
def test_no_script_comes_through(attack):
    taken = json.dumps([str(piece) for piece in page(f"<p>a</p>{attack}<p>b</p>").pieces])
    for sign in (
        "<script",
        "onerror",
        "onclick",
        "javascript:",
        "vbscript:",
        "data:text",
        "ontoggle",
        "<style",
        "<svg",
    ):
        assert sign not in taken.lower()


# --- Markdown


def md(text):
    return markdown.read(text, "2020-02-03-notes.md")


def test_front_matter_gives_title_date_authors_topics_and_cover():
    resource = md(
        "---\ntitle: Equity\ndate: 2021-03-04\nauthors:\n  - Ana Roe\ntags: [equity]\n"
        "image: /a/cover.jpg\nimage_figcaption: Hall. Photo courtesy of Delta Schools.\n---\nText"
    )
    assert (resource.title, resource.published_on) == ("Equity", datetime.date(2021, 3, 4))
    assert (resource.authors, resource.topics) == (["Ana Roe"], ["equity"])
    assert (resource.cover.source, resource.cover.credit.holder) == ("/a/cover.jpg", "Delta Schools")


def test_broken_front_matter_is_read_line_by_line_and_said():
    resource = md('---\ntitle: "Equity: a start\nauthors:\n- Ana Roe\nbad: [\n---\nText')
    assert resource.authors == ["Ana Roe"]
    assert said(resource) == ["the front matter is no valid YAML: only its plain lines were read"]


def test_what_yaml_says_between_the_lines_is_left_out():
    resource = md(
        '---\ntitle: "Two\\0fences"\nauthor: "A\\0"\ncanonical_url: "http://[x"\n---\n[b](https://example.org/)\n\n'
        '```{figure} f.jpg\n---\nalt: "\\x029\\x03"\n---\n```'
    )
    assert (resource.title, resource.authors) == ("Twofences", ["A"])
    assert resource.pieces == [Words('<p><a href="https://example.org/">b</a></p>'), Figure("f.jpg", "9")]


def test_without_front_matter_the_first_heading_is_the_title_and_the_name_gives_the_day():
    resource = md("(label)=\n# Equity\n\n## Part\n\nText")
    assert (resource.title, resource.published_on) == ("Equity", datetime.date(2020, 2, 3))
    assert resource.pieces == [Heading("Part"), Words("<p>Text</p>")]


def test_the_title_of_a_picture_is_its_caption():
    resource = md('![Alt](a.jpg "Words. (Photo courtesy of Ana Roe/flickr)"){: #id}')
    (figure,) = resource.figures
    assert (figure.caption, figure.credit.creator, figure.credit.line) == (
        "Words.",
        "Ana Roe",
        "(Photo courtesy of Ana Roe/flickr)",
    )


def test_a_myst_figure_and_its_roles_are_read():
    resource = md(
        "```{figure} ../f.jpg\n---\nname: x\nalt: People talk.\n---\nBy Ana Roe, CC BY 4.0\n```\n\nSee {ref}`this<x>`."
    )
    (figure,) = resource.figures
    assert (figure.source, figure.alt, figure.credit.creator, figure.credit.licence) == (
        "../f.jpg",
        "People talk.",
        "Ana Roe",
        "CC-BY-4.0",
    )
    assert resource.pieces[-1] == Words("<p>See this.</p>")


def test_hugo_and_liquid_shortcodes_are_read():
    resource = md(
        '{{< img src="hall" alt="A hall" caption="Lunch" >}}\n\n{{< youtube id="a1" title="Talk" >}}\n\n'
        '{{< note >}}## Mind\n\nthe gap{{< /note >}}\n\n{{< quote-block text="Learn." cite="Ana Roe" >}}\n\n'
        '{% image "/p.jpg" "A plan" %}\n\n{{ "/x/" | url }} {% raw %}kept{% endraw %}'
    )
    assert resource.pieces[:5] == [
        Figure("hall", "A hall", "Lunch"),
        Video("Talk", "https://www.youtube.com/watch?v=a1"),
        Callout("note", "Mind", "<p>the gap</p>"),
        Quote("Learn.", "Ana Roe"),
        Figure("/p.jpg", "A plan"),
    ]
    assert resource.pieces[5] == Words("<p>/x/ kept</p>")


def test_an_unknown_shortcode_is_said_and_code_is_left_alone():
    resource = md('{{< chart id="7" >}}\n\n```\n{{< chart >}}\n```\n')
    assert resource.pieces == [Code("{{< chart >}}")]
    assert said(resource) == ['the shortcode “chart” was left out: id="7"']


def test_divs_of_the_carpentries_become_call_outs():
    resource = md("::::::: challenge\n\n## Try it\n\nDo.\n\n:::: solution\n\nDone.\n\n::::\n\n:::::::\n")
    assert resource.pieces == [Callout("try", "Try it", "<p>Do.</p>"), Callout("try", "", "<p>Done.</p>")]


def test_footnotes_and_definitions_are_kept():
    resource = md("Text[^1].\n\nEquity\n: Giving each what helps.\n\n[^1]: The note.\n")
    assert "<sup>[1]</sup>" in words(resource)
    assert "<p><b>Equity</b></p><p>Giving each what helps.</p>" in words(resource)
    assert "<li>The note.</li>" in words(resource)


# --- From a folder to drafts


@pytest.fixture
def folder(tmp_path):
    """A folder with one article and its picture."""
    root = tmp_path / "library"
    (root / "texts").mkdir(parents=True)
    (root / "pictures").mkdir()
    (root / "pictures" / "fences.png").write_bytes(drawn())
    (root / "texts" / "equity.md").write_text(
        "---\ntitle: Equity\n---\nText\n\n"
        '![Children at a fence.](../pictures/fences.png "Two fences © Delta Institute | Artist: Ana Roe, CC BY 4.0")\n'
    )
    return root


def take(root, format="markdown", **options):
    return Intake(root, format, **options).run().data()


def test_an_article_becomes_a_draft_with_its_credited_figure(resources, folder):
    receipt = take(folder)
    assert receipt == {
        "created": 1,
        "updated": 0,
        "skipped": 0,
        "images": 1,
        "missing_images": 0,
        "needs_attribution": 0,
        "problems": [],
    }
    page = ArticlePage.objects.child_of(resources).get()
    assert (page.title, page.slug, page.live) == ("Equity", "equity", False)
    figure = page.get_latest_revision_as_object().body[1].value
    assert figure["image"].contextual_alt_text == "Children at a fence."
    assert str(figure["caption"]) == "<p>Two fences</p>"
    image = CreditedImage.objects.get()
    assert (image.holder, image.creator, image.licence) == ("Delta Institute", "Ana Roe", "CC-BY-4.0")
    assert image.licence_evidence == "© Delta Institute | Artist: Ana Roe, CC BY 4.0"


def test_a_second_run_changes_nothing(resources, folder):
    take(folder)
    revision = ArticlePage.objects.get().latest_revision_id
    receipt = take(folder)
    assert (receipt["created"], receipt["updated"], receipt["skipped"]) == (0, 0, 1)
    assert ArticlePage.objects.get().latest_revision_id == revision
    assert CreditedImage.objects.count() == 1


def test_a_changed_source_renews_the_draft(resources, folder):
    take(folder)
    file = folder / "texts" / "equity.md"
    file.write_text(file.read_text().replace("title: Equity", "title: Equity now"))
    assert take(folder)["updated"] == 1
    assert ArticlePage.objects.get().title == "Equity now"


def test_a_page_that_an_editor_touched_stays_as_it_is(resources, folder):
    take(folder)
    page = ArticlePage.objects.get()
    page.title = "Ours"
    page.save_revision()
    file = folder / "texts" / "equity.md"
    file.write_text(file.read_text() + "\nMore.\n")
    receipt = take(folder)
    assert receipt["skipped"] == 1
    assert "was edited here" in receipt["problems"][0]["what"]
    assert page.get_latest_revision_as_object().title == "Ours"


def test_a_missing_picture_keeps_its_place_and_comes_with_media(resources, folder, tmp_path):
    shutil.move(folder / "pictures", tmp_path / "elsewhere")
    receipt = take(folder)
    assert (receipt["images"], receipt["missing_images"]) == (0, 1)
    assert receipt["problems"] == [
        {"where": "texts/equity.md", "what": "the picture ../pictures/fences.png is missing: there is no such file"}
    ]
    place = ArticlePage.objects.get().body[1].value
    assert place["title"] == "Picture missing: ../pictures/fences.png"
    assert "Children at a fence." in str(place["text"])
    receipt = take(folder, media=tmp_path / "elsewhere")
    assert (receipt["updated"], receipt["images"], receipt["missing_images"]) == (1, 1, 0)


def test_nothing_outside_the_folder_is_read(resources, folder, tmp_path):
    (tmp_path / "secret.png").write_bytes(drawn())
    (folder / "texts" / "link.png").symlink_to(tmp_path / "secret.png")
    (folder / "texts" / "equity.md").write_text("![a](../../secret.png)\n\n![b](link.png)\n\n![c](/etc/hosts)")
    assert take(folder)["missing_images"] == 3


@pytest.mark.parametrize("data", [b"", b"no picture", drawn()[:60], b"<svg xmlns='http://www.w3.org/2000/svg'/>"])
def test_a_broken_picture_counts_as_missing(resources, folder, data):
    (folder / "pictures" / "fences.png").write_bytes(data)
    assert take(folder)["missing_images"] == 1


def test_publish_publishes_what_is_complete_and_leaves_the_rest_a_draft(resources, folder):
    (folder / "texts" / "bare.md").write_text("---\ntitle: Bare\n---\n![img_12.png](../pictures/other.png)")
    (folder / "pictures" / "other.png").write_bytes(drawn("red"))
    receipt = take(folder, publish=True)
    assert receipt["needs_attribution"] == 1
    assert receipt["problems"][0] == {
        "where": "texts/bare.md",
        "what": "the picture “other” (../pictures/other.png) lacks: "
        "alt text (it has a file name there), creator or holder, licence",
    }
    assert dict(ArticlePage.objects.values_list("title", "live")) == {"Bare": False, "Equity": True}


def test_a_dry_run_counts_and_keeps_nothing(resources, folder):
    assert take(folder, dry_run=True)["created"] == 1
    assert (
        not ArticlePage.objects.exists() and not CreditedImage.objects.exists() and not ImportedSource.objects.exists()
    )


def test_known_people_and_terms_are_joined_and_unknown_ones_said(resources, folder):
    Person.objects.create(name="Ana Roe", locale=resources.locale)
    facet = Facet.objects.create(name="Topic", slug="topic", locale=resources.locale)
    Term.objects.create(facet=facet, name="Equity", slug="equity", locale=resources.locale)
    (folder / "texts" / "equity.md").write_text(
        "---\ntitle: T\nauthors: [Ana Roe, Bo Lee]\ntags: [Equity, Snow]\n---\nx"
    )
    problems = [problem["what"] for problem in take(folder)["problems"]]
    page = ArticlePage.objects.get().get_latest_revision_as_object()
    assert [line.person.name for line in page.bylines.all()] == ["Ana Roe"]
    assert [term.slug for term in page.terms.all()] == ["equity"]
    assert problems == [
        "no person here has the name of these authors: Bo Lee",
        "no term here has the name of these topics: Snow",
    ]


@pytest.mark.parametrize(
    ("data", "title"),
    [
        ("<h1>Año</h1><p>niño</p>".encode(), "Año"),
        ("<h1>Año</h1><p>niño</p>".encode("utf-16"), "Año"),
        ("<meta charset='iso-8859-1'><h1>Año</h1><p>niño</p>".encode("latin-1"), "Año"),
        (("<h1>Año escolar</h1><p>" + "El niño comió en la montaña. " * 20 + "</p>").encode("cp1252"), "Año escolar"),
    ],
)
def test_files_in_other_encodings_are_read(resources, tmp_path, data, title):
    (tmp_path / "a.html").write_bytes(data)
    assert take(tmp_path, "html")["created"] == 1
    assert ArticlePage.objects.get().title == title


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"\x00\x01\x02\x03", "the file is no text"),
        (b"", "no article was found in the page: the draft has a title only"),
        (
            b"<main>" + b"<div>" * 5000 + b"deep" + b"</div>" * 5000,
            "the file is too broken to be read (RecursionError)",
        ),
        (b"a" * 10_000_001, "the file is larger than 10 MB"),
    ],
)
def test_a_broken_file_is_accounted_for(resources, tmp_path, data, reason):
    (tmp_path / "broken.html").write_bytes(data)
    receipt = take(tmp_path, "html")
    assert receipt["created"] + receipt["skipped"] == 1
    assert receipt["problems"] == [{"where": "broken.html", "what": reason}]


@pytest.mark.parametrize(
    "data", [b"<p>" * 200_000 + b"a", b"<<<>>><p", b"\xff\xfe\xff", b"<table><tr><td rowspan=99999999>a<td>b"]
)
def test_broken_html_is_read_as_far_as_true(resources, tmp_path, data):
    (tmp_path / "broken.html").write_bytes(data)
    assert take(tmp_path, "html")["created"] == 1


def test_an_article_in_spanish_goes_under_the_spanish_resource_center(resources, tmp_path):
    (tmp_path / "a.html").write_text("<html lang='es-MX'><main><h1>Equidad</h1><p>Hola</p></main></html>")
    take(tmp_path, "html")
    assert ArticlePage.objects.get().locale.language_code == "es"


def test_control_characters_do_not_come_in(resources, tmp_path):
    (tmp_path / "a.md").write_bytes(b"# Fen\x0bces\n\nTwo \x029\x03 boxes\n" + b"x" * 5000 + b"\x00")
    receipt = take(tmp_path)
    assert (receipt["created"], receipt["problems"]) == (1, [])
    page = ArticlePage.objects.get()
    assert page.title == "Fences"
    assert "<p>Two 9 boxes" in str(page.body)


def test_an_article_without_any_name_is_untitled(resources, tmp_path):
    (tmp_path / "___.html").write_text("<p>a</p>")
    assert take(tmp_path, "html")["created"] == 1
    assert ArticlePage.objects.get().title == "Untitled"


def test_one_article_that_fails_leaves_nothing_behind_and_stops_no_other(resources, folder):
    (folder / "texts" / "hola.md").write_text("---\nlang: es\ntitle: Hola\n---\nHola")
    ResourceCenterPage.objects.get(locale__language_code="en").delete()
    receipt = take(folder)
    assert (receipt["created"], receipt["updated"], receipt["skipped"]) == (1, 0, 1)
    assert receipt["problems"] == [
        {"where": "texts/equity.md", "what": "the file could not be taken (DoesNotExist): the log says more"}
    ]
    assert not CreditedImage.objects.exists()
    assert [known.source for known in ImportedSource.objects.all()] == ["library/texts/hola.md"]


def test_entities_from_outside_are_not_fetched(resources, tmp_path):
    (tmp_path / "a.xhtml").write_text(
        "<?xml version='1.0'?><!DOCTYPE html [<!ENTITY x SYSTEM 'file:///etc/passwd'>]>"
        "<html><body><main><h1>T</h1><p>&x; end</p></main></body></html>"
    )
    take(tmp_path, "html")
    assert "root:" not in str(ArticlePage.objects.get().body)


def test_the_command_prints_one_json_object(resources, folder):
    out = StringIO()
    call_command("import_resources", folder, "--format", "markdown", "--json", stdout=out)
    assert json.loads(out.getvalue())["created"] == 1


def test_the_command_says_what_is_wrong(resources, folder, tmp_path):
    with pytest.raises(CommandError, match="not in this version") as refused:
        call_command("import_resources", folder, "--format", "wordpress")
    assert refused.value.returncode == 2
    with pytest.raises(CommandError, match="There is no"):
        call_command("import_resources", tmp_path / "nowhere", "--format", "html")
