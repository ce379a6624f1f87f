"""Making a home, keeping people and groups, reading the audit: from the command line."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from pipeline.cli.main import app
from pipeline.errors import TapesError

MADE = ("init", "--name", "Ada", "--email", "ada@example.org")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the home is made."""
    monkeypatch.setenv("COLUMNS", "200")
    return tmp_path / "home"


def call(folder: Path, *arguments: str) -> Result:
    return CliRunner().invoke(app, [*arguments, "--home", str(folder)])


def output(folder: Path, *arguments: str) -> str:
    result = call(folder, *arguments)
    assert result.exit_code == 0, result.output
    return result.output


def refused(folder: Path, *arguments: str) -> str:
    result = call(folder, *arguments)
    assert isinstance(result.exception, TapesError), result.output
    return str(result.exception)


def test_from_an_empty_folder_to_a_group(folder: Path) -> None:
    assert f"Made {folder}" in output(folder, *MADE)
    output(folder, "person", "add", "ben@example.org", "--name", "Ben", "--as", "ada@example.org")
    output(folder, "group", "add", "Thursday group")
    assert "1 member; 7 to 15 work best" in output(folder, "group", "join", "Thursday group", "ben@example.org")
    output(folder, "group", "role", "Thursday group", "ben@example.org", "coordinator")
    assert "Thursday group (coordinator)" in output(folder, "person", "list")
    assert "ben@example.org" in output(folder, "group", "list")
    output(folder, "group", "leave", "Thursday group", "ben@example.org")
    assert "ben@example.org" not in output(folder, "group", "list")
    output(folder, "person", "disable", "ben@example.org")
    assert "disabled" in output(folder, "person", "list")
    output(folder, "person", "enable", "ben@example.org")
    assert "disabled" not in output(folder, "person", "list")
    assert "person.enable" in output(folder, "audit", "list", "--last", "1")
    assert "9 rows, none was edited, dropped or swapped" in output(folder, "audit", "verify")
    assert output(folder, "audit", "list", "--person", "ada@example.org").count("person.add") == 1


def test_a_link_and_a_lifted_second_step_by_command(folder: Path) -> None:
    output(folder, *MADE)
    path = output(folder, "person", "link", "ada@example.org", "--as", "ada@example.org").strip()
    assert path.startswith("http://127.0.0.1:8787/invitation/")
    assert "link.make" in output(folder, "audit", "list", "--last", "1")
    assert "has no second step" in refused(folder, "person", "lift-second-step", "ada@example.org")


def test_a_sample_group_is_there_at_once(folder: Path) -> None:
    output(folder, "init", "--sample")
    listed = output(folder, "group", "list")
    assert listed.count("@sample.invalid") == 9
    assert "note:" not in listed
    assert "administrator" in output(folder, "person", "list")


def test_init_needs_a_first_person(folder: Path) -> None:
    result = call(folder, "init")
    assert result.exit_code == 2
    assert "--name and --email" in result.output
    assert not folder.exists()


def test_a_second_init_is_refused_and_an_upgrade_is_not(folder: Path) -> None:
    output(folder, *MADE)
    assert refused(folder, *MADE).startswith("TR-K02")
    assert "already" in output(folder, "init", "--upgrade")


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("person", "disable", "ada@example.org"), "TR-K09"),
        (("person", "disable", "zoe@example.org"), "TR-K07"),
        (("person", "add", "ada@example.org", "--name", "Ada"), "TR-K08"),
        (("group", "join", "Friday group", "ada@example.org"), "TR-K07"),
        (("person", "add", "eve@example.org", "--name", "Eve", "--as", "zoe@example.org"), "TR-K07"),
    ],
)
def test_what_cannot_be_is_refused_and_leaves_no_trace(folder: Path, arguments: tuple[str, ...], code: str) -> None:
    output(folder, *MADE)
    assert refused(folder, *arguments).startswith(code)
    assert "1 rows" in output(folder, "audit", "verify")


def test_without_a_home_every_verb_says_how_to_make_one(folder: Path) -> None:
    for arguments in (("person", "list"), ("group", "list"), ("audit", "verify"), ("init", "--upgrade")):
        assert refused(folder, *arguments).startswith("TR-K01")


def test_verify_names_the_row_that_was_edited(folder: Path) -> None:
    output(folder, *MADE)
    with closing(sqlite3.connect(folder / "tapes.sqlite3")) as connection, connection:
        connection.execute("DROP TRIGGER audit_refuses_update")
        connection.execute("UPDATE audit SET action = 'person.enable'")
    result = call(folder, "audit", "verify")
    assert result.exit_code == 1
    assert "row 1: was edited" in result.output


def test_an_address_that_is_none_leaves_no_home_behind(folder: Path) -> None:
    result = call(folder, "init", "--name", "Ada", "--email", "ada")
    assert isinstance(result.exception, TapesError)
    assert result.exception.code == "TR-K09"
    output(folder, *MADE)
