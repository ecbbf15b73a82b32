"""Subscriber files: what comes in, what goes out, and that nothing is lost or brought back on the way."""

from __future__ import annotations

import csv
import io
import json
import time
from datetime import UTC, datetime, timedelta

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from newsletter import addresses, choices, exporting, subscribers
from newsletter.models import ConsentEvent, Newsletter, Notice, Subscriber, Subscription, Suppression

CONSENT = "Signed the list at the spring meeting."


@pytest.fixture
def take(newsletter, tmp_path):
    """Imports a text or bytes and returns the receipt."""

    def run(content, *options, consent=CONSENT):
        file = tmp_path / "list.csv"
        file.write_bytes(content if isinstance(content, bytes) else content.encode())
        out = io.StringIO()
        stated = ("--consent", consent) if consent else ()
        call_command("import_subscribers", file, "--json", *stated, *options, stdout=out)
        return json.loads(out.getvalue())

    return run


def counts(receipt):
    return {name: len(value) if name == "rejected" else value for name, value in receipt.items() if value}


def people():
    return {row.subscriber.email: row.status for row in Subscription.objects.select_related("subscriber")}


def test_rows_with_a_stated_consent_arrive_confirmed(take, terms):
    receipt = take(
        "email,name,role,topic,language\n"
        'ana@school.example,Ana Ruiz,teacher,"equity, math",es\n'
        "ben@school.example,,astronaut,,\n"
    )
    assert receipt == {
        "rows": 2,
        "created": 2,
        "updated": 0,
        "unchanged": 0,
        "suppressed": 0,
        "duplicates": 0,
        "rejected": [],
    }
    ana, ben = Subscription.objects.order_by("subscriber__email")
    assert (ana.status, ana.subscriber.name, ana.subscriber.language) == ("confirmed", "Ana Ruiz", "es")
    assert choices.chosen(ana) == {terms["teacher"], terms["equity"], terms["math"]}
    assert ana.choices_key == choices.key(choices.chosen(ana)) and ben.choices_key == ""
    assert ana.confirmed_at and ana.source == "import"
    event = ConsentEvent.objects.get(subscription=ana)
    assert (event.kind, event.wording) == ("imported", CONSENT)
    assert not Notice.objects.exists()


def test_rows_without_a_stated_consent_are_refused_with_the_mend(take, tmp_path):
    with pytest.raises(CommandError, match="--consent") as refusal:
        take("email\nana@school.example\nben@school.example\n", consent="")
    assert refusal.value.returncode == 1
    assert not Subscriber.objects.exists()


def test_the_receipt_accounts_for_every_row(take, maria):
    maria_again = "MARIA.Lopez@school.example,Maria"
    receipt = take(
        f"email,name\nana@school.example,Ana\nAna@School.example,Ana\nnot an address,X\n{maria_again}\n\n"
        "a@b.example,one,two,three\n"
    )
    assert counts(receipt) == {"rows": 5, "created": 1, "updated": 1, "duplicates": 1, "rejected": 2}
    assert receipt["rows"] == sum(counts({**receipt, "rows": 0}).values())
    assert [(row["row"], row["email"]) for row in receipt["rejected"]] == [(4, "not an address"), (7, "")]
    assert all(row["why"].endswith(".") for row in receipt["rejected"])


def test_importing_again_changes_nothing(take):
    text = "email,name\nana@school.example,Ana\nben@school.example,Ben\n"
    take(text)
    before = list(Subscriber.objects.values()), list(Subscription.objects.values()), ConsentEvent.objects.count()
    assert counts(take(text)) == {"rows": 2, "unchanged": 2}
    assert before == (
        list(Subscriber.objects.values()),
        list(Subscription.objects.values()),
        ConsentEvent.objects.count(),
    )


def test_what_the_file_says_is_taken_over_and_what_it_leaves_empty_is_kept(take, maria):
    take("email,name,language\nmaria.lopez@school.example,,es\n")
    maria.refresh_from_db()
    assert (maria.subscriber.name, maria.subscriber.language) == ("Maria López", "es")
    take("email,name\nmaria.lopez@school.example,Maria L.\n")
    maria.subscriber.refresh_from_db()
    assert (maria.subscriber.name, maria.subscriber.language) == ("Maria L.", "es")


def test_a_pending_sign_up_is_confirmed_by_stated_consent(take, sam):
    take("email\nsam@school.example\n")
    sam.refresh_from_db()
    assert sam.status == "confirmed" and sam.confirmed_at
    assert ConsentEvent.objects.get().wording == CONSENT


@pytest.mark.parametrize("status", ["unsubscribed", "bounced", "complained"])
def test_an_import_never_brings_back_who_left(take, people, status):
    gone = people("gone@school.example", status=status)
    assert counts(take("email,name,status\ngone@school.example,New Name,subscribed\n")) == {"rows": 1, "suppressed": 1}
    gone.refresh_from_db()
    assert (gone.status, gone.subscriber.name) == (status, "")


def test_an_import_never_lifts_a_suppression(take):
    Suppression.objects.create(address_key="blocked@school.example", reason="complaint")
    subscribers.erase("erased@school.example", source="test")
    receipt = take("email\nblocked@school.example\nerased@school.example\nfine@school.example\n")
    assert counts(receipt) == {"rows": 3, "created": 1, "suppressed": 2}
    assert people_in_database() == ["fine@school.example"]
    assert Suppression.objects.count() == 2


def people_in_database():
    return list(Subscriber.objects.order_by("email").values_list("email", flat=True))


def test_an_erased_person_who_is_starting_anew_is_not_confirmed_by_an_import(take, newsletter):
    subscribers.erase("ana@school.example", source="test")
    subscribers.subscribe(newsletter, "ana@school.example", ip="203.0.113.1")
    assert counts(take("email\nana@school.example\n")) == {"rows": 1, "suppressed": 1}
    assert people() == {"ana@school.example": "pending"}


def test_who_opted_out_elsewhere_arrives_opted_out(take, maria):
    receipt = take(
        "Email,First name,Last name,Status\nactive@example.com,Foo,Bar,active\n"
        "unsubscribed@example.com,Foo,Bar,unsubscribed\n"
        "unreachable@example.com,Foo,Bar,unreachable\nempty@example.com,Foo,Bar,\n"
        "maria.lopez@school.example,,,Unsubscribed\n"
    )
    assert counts(receipt) == {"rows": 5, "created": 2, "suppressed": 3}
    assert people() == {
        "active@example.com": "confirmed",
        "unsubscribed@example.com": "unsubscribed",
        "unreachable@example.com": "bounced",
        "empty@example.com": "confirmed",
        "maria.lopez@school.example": "unsubscribed",
    }
    assert Suppression.objects.get().address_key == "unreachable@example.com"
    assert Subscriber.objects.get(email="active@example.com").name == "Foo Bar"


@pytest.mark.parametrize(
    ("first", "second", "counted", "status"),
    [
        ("subscribed", "unsubscribed", "suppressed", "unsubscribed"),
        ("unsubscribed", "subscribed", "suppressed", "unsubscribed"),
        ("confirmed", "pending", "created", "pending"),
        ("unsubscribed", "bounced", "suppressed", "bounced"),
        ("bounced", "complained", "suppressed", "complained"),
        ("suppressed", "bounced", "suppressed", "unsubscribed"),
    ],
)
def test_of_several_rows_of_an_address_the_one_that_stops_most_mail_counts(take, first, second, counted, status):
    receipt = take(f"email,name,status\na@x.example,First,{first}\nb@x.example,,\nA@x.example,Second,{second}\n")
    assert receipt["rows"] == 3 == receipt["created"] + receipt["suppressed"] + receipt["duplicates"]
    assert receipt["duplicates"] == 1 and receipt[counted] == (2 if counted == "created" else 1)
    assert Subscription.objects.get(subscriber__address_key="a@x.example").status == status
    stops = {"bounced", "complained", "suppressed"} & {first, second}
    assert Suppression.objects.filter(address_key="a@x.example").exists() == bool(stops)


def test_an_opt_out_far_down_the_file_counts(take):
    many = "".join(f"teacher{number}@x.example,\n" for number in range(2500))
    receipt = take(f"email,status\n{many}Teacher7@x.example,unsubscribed\n")
    assert counts(receipt) == {"rows": 2501, "created": 2499, "suppressed": 1, "duplicates": 1}
    assert Subscription.objects.get(subscriber__address_key="teacher7@x.example").status == "unsubscribed"


@pytest.mark.parametrize(
    "moment",
    ["0001-01-01T00:00:00+14:00", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59-12:00", "9999-12-31T23:59:59"],
)
def test_a_time_that_not_every_calendar_can_tell_is_said(take, moment):
    receipt = take(f"email,created_at\nana@school.example,{moment}\nben@school.example,2025-03-01T09:00:00+14:00\n")
    assert counts(receipt) == {"rows": 2, "created": 1, "rejected": 1}
    assert "created_at" in receipt["rejected"][0]["why"] and moment[:4] in receipt["rejected"][0]["why"]


def test_who_arrives_confirmed_was_confirmed_when_the_file_says_or_else_now(take):
    take("email,confirmed_at\nana@school.example,2025-03-01T09:00:00Z\nben@school.example,\n")
    ana, ben = Subscription.objects.order_by("subscriber__email")
    assert ana.confirmed_at == datetime(2025, 3, 1, 9, tzinfo=UTC)
    assert timezone.now() - ben.confirmed_at < timedelta(minutes=1)


def test_opt_outs_need_no_consent(take):
    assert counts(take("email,status\ngone@school.example,unsubscribed\n", consent="")) == {"rows": 1, "suppressed": 1}


@pytest.mark.parametrize(
    "content",
    [
        "﻿Email;Name\r\nana@school.example;Joël Müller-Schultheiß\r\n".encode(),
        "email\tname\nana@school.example\tJoël Müller-Schultheiß\n".encode(),
        "EMAIL , Name\r\nana@school.example , Joël Müller-Schultheiß".encode(),
        'email,name\r\n"ana@school.example","Joël\nMüller-Schultheiß"\r\n'.encode(),
        'email, name\nana@school.example, "Joël Müller-Schultheiß"\n'.encode(),
        "email,name\nana@school.example,Joël Müller-Schultheiß\n".encode("cp1252"),
        "email,name\nana@school.example,Joël Müller-Schultheiß\n".encode("utf-16"),
    ],
    ids=["excel", "tabs", "blanks", "line in a cell", "blank before a quote", "windows", "utf-16"],
)
def test_files_of_every_origin_are_read(take, content):
    assert counts(take(content)) == {"rows": 1, "created": 1}
    assert Subscriber.objects.get().name == "Joël Müller-Schultheiß"


def test_an_unclosed_quote_is_reported_with_its_line_and_the_rows_before_it_kept(take):
    receipt = take('email,name\r\nfirst@example.com,A\r\na@example.com,"unclosed\r\nlost@example.com,B')
    assert counts(receipt) == {"rows": 2, "created": 1, "rejected": 1}
    assert receipt["rejected"][0]["row"] == 3 and "quotation marks" in receipt["rejected"][0]["why"]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("email,email\r\na@example.com,b@example.com", "Two columns are called “email”"),
        ("correo_electrpnico,nombre\na@example.com,Ana\n", "No column is called “email”"),
        ("a@example.com\nb@example.com\n", "No column is called “email”"),
        ("", "No column is called “email”"),
        ("\x00\x01\x02", "No column is called “email”"),
    ],
)
def test_a_file_that_can_not_be_understood_is_refused_as_a_whole(take, content, words):
    with pytest.raises(CommandError, match=words):
        take(content)
    assert not Subscriber.objects.exists()


def test_a_missing_file_is_said(newsletter, tmp_path):
    with pytest.raises(CommandError, match="No such file"):
        call_command("import_subscribers", tmp_path / "nowhere.csv")


@pytest.mark.parametrize("name", ["auto", "mailchimp", "substack", "ghost", "listmonk", "csv"])
def test_a_file_may_be_said_to_come_from_another_system(take, name):
    text = "email,subscribed_to_emails\nana@school.example,true\nben@school.example,false\n"
    assert counts(take(text, "--format", name)) == {"rows": 2, "created": 1, "suppressed": 1}


def test_an_archive_is_said_to_be_one(take):
    with pytest.raises(CommandError, match="an archive"):
        take(b"PK\x03\x04 and so on")


def test_a_dry_run_counts_and_changes_nothing(take, maria):
    text = "email,name\nana@school.example,Ana\nmaria.lopez@school.example,Other\nAna@school.example,Ana\n"
    assert counts(take(text, "--dry-run")) == {"rows": 3, "created": 1, "updated": 1, "duplicates": 1}
    assert people_in_database() == ["maria.lopez@school.example"]
    assert not ConsentEvent.objects.exists()


def test_the_receipt_can_be_read_by_people_too(newsletter, tmp_path, capsys):
    (tmp_path / "list.csv").write_text("email,topic\nnobody\nana@school.example,knitting\n", encoding="utf-8")
    call_command("import_subscribers", tmp_path / "list.csv", "--consent", CONSENT)
    out, err = capsys.readouterr()
    assert "line 2: nobody:" in out and "1 created" in out and "knitting" in err


def test_imports_from_the_corpus(take, corpus):
    folder = corpus / "exports"
    assert counts(take((folder / "keila/import_excel.csv").read_bytes())) == {"rows": 201, "created": 201}
    assert counts(take((folder / "keila/import_malformed1.csv").read_bytes())) == {"rows": 3, "created": 3}
    assert counts(take((folder / "ghost/members-duplicate-emails.csv").read_bytes())) == {
        "rows": 2,
        "created": 1,
        "duplicates": 1,
    }
    assert counts(take((folder / "ghost/valid-members-import.csv").read_bytes())) == {
        "rows": 2,
        "created": 1,
        "suppressed": 1,
    }


@pytest.fixture
def everybody(people, terms):
    """Somebody of every state, with names that are hard to keep."""
    cast = {status: people(f"{status}@school.example", status=status) for status in Subscription.Status.values}
    for number, name in enumerate(['=HYPERLINK("http://evil.example")', "'=1+1", "-1", "“Ana” \\ O'Hara, Ms", "שלום"]):
        people(f"name{number}@school.example", name=name, language="es")
    people("+plus@school.example")
    people("blocked@school.example")
    subscribers.suppress("blocked@school.example", Suppression.Reason.MANUAL, source="test")
    for status in ("bounced", "complained"):
        Suppression.objects.create(address_key=f"{status}@school.example", reason="bounce")
    choices.choose(cast["confirmed"], frozenset([terms["equity"], terms["math"], terms["coach"]]))
    subscribers.consent.record(
        cast["confirmed"], ConsentEvent.Kind.REQUESTED, source="form", wording='Every month,\nas "agreed".'
    )
    return cast


def test_the_export_has_one_row_for_everybody_and_no_formula(everybody, newsletter):
    file = io.StringIO()
    assert exporting.write(newsletter, file) == 12
    rows = list(csv.DictReader(io.StringIO(file.getvalue())))
    assert {row["email"]: row["status"] for row in rows if "name" not in row["email"]} == {
        "pending@school.example": "pending",
        "confirmed@school.example": "confirmed",
        "unsubscribed@school.example": "unsubscribed",
        "bounced@school.example": "bounced",
        "complained@school.example": "complained",
        "blocked@school.example": "suppressed",
        "'+plus@school.example": "confirmed",
    }
    confirmed = next(row for row in rows if row["email"] == "confirmed@school.example")
    assert (confirmed["role"], confirmed["topic"], confirmed["consent"]) == (
        "coach",
        "equity math",
        'Every month,\nas "agreed".',
    )
    assert not any(cell[:1] in "=+-@\t\r" for row in rows for cell in row.values() if cell)


def test_export_wipe_import_export_gives_the_same_bytes(everybody, newsletter, tmp_path):
    first, second = tmp_path / "first.csv", tmp_path / "second.csv"
    call_command("export_subscribers", first, stdout=io.StringIO())
    Subscriber.objects.all().delete()
    Suppression.objects.all().delete()
    call_command("import_subscribers", first, stdout=io.StringIO())
    call_command("export_subscribers", second, stdout=io.StringIO())
    assert first.read_bytes() == second.read_bytes()
    assert Suppression.objects.filter(address_key="blocked@school.example").exists()


def test_an_export_does_not_change_by_itself(everybody, newsletter, tmp_path):
    call_command("export_subscribers", tmp_path / "a.csv", stdout=io.StringIO())
    time.sleep(0.01)
    call_command("export_subscribers", tmp_path / "b.csv", stdout=io.StringIO())
    assert (tmp_path / "a.csv").read_bytes() == (tmp_path / "b.csv").read_bytes()


@pytest.mark.parametrize("cell", ["", "Ana", "=1", "'=1", "''=1", "'Ana", "-", "@x", ";=1", "'", "Ana'"])
def test_guarding_a_cell_is_undone_exactly(cell):
    assert exporting.unguarded(exporting.guarded(cell)) == cell
    assert exporting.guarded(cell)[:1] not in {"=", "-", "@", ";"}


def test_ten_thousand_rows_arrive_in_seconds_and_few_queries(take, terms, django_assert_max_num_queries):
    head = "email,name,role,topic\n"
    many = head + "".join(f"teacher{n}@school{n % 97}.example,Teacher {n},teacher,math\n" for n in range(10_000))
    start = time.perf_counter()
    with django_assert_max_num_queries(600):
        assert take(many)["created"] == 10_000
    assert time.perf_counter() - start < 20
    with django_assert_max_num_queries(60):
        assert take(many)["unchanged"] == 10_000


def test_a_site_without_a_newsletter_says_so(db, tmp_path):
    assert not Newsletter.objects.exists()
    for command in ("import_subscribers", "export_subscribers"):
        with pytest.raises(CommandError, match="no newsletter yet"):
            call_command(command, tmp_path / "x.csv")


def test_keys_of_imported_addresses_are_those_of_the_form(take):
    take("email\nO'Hara@BÜCHER.example\n")
    subscriber = Subscriber.objects.get()
    assert subscriber.address_key == addresses.address_key("o'hara@bücher.example")
