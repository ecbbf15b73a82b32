"""The TASL line in its four forms, and what a work lacks."""

import datetime

import pytest

from content.credits import Lack, Licence, credit_line, is_file_name, missing

pytestmark = pytest.mark.once


def test_holder_and_creator_make_the_seeds_credit_line(picture):
    credit = credit_line(picture(title="Equity vs Equality"))
    assert credit.authorship == "© Interaction Institute for Learning | Artist: Ana Maguire"
    assert credit.text() == (
        "Equity vs Equality © Interaction Institute for Learning | Artist: Ana Maguire"
        " | CC BY-SA 4.0, https://creativecommons.org/licenses/by-sa/4.0/"
    )


def test_html_links_the_source_and_the_licence_and_names_the_change(picture):
    work = picture(source_url="https://example.org/fences?a=1&b=2", adapted="cropped")
    assert credit_line(work).html() == (
        '<a href="https://example.org/fences?a=1&amp;b=2">Two fences</a>'
        " © Interaction Institute for Learning | Artist: Ana Maguire"
        ' | <a rel="license" href="https://creativecommons.org/licenses/by-sa/4.0/">CC BY-SA 4.0</a>'
        " | Changed: cropped"
    )


def test_words_the_holder_demands_replace_creator_and_holder(picture):
    assert (
        credit_line(picture(credit_override="Courtesy of the Delta Archive"))
        .text()
        .startswith("Two fences | Courtesy of the Delta Archive | CC BY-SA 4.0")
    )


def test_hostile_values_are_escaped_and_a_script_address_is_no_source(picture):
    html = credit_line(
        picture(title="<script>x</script>", creator='"><img src=x>', source_url="javascript:alert(1)")
    ).html()
    assert "<script" not in html and "<img" not in html and "javascript" not in html


@pytest.mark.parametrize(
    ("holder", "creator", "licence", "line"),
    [
        ("Delta Schools", "", "CC-BY-4.0", "© Delta Schools"),
        ("", "Ana Maguire", "CC-BY-4.0", "© Ana Maguire"),
        ("Ana Maguire", "Ana Maguire", "CC-BY-4.0", "© Ana Maguire"),
        ("", "Ana Maguire", "CC0-1.0", "Ana Maguire"),
        ("City Library", "Ana Maguire", "LicenseRef-PDM-1.0", "City Library | Artist: Ana Maguire"),
    ],
)
def test_the_line_says_only_what_is_known_and_claims_no_right_in_the_public_domain(
    picture, holder, creator, licence, line
):
    assert credit_line(picture(holder=holder, creator=creator, licence=licence)).authorship == line


def test_a_document_has_an_author(document):
    assert credit_line(document(holder="Delta Schools")).authorship == "© Delta Schools | Author: Ana Maguire"


def test_data_for_machines_says_the_same(picture):
    assert credit_line(picture(source_url="https://example.org/")).data() == {
        "name": "Two fences",
        "creator": {"@type": "Person", "name": "Ana Maguire"},
        "copyrightHolder": {"@type": "Organization", "name": "Interaction Institute for Learning"},
        "creditText": "© Interaction Institute for Learning | Artist: Ana Maguire",
        "copyrightNotice": "© Interaction Institute for Learning | Artist: Ana Maguire",
        "license": "https://creativecommons.org/licenses/by-sa/4.0/",
        "acquireLicensePage": "https://example.org/",
    }


def test_every_commons_licence_knows_its_text():
    addresses = [licence.url for licence in Licence if licence.value.startswith("CC-")]
    assert "https://creativecommons.org/licenses/by-nc-sa/2.0/" in addresses
    assert all(addresses) and len(set(addresses)) == len(addresses)


def test_a_complete_work_lacks_nothing(picture, document):
    assert missing(picture()) == [] and missing(document()) == []


@pytest.mark.parametrize(
    ("fields", "lacks"),
    [
        ({"description": ""}, [Lack.ALT_TEXT]),
        ({"description": "", "is_decorative": True}, []),
        ({"description": "img_1234.jpg"}, [Lack.ALT_TEXT_WORDS]),
        ({"description": "fences"}, [Lack.ALT_TEXT_WORDS]),
        ({"title": "Fences", "description": "Fences"}, [Lack.ALT_TEXT_WORDS]),
        ({"creator": " ", "holder": ""}, [Lack.CREATOR]),
        ({"creator": "", "holder": "", "credit_override": "Courtesy of the archive"}, []),
        ({"licence": ""}, [Lack.LICENCE]),
        ({"licence": "made up"}, [Lack.LICENCE]),
        ({"licence": "LicenseRef-permission"}, [Lack.EVIDENCE]),
        ({"licence": "LicenseRef-permission", "licence_evidence": "Mail of 3 May"}, []),
        ({"licence_expires": datetime.date(2020, 1, 1)}, [Lack.EXPIRED]),
        ({"licence": "CC-BY-ND-4.0", "adapted": "cropped"}, [Lack.CHANGES]),
        ({"people_shown": True}, [Lack.RELEASE]),
        ({"people_shown": True, "media_release": "Binder 4"}, []),
    ],
)
def test_what_a_picture_lacks(picture, fields, lacks):
    assert missing(picture(**fields)) == lacks


def test_an_alt_text_of_the_place_counts_before_the_pictures_own(picture):
    assert missing(picture(description=""), alt="A fence in the snow.") == []
    assert missing(picture(), alt="IMG_0001.JPG") == [Lack.ALT_TEXT_WORDS]


@pytest.mark.parametrize(
    "text",
    ["img_1234.jpg", "DSC00123", "Screenshot 2024-05-03", "photo", "image (2)", "two_fences", "2018-08-15", "fig 3"],
)
def test_file_names_are_told_from_descriptions(text):
    assert is_file_name(text)


@pytest.mark.parametrize(
    "text", ["A fence.", "COVID-19 test kit", "Photo of Ana", "Figure 2 shows growth", "Classroom"]
)
def test_descriptions_are_no_file_names(text):
    assert not is_file_name(text, "photos/dsc_22.jpg")
