"""Who is gone according to a file stays gone here: what exports of many systems and languages say of standings."""

from __future__ import annotations

import io
import json
from collections import Counter

import pytest
from django.core.management import CommandError, call_command

from newsletter import importing
from newsletter.importing import standing_words as words
from newsletter.models import ConsentEvent, Subscriber, Subscription
from tests.newsletter.exports import EXPORTS, SCHOOL

CONSENT = "Signed the list at the spring meeting."


def written(text):
    """The table with whole addresses."""
    return "\n".join(_with_addresses(line.strip()) for line in text.strip().splitlines())


def _with_addresses(line):
    words = ("confirmed", "pending", "unsubscribed", "bounced", "complained", "suppressed")
    for word in words:
        for number in range(1, 9):
            line = line.replace(f"{word}{number}", f"{word}{number}@school.example")
    return line


@pytest.fixture
def take(newsletter, tmp_path):
    """Imports a text and returns the receipt."""

    def run(text, *options, name="list.csv"):
        file, out = tmp_path / name, io.StringIO()
        file.write_text(text, encoding="utf-8")
        call_command("import_subscribers", file, "--json", "--consent", CONSENT, *options, stdout=out)
        return json.loads(out.getvalue())

    return run


def arrived():
    return dict(Subscription.objects.values_list("subscriber__email", "status"))


def expected(text):
    """What the names in a table promise. A suppressed person is kept as one who left, under a suppression."""
    words = {word.strip('"') for line in written(text).splitlines() for word in line.replace("\t", ",").split(",")}
    words = {part for word in words for part in word.split(";") if part.endswith("@school.example")}
    said = {email: email.partition("@")[0].rstrip("0123456789") for email in words}
    return {email: "unsubscribed" if status == "suppressed" else status for email, status in said.items()}


@pytest.mark.parametrize("system", EXPORTS)
def test_an_export_brings_nobody_back_who_is_gone_there(take, system):
    receipt = take(written(EXPORTS[system]))
    assert arrived() == expected(EXPORTS[system])
    out = sum(status not in ("confirmed", "pending") for status in arrived().values())
    assert (receipt["suppressed"], receipt["rejected"]) == (out, [])
    assert receipt["created"] + receipt["suppressed"] == receipt["rows"]


@pytest.mark.parametrize("system", EXPORTS)
def test_the_same_export_again_changes_nothing_and_writes_no_consent_event(take, system):
    first = take(written(EXPORTS[system]))
    before = list(Subscription.objects.values()), list(Subscriber.objects.values()), ConsentEvent.objects.count()
    again = take(written(EXPORTS[system]))
    assert (again["created"], again["updated"], again["unchanged"]) == (0, 0, first["created"])
    assert again["suppressed"] == first["suppressed"]
    assert before == (
        list(Subscription.objects.values()),
        list(Subscriber.objects.values()),
        ConsentEvent.objects.count(),
    )


@pytest.mark.parametrize("title", SCHOOL)
def test_a_column_of_a_school_is_no_standing(take, title):
    rows = "".join(f"t{number}@school.example,{value}\n" for number, value in enumerate(SCHOOL[title]))
    assert take(f"email,{title}\n{rows}")["created"] == len(SCHOOL[title])
    assert set(arrived().values()) == {"confirmed"}


@pytest.mark.parametrize(
    ("title", "values"),
    [
        ("status", ["active", "on holiday"]),
        ("Estatus", ["activo", "de viaje"]),
        ("Statut", ["abonné", "en congé"]),
        ("Status", ["abonniert", "verreist"]),
        ("Status", ["1", "2", "3"]),
        ("status", ["enabled", "blocklisted"]),
        ("subscribed", ["yes", "perhaps"]),
        ("unsubscribed", ["no", "perhaps"]),
        ("blacklisted", ["0", "2"]),
        ("Opted out", ["no", "only in summer"]),
        ("gesperrt", ["nein", "vielleicht"]),
        ("désabonné", ["non", "peut-être"]),
        ("desuscrito", ["no", "quizás"]),
        ("Global Status", ["Subscribed", "Sleeping"]),
        ("state", ["active", "asleep"]),
        ("state", ["asleep", "awake"]),
        ("type", ["regular", "unsubscribed", "hibernating"]),
        ("Newsletter", ["yes", "no", "only in summer"]),
        ("email permission", ["yes", "verbally"]),
        ("anything", ["unsubscribed", "bounced", "asleep"]),
    ],
)
def test_a_standing_that_is_not_understood_stops_the_file_before_any_row(take, title, values):
    rows = "".join(f"t{number}@school.example,{value}\n" for number, value in enumerate(values))
    with pytest.raises(CommandError) as refusal:
        take(f"email,{title}\n{rows}")
    assert refusal.value.returncode == 1
    assert not Subscriber.objects.exists()
    said = str(refusal.value)
    assert f"“{title}”" in said and "--standing" in said and "Nobody was taken" in said
    unknown = {"on holiday", "de viaje", "en congé", "verreist", "perhaps", "asleep", "hibernating", "enabled"}
    for value in unknown & set(values):
        assert f"“{value}” (1 row)" in said and f'--standing "{title}:{value}=' in said


def test_what_a_person_says_of_a_value_counts(take):
    rows = "email,Status\na@x.example,on holiday\nb@x.example,moved away\nc@x.example,returned\nd@x.example,active\n"
    with pytest.raises(CommandError, match=r"on holiday.*moved away.*returned"):
        take(rows)
    take(
        rows,
        "--standing=Status:on holiday=confirmed",
        "--standing=status:MOVED AWAY=unsubscribed",
        "--standing=Status:*=bounced",
    )
    assert arrived() == {
        "a@x.example": "confirmed",
        "b@x.example": "unsubscribed",
        "c@x.example": "bounced",
        "d@x.example": "bounced",
    }


def test_every_standing_can_be_said_and_an_empty_cell_too(take):
    standings = ("confirmed", "pending", "unsubscribed", "bounced", "complained", "ignore")
    rows = "".join(f"{standing}@x.example,code {standing[:4]}\n" for standing in standings) + "blank@x.example,\n"
    said = [f"--standing=code:code {standing[:4]}={standing}" for standing in standings]
    take(f"email,code\n{rows}", *said, "--standing=code:=pending")
    assert arrived() == {
        **{f"{standing}@x.example": standing for standing in standings[:-1]},
        "ignore@x.example": "confirmed",
        "blank@x.example": "pending",
    }


def test_colons_and_equal_signs_in_names_and_values_are_no_trouble(take):
    take(
        "email,Opted out: mail=all\na@x.example,so: yes=1\nb@x.example,no\n",
        "--standing=Opted out: mail=all:so: yes=1=unsubscribed",
    )
    assert arrived() == {"a@x.example": "unsubscribed", "b@x.example": "confirmed"}


@pytest.mark.parametrize("rule", ["status", "status=confirmed", "status:active", "status:active=perhaps"])
def test_a_rule_that_can_not_be_read_is_wrong_usage(take, rule):
    with pytest.raises(CommandError, match="COLUMN:VALUE=standing") as refusal:
        take("email,status\na@x.example,active\n", f"--standing={rule}")
    assert refusal.value.returncode == 2
    assert not Subscriber.objects.exists()


def test_a_rule_for_a_column_that_is_not_there_is_said(take):
    with pytest.raises(CommandError, match="names no column of this file, which has: email, status"):
        take("email,status\na@x.example,active\n", "--standing=stauts:active=confirmed")
    assert not Subscriber.objects.exists()


def test_of_several_columns_the_one_against_mail_counts(take):
    take(
        "email,status,confirmed,bounced,unsubscribed_at\n"
        "a@x.example,active,1,0,\n"
        "b@x.example,active,1,0,2024-05-01 10:00:00\n"
        "c@x.example,active,0,0,0000-00-00 00:00:00\n"
        "d@x.example,unsubscribed,1,1,\n"
    )
    assert arrived() == {
        "a@x.example": "confirmed",
        "b@x.example": "unsubscribed",
        "c@x.example": "pending",
        "d@x.example": "bounced",
    }


def test_two_columns_of_one_name_both_count(take):
    take("email,Status,Status\na@x.example,active,unsubscribed\nb@x.example,unsubscribed,active\n")
    assert set(arrived().values()) == {"unsubscribed"}


def test_enabled_alone_confirms_nobody_until_a_person_says_so(take):
    rows = "uuid,email,name,attributes,status\n1,a@x.example,A,{},enabled\n2,b@x.example,B,{},blocklisted\n"
    with pytest.raises(CommandError, match="only says that nobody blocked an address"):
        take(rows, "--format=listmonk")
    assert not Subscriber.objects.exists()
    take(rows, "--format=listmonk", "--standing=status:enabled=confirmed")
    assert arrived() == {"a@x.example": "confirmed", "b@x.example": "unsubscribed"}


def test_a_standing_of_mailchimp_that_only_the_file_name_tells_counts(take):
    rows = "Email Address,OPTIN_TIME,LEID,EUID,TAGS\na@x.example,2020-01-01 10:00:00,1,a,\n"
    take(rows, name="nonsubscribed_members_export_1a2b.csv")
    assert arrived() == {"a@x.example": "unsubscribed"}
    take(rows.replace("a@x", "b@x"), name="subscribed_members_export_1a2b.csv")
    assert arrived()["b@x.example"] == "confirmed"


def test_a_dry_run_stops_at_an_unknown_standing_too(take):
    with pytest.raises(CommandError, match="Nobody was taken"):
        take("email,status\na@x.example,asleep\n", "--dry-run")


def test_an_opt_out_at_the_end_of_a_long_column_counts(take):
    many = "".join(f"t{number}@x.example,label {number}\n" for number in range(2600))
    receipt = take(f"email,label\n{many}last@x.example,Unsubscribed\n")
    assert (receipt["created"], receipt["suppressed"]) == (2600, 1)
    assert arrived()["last@x.example"] == "unsubscribed"


def test_the_receipt_for_people_lists_who_stays_out_and_why(newsletter, people, tmp_path, capsys):
    people("gone@x.example", status="complained")
    file = tmp_path / "list.csv"
    file.write_text("email,status\nleft@x.example,Unsubscribed\ngone@x.example,active\nok@x.example,active\n")
    call_command("import_subscribers", file, "--consent", CONSENT)
    out, err = capsys.readouterr()
    assert "line 2: left@x.example stays out: the file says “Unsubscribed” in “status”" in out
    assert "line 3: gone@x.example stays out: left, bounced, complained or is suppressed here" in out
    assert "1 created" in out and "2 suppressed" in out
    assert "1 stay out: the file says “Unsubscribed” in “status”" in err


def test_an_unknown_language_is_said_and_changes_nobody(people, newsletter, tmp_path, capsys):
    people("ana@x.example", language="es")
    file = tmp_path / "list.csv"
    file.write_text(
        "email,language\nana@x.example,fr\nben@x.example,Kreyòl\ncy@x.example,Español\ndi@x.example,es-MX\n"
        "ed@x.example,EN_us\nfay@x.example,Estonian\ngus@x.example,\n",
        encoding="utf-8",
    )
    call_command("import_subscribers", file, "--consent", CONSENT, "--json")
    out, err = capsys.readouterr()
    assert dict(Subscriber.objects.values_list("email", "language")) == {
        "ana@x.example": "es",
        "ben@x.example": "en",
        "cy@x.example": "es",
        "di@x.example": "es",
        "ed@x.example": "en",
        "fay@x.example": "en",
        "gus@x.example": "en",
    }
    assert json.loads(out)["rejected"] == [] and json.loads(out)["unchanged"] == 1
    for language in ("fr", "Kreyòl", "Estonian"):
        assert f"The language “{language}” (1 rows) is none of this site" in err
    assert "Español" not in err and "EN_us" not in err


def test_exports_of_the_corpus_arrive_as_their_figures_say(take, corpus):
    facts = json.loads((corpus / "exports/FACTS.json").read_text())
    told = {
        "ghost/valid-members-import.csv": {"confirmed": 1, "unsubscribed": 1},
        "ghost/members-duplicate-emails.csv": {"confirmed": 1},
        "ghost/single-column-with-header.csv": {"confirmed": 2},
        "tgm/mg-mailchimp-members__subscribed.csv": {"confirmed": 5},
        "tgm/mg-mailchimp-members__cleaned.csv": {"bounced": 5},
        "tgm/mg-substack-members-csv__fixtures_signup_emails.csv": {"confirmed": 17, "unsubscribed": 2},
        "listmonk/subs.csv": {"confirmed": 100},
        "keila/import_excel.csv": {"confirmed": 201},
        "keila/import_rfc_4180_with_status.csv": {"confirmed": 2, "unsubscribed": 1, "bounced": 1},
        "keila/import_malformed1.csv": {"confirmed": 3},
    }
    for name, standings in told.items():
        Subscriber.objects.all().delete()
        receipt = take((corpus / "exports" / name).read_text(encoding="utf-8-sig"), name=name.rpartition("/")[2])
        assert Counter(arrived().values()) == standings, name
        assert receipt["rows"] == facts[name]["data_rows"], name
        assert facts[name]["distinct_emails_casefold"] - sum(standings.values()) == len(receipt["rejected"]), name


@pytest.mark.once
def test_the_words_of_one_standing_are_never_those_of_another():
    seen = {}
    for group in (words.CLEAR, words.IN_CONTEXT):
        for standing, text in group.items():
            for word in filter(None, (each.strip() for each in text.replace("\n", ",").split(","))):
                assert words.standing_of(word) == standing, word
                assert seen.setdefault(word, standing) == standing, word
    assert importing.CHOICES[-1] == "ignore"


@pytest.mark.parametrize(
    ("title", "cell"),
    [
        ("consent", "withdrawn"),
        ("consent", "No consent"),
        ("consent", "opted out"),
        ("Unsubscribe reason", "Software does not fit us"),
        ("Unsubscribed via link", "2024-01-02"),
        ("Can email", "no"),
        ("Contact by email", "no"),
    ],
)
def test_a_no_in_odd_words_or_an_odd_column_is_a_no(take, title, cell):
    take(f"email,{title}\na@school.example,{cell}\n")
    assert arrived() == {"a@school.example": "unsubscribed"}


def test_an_empty_word_in_the_column_of_consents_is_no_consent(take):
    take("email,consent\na@school.example,n/a\nb@school.example,I want the newsletter\n")
    wordings = dict(ConsentEvent.objects.values_list("subscription__subscriber__email", "wording"))
    assert wordings == {"a@school.example": CONSENT, "b@school.example": "I want the newsletter"}


def test_what_is_said_of_all_other_cells_lifts_no_opt_out(take):
    rows = "a@school.example,Subscribed\nb@school.example,Unsubscribed\nc@school.example,Tier 7\n"
    take(f"email,Status\n{rows}", "--standing", "Status:*=confirmed")
    assert arrived()["b@school.example"] == "unsubscribed"
