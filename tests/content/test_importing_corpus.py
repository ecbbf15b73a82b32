"""Every article of the corpus against the figures that a right reading gives (FACTS.json).

Where the facts count something else than what an article keeps, the test says what we count, and why.
"""

import json
import re
from html import unescape

import pytest
from bs4 import BeautifulSoup

from content.importing import html, markdown
from content.importing.resource import Callout, Card, Code, Heading, Quote, Table, Video, Words

pytestmark = pytest.mark.once

TURING, DIGITAL, EIGHTEEN = "turing-way-md/", "digitalgov-md/", "18f-md/"


@pytest.fixture(scope="module")
def articles(corpus):
    """(file, what was read, what the facts say) of each article."""
    folder = corpus / "articles"
    facts = json.loads((folder / "FACTS.json").read_text())
    return [
        ((html if name.endswith(".html") else markdown).read((folder / name).read_text(), name), known, name)
        for name, known in facts.items()
    ]


def plain(text):
    return re.sub(r"\s+", " ", BeautifulSoup(unescape(text or ""), "lxml").get_text()).strip()


def rich(resource):
    parts = [piece.html for piece in resource.pieces if isinstance(piece, (Words, Callout))]
    parts += [cell for piece in resource.pieces if isinstance(piece, Table) for row in piece.rows for cell in row]
    return " ".join(parts + [figure.caption for figure in resource.figures])


def count(resource, *kinds):
    return sum(isinstance(piece, kinds) for piece in resource.pieces)


def different(articles, ours, theirs):
    """{file: our count} where it is not the facts' count."""
    return {
        name: ours(resource)
        for resource, known, name in articles
        if theirs(known) is not None and ours(resource) != theirs(known)
    }


def test_titles(articles):
    for resource, known, _ in articles:
        assert resource.title == plain(known["h1"][0] if "h1" in known else known["title"])


def test_headings_of_markdown(articles):
    def ours(resource):
        titled = sum(isinstance(piece, Callout) and bool(piece.title) for piece in resource.pieces)
        return count(resource, Heading) + len(re.findall("<h[34]>", rich(resource))) + titled

    def theirs(known):
        # The facts count a first heading that is the title here.
        return known["headings"] - (not known["front_matter_keys"]) if "headings" in known else None

    assert different(articles, ours, theirs) == {
        # Headings that are underlined with --- are headings, too.
        f"{TURING}ethical-research/ethics-intro.md": 11,
        f"{TURING}communication/presentations/presentations-personal-stories.md": 11,
        # Six stand behind `{{< note >}}` on its line; the title of `{{< ring >}}` is one.
        f"{DIGITAL}2022-10-11-celebrating-hispanic-and-latinx-heritage-month-at-tts-an-intersection-of-identity-and-"
        "public-service.md": 7,
        f"{DIGITAL}2024-09-23-delivering-a-digital-first-public-experience-one-agencys-plan.md": 12,
    }


def test_headings_of_web_pages(articles):
    for resource, known, _ in articles:
        headings = {piece.text for piece in resource.pieces if isinstance(piece, Heading)}
        for heading in known.get("h2", []):
            text = heading.replace(" [ edit ]", "")
            # The only heading in a table cell is a bare paragraph of that cell.
            assert text in headings or f"<p>{text}</p>" in rich(resource)


def test_figures_with_alt_caption_and_credit(articles):
    for resource, known, name in articles:
        if "wikipedia" in name:
            continue  # two icons of a portal box and a counting pixel: none belongs to the article
        read = {figure.source: figure for figure in resource.figures}
        for fact in known.get("figures", []):
            figure = read[fact["src"]]
            assert figure.alt == plain(fact["alt"]).replace("\\'", "'")
            if fact["caption"]:
                assert plain(f"{figure.caption} {figure.credit.line}") == plain(fact["caption"])
            if fact.get("credit"):
                assert figure.credit.line == plain(fact["credit"])
                assert figure.credit.creator or figure.credit.holder


def test_every_credit_line_is_read(articles):
    for resource, known, name in articles:
        lines = [figure.credit.line for figure in resource.figures if figure.credit.line]
        for line in known["credit_or_licence_lines"]:
            if "Photo (a)" in line:  # one line for two pictures: each has its own half
                assert [figure.credit.creator for figure in resource.figures[1:]] == ["", "Chun Kit"]
                continue
            text = plain(re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", line)).replace("*", "").replace("_", "")
            assert any(text in plain(read).replace("_", "") for read in lines), (name, line)


def test_number_of_figures(articles):
    def theirs(known):
        return known["img"] if "img" in known else known["md_images"] + known["html_img"] + known["myst_figures"]

    assert different(articles, lambda resource: len(resource.figures), theirs) == {
        # The facts count no pictures of shortcodes: {{< img >}}, {% image %}.
        f"{DIGITAL}2020-01-22-10-employee-engagement-experiences-foster-collaboration.md": 8,
        f"{DIGITAL}2020-01-30-adopting-uswds-one-step-at-time.md": 5,
        f"{DIGITAL}2022-10-11-celebrating-hispanic-and-latinx-heritage-month-at-tts-an-intersection-of-identity-and-"
        "public-service.md": 6,
        f"{DIGITAL}2023-08-28-inclusivity-and-automation.md": 1,
        f"{EIGHTEEN}2015-05-27-dan-brown-conflict-in-design.md": 1,
        f"{EIGHTEEN}2016-10-14-iterative-workplace-design-denver-federal-center.md": 5,
        "wikipedia-html/wikipedia-4.html": 0,
    }


def test_tables(articles):
    def theirs(known):
        return known["tables"] if "tables" in known else known["html_tables"] + bool(known["pipe_table_rows"])

    assert different(articles, lambda resource: count(resource, Table), theirs) == {
        f"{TURING}ethical-research/ethics-intro.md": 2,  # ten rows of pipes in two tables
        "wikipedia-html/wikipedia-4.html": 1,  # the other is a box of links to other articles
    }


def test_links(articles):
    for resource, known, name in articles:
        links = rich(resource).count("<a href=")
        # In web pages the facts also count marks on the page itself, so only most of them lead elsewhere.
        assert links >= (known["links"] if name.endswith(".md") else 0), name


def test_code_and_embedded_players(articles):
    for resource, known, name in articles:
        if name.endswith(".md"):
            assert count(resource, Code) == known["code_fences"] - known["myst_figures"], name
            players = known["iframes"] + known["shortcodes_or_directives"].count("youtube")
            assert count(resource, Video, Card) == players, name


def test_footnotes(articles):
    wikipedia = next(resource for resource, _, name in articles if "wikipedia" in name)
    assert (
        len(re.findall(r"<sup>\[(?:[a-z]|\d+)\]</sup>", rich(wikipedia))) == 81
    )  # the facts' 163 are these and the ways back
    notes = wikipedia.pieces[
        [piece.text if isinstance(piece, Heading) else "" for piece in wikipedia.pieces].index("References") + 1
    ]
    assert notes.html.count("<li>") == 80


def test_no_half_pages(articles):
    """Nine words in ten arrive: the facts also count addresses, classes and buttons."""
    for resource, known, name in articles:
        texts = [plain(rich(resource)), *(figure.alt + figure.credit.line for figure in resource.figures)]
        texts += [piece.text for piece in resource.pieces if isinstance(piece, (Heading, Code, Quote))]
        for piece in resource.pieces:
            texts += [piece.caption, *piece.headings] if isinstance(piece, Table) else []
        words = len(re.findall(r"\w+", " ".join(texts)))
        least = 0.9 * known.get("words", known.get("words_in_main"))
        assert words >= least, (name, words, least)
