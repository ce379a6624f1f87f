"""`tape-review init`: a home is made once, whole or not at all."""

from __future__ import annotations

from pathlib import Path

from pipeline.errors import TapesError
from tests.cli.calls import ADA, call, output, refused

MADE = ("init", "--name", "Ada", "--email", ADA)


def test_from_an_empty_folder_to_a_group(folder: Path) -> None:
    assert f"Made {folder}" in output(folder, *MADE)
    output(folder, "person", "add", "ben@example.org", "--name", "Ben", "--as", ADA)
    output(folder, "group", "add", "Thursday group")
    assert "1 member; 7 to 15 work best" in output(folder, "group", "join", "Thursday group", "ben@example.org")
    assert "Thursday group (member)" in output(folder, "person", "list")
    assert "4 rows, none was edited, dropped or swapped" in output(folder, "audit", "verify")


def test_a_sample_group_is_there_at_once(folder: Path) -> None:
    output(folder, "init", "--sample")
    listed = output(folder, "group", "list")
    assert listed.count("@sample.invalid") == 9
    assert "note:" not in listed
    assert "administrator" in output(folder, "person", "list")


def test_it_needs_a_first_person(folder: Path) -> None:
    result = call(folder, "init")
    assert result.exit_code == 2
    assert "--name and --email" in result.output
    assert not folder.exists()


def test_a_second_init_is_refused_and_an_upgrade_is_not(with_ada: Path) -> None:
    assert refused(with_ada, *MADE).startswith("TR-K02")
    assert "already" in output(with_ada, "init", "--upgrade")


def test_without_a_home_every_verb_says_how_to_make_one(folder: Path) -> None:
    for arguments in (("person", "list"), ("group", "list"), ("audit", "verify"), ("init", "--upgrade")):
        assert refused(folder, *arguments).startswith("TR-K01")


def test_an_address_that_is_none_leaves_no_home_behind(folder: Path) -> None:
    result = call(folder, "init", "--name", "Ada", "--email", "ada")
    assert isinstance(result.exception, TapesError)
    assert result.exception.code == "TR-K09"
    output(folder, *MADE)
