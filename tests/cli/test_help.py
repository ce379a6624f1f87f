"""`--help`, as a terminal of 80 columns shows it: every command in one group, every sentence whole."""

from __future__ import annotations

import re

import pytest
import typer
from typer.core import TyperCommand, TyperGroup
from typer.testing import CliRunner

from pipeline.cli.main import app

HEADINGS = ["Tapes", "Review room", "Agreement", "Models", "Keeping safe"]


def commands(group: TyperGroup, before: str = "") -> dict[str, TyperCommand | TyperGroup]:
    """Every command by its whole name, those below a group included: ``"person add"``."""
    named: dict[str, TyperCommand | TyperGroup] = {}
    for name, command in group.commands.items():
        assert isinstance(command, TyperCommand | TyperGroup)
        named[before + name] = command
        if isinstance(command, TyperGroup):
            named |= commands(command, f"{before}{name} ")
    return named


APP = typer.main.get_group(app)
COMMANDS = commands(APP)
GROUPS = ["", *(name for name, command in COMMANDS.items() if isinstance(command, TyperGroup))]


def help_of(name: str) -> str:
    shown = CliRunner().invoke(app, [*name.split(), "--help"], env={"COLUMNS": "80"}, terminal_width=80)
    assert shown.exit_code == 0
    return shown.stdout


def sections(text: str) -> dict[str, str]:
    """Heading -> the lines below it."""
    parts = re.split(r"^(\w[\w ]*):\n", text, flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def test_every_command_is_below_one_heading() -> None:
    below = sections(help_of(""))
    assert list(below) == ["Options", *HEADINGS]
    listed = [name for heading in HEADINGS for name in re.findall(r"^  ([a-z-]+) ", below[heading], flags=re.MULTILINE)]
    assert sorted(listed) == sorted(APP.commands)


def test_a_group_of_commands_lists_all_of_them() -> None:
    assert {"person add", "group join", "audit verify"} <= set(COMMANDS)
    for group in GROUPS[1:]:
        listed = re.findall(r"^  ([a-z-]+) ", sections(help_of(group))["Commands"], flags=re.MULTILINE)
        assert listed == list(COMMANDS[group].commands)


@pytest.mark.parametrize("group", GROUPS)
def test_a_list_of_commands_has_their_first_sentences_whole(group: str) -> None:
    shown = help_of(group)
    assert "..." not in shown.partition("\n")[2]  # the usage line has [ARGS]...
    flat = " ".join(shown.split())
    for command in (APP if not group else COMMANDS[group]).commands.values():
        sentence = re.match(r".+?\.(?=\s|$)", command.help or "", flags=re.DOTALL)
        assert sentence, f"{command.name}: {command.help}"
        assert f" {command.name} {' '.join(sentence[0].split())}" in flat


@pytest.mark.parametrize("name", ["", *COMMANDS])
def test_a_help_fits_a_terminal_and_names_no_type_of_python(name: str) -> None:
    shown = help_of(name)
    assert max(len(line) for line in shown.splitlines()) <= 80
    assert not re.search(r"<(str|path|int|float|list)\b", shown)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_argument_and_option_has_whole_sentences(name: str) -> None:
    for parameter in COMMANDS[name].params:
        text = getattr(parameter, "help", "") or ""
        assert re.fullmatch(r"[A-Z`].*\.", text, flags=re.DOTALL), f"{name} {parameter.name}: {text!r}"
