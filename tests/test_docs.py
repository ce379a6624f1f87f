"""What the documents promise is there, and what is there is documented."""

from __future__ import annotations

import re
import sys
import tomllib
from pathlib import Path

import click
import pytest
import typer

from pipeline import errors, settings
from pipeline.cli.main import app
from pipeline.coding.codebook import Codebook
from pipeline.formats import registry
from pipeline.review.coding import bindings
from tests.test_process import FILES

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
DEFAULT = (ROOT / "configs" / "default.toml").read_text(encoding="utf-8")
COMMANDS = sorted(typer.main.get_group(app).commands)


def verbs(group: click.Group, before: str = "") -> dict[str, click.Command]:
    """Every command by its whole name, those within a group of commands included: ``"person add"``."""
    found = {}
    for name, command in group.commands.items():
        found[before + name] = command
        if isinstance(command, click.Group):
            found |= verbs(command, f"{before}{name} ")
    return found


VERBS = verbs(typer.main.get_group(app))


def test_readme_lists_every_command_and_no_other() -> None:
    listed = re.findall(r"^\| `tape-review ([a-z-]+)` \|", README, flags=re.MULTILINE)
    assert sorted(listed) == COMMANDS


def test_readme_lists_every_result_and_no_other() -> None:
    listed = re.findall(r"^\| `([a-z_]+\.[a-z]+)` \|", README, flags=re.MULTILINE)
    assert sorted(listed) == FILES


def test_readme_lists_every_format_and_no_other() -> None:
    listed = re.findall(r"^\| `([a-z-]+)` \| `(\.[A-Za-z]+)` \|", README, flags=re.MULTILINE)
    assert listed == [(one.name, one.ending) for one in registry.FORMATS]


@pytest.mark.parametrize("one", registry.FORMATS, ids=lambda one: one.name)
def test_every_format_says_what_it_cannot_hold(one: registry.Format) -> None:
    assert re.search(r"Cannot hold: ", sys.modules[one.read.__module__].__doc__ or "")


def test_commands_in_the_readme_take_the_options_that_it_names() -> None:
    group = typer.main.get_group(app)
    known = {option for command in verbs(group).values() for one in command.params for option in one.opts}
    named = set(re.findall(r"`(--[a-z-]+)", README)) - {"--help"}
    assert named
    assert named <= known


@pytest.mark.parametrize("command", VERBS)
def test_every_command_and_option_explains_itself(command: str) -> None:
    verb = VERBS[command]
    assert verb.help
    assert [one.name for one in verb.params if not getattr(one, "help", None)] == []


def test_readme_lists_every_key_of_the_coding_page_and_no_other() -> None:
    table = README.partition("### Keys\n")[2].partition("\n#")[0]
    listed = dict(re.findall(r"^\| `(.+?)` \| (.+?) \|$", table, flags=re.MULTILINE))
    plain = Codebook("none", "1", "None", "utterance", ())
    assert listed == {binding.shown: binding.label for binding in bindings.resolve(plain)}


def test_every_setting_stands_in_the_default_file_with_a_comment() -> None:
    written = tomllib.loads(DEFAULT)
    for section, field in settings.Settings.model_fields.items():
        for key in field.annotation.model_fields:  # type: ignore[union-attr]
            assert key in written[section], f"{section}.{key}"
            explained = rf"^#.*\n{key} = |^{key} = .*#"
            assert re.search(explained, DEFAULT, flags=re.MULTILINE), f"{section}.{key} has no comment"


@pytest.mark.parametrize("profile", settings.profiles())
def test_every_profile_loads(profile: str) -> None:
    assert settings.load([profile]).settings


def test_every_error_code_says_what_it_means_and_belongs_to_a_class() -> None:
    letters = {kind.letter for kind in errors.TapeReviewError.__subclasses__()}
    assert {code[0] for code in errors.CODES} <= letters
    assert all(re.fullmatch(r"[A-Z]\d\d", code) and meaning for code, meaning in errors.CODES.items())


def test_readme_lists_what_makes_tests_long() -> None:
    read = r"os\.environ\.get\(\"(TAPE_REVIEW_(?!TEST_)[A-Z_]+)\", "  # TEST_ names what a test runs on
    found = {name for path in (ROOT / "tests").rglob("*.py") for name in re.findall(read, path.read_text("utf-8"))}
    assert found == set(re.findall(r"^\| `(TAPE_REVIEW_[A-Z_]+)` \|", README, flags=re.MULTILINE))


def test_readme_names_the_license_and_that_nobody_was_recorded() -> None:
    assert "Apache-2.0" in README
    assert "no client was recorded" in README
