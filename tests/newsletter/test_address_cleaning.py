"""Addresses as people paste them: what is around them goes, whose they are stays."""

from __future__ import annotations

import csv
import io
import json

import pytest
from bs4 import BeautifulSoup
from django.core.management import call_command

from newsletter import addresses, subscribers
from newsletter.models import Subscriber

ANA = "ana.ruiz@school.example"
PASTED = [
    f"\u00a0{ANA}\u00a0",
    f"\u200b{ANA}\ufeff",
    "ana\u200b.ruiz@school.example",
    "ana.ruiz\u00a0@school.example",
    "ana.ruiz@\u202fschool.example",
    "ana\u00a0.ruiz@school.example",
    "an\u00a0a.ruiz@school.example",
    "ana.ruiz@scho\u00adol.example",
    "ana.ruiz@school\u00a0.example",
    "ana.ruiz@scho\u00a0ol.example",
    f"\u2003{ANA}\u3000\u2028",
    f"\u202a{ANA}\u202c",
    f"<{ANA}>",
    f"<{ANA}>,",
    f"mailto:{ANA}",
    f"MailTo:{ANA}?subject=Join",
    f"<mailto:{ANA}>",
    f"Ana Ruiz <{ANA}>",
    f'"Ruiz, Ana" <{ANA}>;',
    f"{ANA} <{ANA}>",
    f"{ANA} (Ana Ruiz)",
    f"({ANA})",
    f"“{ANA}”",
    f"'{ANA}'",
    f"'{ANA}',",
    f"`{ANA}`",
    f"*{ANA}*",
    f"{ANA},",
    f"{ANA};",
    f"{ANA}.",
    f"{ANA}.\u00a0",
    f"{ANA}>",
    f"ana.ruiz @ {ANA.partition('@')[2]}",
]


@pytest.mark.parametrize("typed", PASTED)
@pytest.mark.once
def test_what_stands_around_an_address_by_accident_is_taken_off(typed):
    assert addresses.parse(typed) == (ANA, ANA)


@pytest.mark.parametrize(
    "email",
    [
        "a!#$%&'*+/=?^_`{|}~-@example.com",
        "'ana@school.example",
        "*ana@school.example",
        "{ana}@school.example",
        "_ana_@school.example",
        "a?b@school.example",
        "o'hara+50%off@school.example",
        "mailto@school.example",
    ],
)
@pytest.mark.once
def test_an_address_that_works_stays_what_it_is(email):
    assert addresses.parse(email).email == email
    assert addresses.parse(f"Ana <{email}>").email == email


@pytest.mark.parametrize(
    ("typed", "why"),
    [
        ("ana@school.example, ben@school.example", "more than one address"),
        ("ana@school.example;ben@school.example", "more than one address"),
        ("Ana <ana@school.example>, Ben <ben@school.example>", "more than one address"),
        ("ben@school.example <ana@school.example>", "more than one address"),
        ("ana@school.example\u2028Bcc: ben@school.example", "more than one address"),
        ("Ana ana@school.example", "a space inside"),
        ("Ana\u00a0ana@school.example", "a space inside"),
        ("ana\u00a0ruiz\u00a0jr@school.example", "a space inside"),
        ("ana@school.example\u00a0Maple", "a space inside"),
        ("ana@school.example. Thanks", "a space inside"),
        ("ana ruiz@school.example", "a space inside"),
        ("аna@school.example", "before the @"),
        ("ana＠school.example", "does not look like"),
        ("\u200b\u00a0", "enter your email address"),
    ],
)
@pytest.mark.once
def test_what_may_be_two_things_is_refused_for_its_true_reason(typed, why):
    with pytest.raises(addresses.InvalidAddress, match=why):
        addresses.parse(typed)


@pytest.mark.once
def test_names_keep_what_their_script_needs_and_lose_what_nobody_sees():
    assert addresses.tidy_name("\ufeffAna\u00a0Ruiz\u200b") == "Ana Ruiz"
    assert addresses.tidy_name("Jose\u0301") == "José"
    assert addresses.tidy_name("مهر\u200cداد 👨\u200d👩\u200d👧") == "مهر\u200cداد 👨\u200d👩\u200d👧"


def test_a_pasted_address_signs_up_and_the_browser_leaves_the_judging_to_us(client, newsletter, monkeypatch):
    monkeypatch.setattr("newsletter.views.subscribing.ANSWER_AFTER", 0)
    assert client.post("/newsletter/subscribe/", {"email": f"Ana Ruiz <{ANA}>\u200b"}).status_code == 200
    assert Subscriber.objects.get().email == ANA
    soup = BeautifulSoup(client.get("/newsletter/").content, "html.parser")
    assert soup.select_one("form[action='/newsletter/subscribe/']").has_attr("novalidate")


def test_an_erasure_finds_the_address_however_it_is_pasted(people):
    people(ANA)
    call_command("erase_subscriber", f"<{ANA}>\u00a0", stdout=io.StringIO())
    assert not Subscriber.objects.exists()


def test_cells_of_a_file_are_cleaned_and_rows_of_one_person_are_one(newsletter, tmp_path):
    rows = [f"{pasted}|Ana\u00a0Ruiz\u200b" for pasted in PASTED]
    file, out = tmp_path / "list.csv", io.StringIO()
    with file.open("w", encoding="utf-8", newline="") as sheet:
        csv.writer(sheet).writerows([["\ufeffE-mail\u00a0address", "Name"], *(row.split("|") for row in rows)])
    call_command("import_subscribers", file, "--consent=At the fair.", "--json", stdout=out)
    receipt = json.loads(out.getvalue())
    assert (receipt["created"], receipt["duplicates"], receipt["rejected"]) == (1, len(PASTED) - 1, [])
    assert Subscriber.objects.values_list("email", "name").get() == (ANA, "Ana Ruiz")


def test_a_suppressed_address_is_the_same_however_it_is_pasted(newsletter):
    subscribers.suppress(ANA, "complaint", source="test")
    assert {addresses.address_key(pasted) for pasted in PASTED} == {ANA}
