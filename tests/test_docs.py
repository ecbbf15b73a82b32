"""README and contract are true: what they name exists, and what exists is named."""

import re
from pathlib import Path

import pytest
from django.core.management import get_commands

from newsletter import site
from resource_center import preflight

ROOT = Path(__file__).resolve().parent.parent
CONTRACT = (ROOT / "docs" / "contract.md").read_text()
README = (ROOT / "README.md").read_text()
MAKEFILE = (ROOT / "Makefile").read_text()
TARGETS = set(re.findall(r"^([a-z-]+):.*## ", MAKEFILE, re.MULTILINE))
ROOMS = ("content", "newsletter", "resource_center")


def section(title: str) -> str:
    """The text of one `##` section of the contract."""
    return re.split(r"^## ", CONTRACT.split(f"\n## {title}", 1)[1], maxsplit=1, flags=re.MULTILINE)[0]


def named(text: str) -> list[str]:
    """What stands in backticks in the first column of the tables."""
    rows = re.findall(r"^\| (`[^|]*?`(?:, `[^|]*?`)*)(?<!\\) \|", text.replace(r"\|", "/"), re.MULTILINE)
    return [name for row in rows for name in re.findall(r"`([^`]+)`", row)]


def commands(text: str) -> set[str]:
    """The commands of a table, without their arguments; `a`, `b X` names two."""
    return {name.split()[0] for name in named(text)}


@pytest.mark.once
def test_the_contract_names_every_setting_and_no_other():
    reserved = {name for name in named(section("Reserved")) if name.isupper()}
    assert set(named(section("Settings"))) | reserved == set(preflight.SETTINGS)


@pytest.mark.once
def test_reserved_settings_are_refused():
    for name in (name for name in named(section("Reserved")) if name.isupper()):
        assert preflight.complaints({name: "anything"}) != [], name


@pytest.mark.once
def test_the_contract_names_every_make_command_and_no_other():
    assert set(re.findall(r"`make ([a-z-]+)`", CONTRACT)) == TARGETS


@pytest.mark.once
def test_the_readme_names_only_make_commands_that_exist():
    assert set(re.findall(r"\bmake ([a-z-]+)[`\s]+(?:#|lists|prints|and|\.)", README)) <= TARGETS


@pytest.mark.once
def test_the_contract_names_every_command_and_no_other():
    ours = {name for name, app in get_commands().items() if app in ROOMS}
    assert commands(section("Commands")) == ours


@pytest.mark.once
def test_the_readme_names_only_commands_that_exist():
    assert set(re.findall(r"manage\.py ([a-z_]+)", README)) <= set(get_commands())


@pytest.mark.once
def test_the_readme_names_only_settings_that_exist():
    words = set(re.findall(r"`([A-Z][A-Z_]{3,})`", README))
    assert words <= set(preflight.SETTINGS) | {"REQUIRE_ALL", "CORPUS_DIR", "LICENSE"}


@pytest.mark.once
def test_every_link_of_the_readme_leads_somewhere():
    links = [link for link in re.findall(r"\]\(([^)#]+)", README) if "://" not in link]
    assert [link for link in links if not (ROOT / link).exists()] == []


@pytest.mark.once
def test_the_house_of_the_readme_stands():
    rooms = re.findall(r"^([a-z_]+)/ ", README, re.MULTILINE)
    assert set(ROOMS) <= set(rooms)
    assert [room for room in rooms if not (ROOT / room).is_dir()] == []


@pytest.mark.once
def test_every_test_that_the_failure_table_names_exists():
    there = re.findall(
        r"^def (test_\w+)", "\n".join(file.read_text() for file in ROOT.glob("tests/**/test_*.py")), re.M
    )
    table = (ROOT / "docs" / "delivery.md").read_text()
    named_there = re.findall(r"`(?:test_\w+\.py::)?(test_\w+?)_?(\.\.\.)?`", table)
    assert len(named_there) > 20
    for name, cut in named_there:
        assert any(each.startswith(name) if cut else each == name for each in there), name


@pytest.mark.django_db
def test_every_fixed_address_of_the_contract_answers(client, settings):
    settings.MAILBOX_WITHOUT_LOGIN = True
    site.found()
    for path in (name for name in named(section("Pages")) if name.startswith("/") and "<" not in name):
        answer = client.get(path, REMOTE_ADDR="127.0.0.1")
        expected = {"/newsletter/subscribe/": {302, 405}, "/readyz": {200, 503}, "/admin/": {302}}
        answer.getvalue()  # read to the end, so that files are closed
        assert answer.status_code in expected.get(path, {200}), path


@pytest.mark.django_db
def test_reserved_addresses_are_not_found(client):
    site.found()
    for path in (name for name in named(section("Reserved")) if name.startswith("/")):
        assert client.get(path.replace("<slug>", "x").replace("<esp>", "x"), follow=True).status_code == 404, path
