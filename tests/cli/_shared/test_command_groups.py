"""Help in whole sentences; of the real commands it is held by tests/cli/test_help.py."""

from __future__ import annotations

from typing import Annotated

import typer
from typer.testing import CliRunner

from pipeline.cli._shared.command_groups import HEADING, Commands

LONG = "Do what takes very many words to describe, so that no terminal of eighty columns holds them in one line."


def made() -> Commands:
    commands = Commands("A program.")

    @commands.command(rich_help_panel="Second heading")
    def wait(seconds: Annotated[int, typer.Argument(metavar="SECONDS", help="How long.")] = 1) -> None:
        """Wait."""

    @commands.command("describe")
    def describe() -> None:
        pass

    describe.__doc__ = LONG
    commands.registered_commands[-1].help = LONG
    return commands


def help_of(*arguments: str) -> str:
    return CliRunner().invoke(made(), [*arguments, "--help"], terminal_width=80).stdout


def test_commands_stand_under_their_headings_in_the_order_they_were_added() -> None:
    shown = help_of()
    assert shown.index("Second heading:") < shown.index("wait") < shown.index(f"{HEADING}:") < shown.index("describe")


def test_a_long_sentence_wraps_and_is_not_cut() -> None:
    shown = help_of()
    assert LONG in " ".join(shown.split())
    assert max(map(len, shown.splitlines())) <= 80


def test_sentences_line_up_across_headings() -> None:
    lines = help_of().splitlines()
    columns = {line.index(words) for line in lines for words in ("Wait.", "Do what") if words in line}
    assert len(columns) == 1


def test_an_argument_is_named_without_a_type_of_python() -> None:
    (line,) = (line for line in help_of("wait").splitlines() if line.strip().startswith("SECONDS"))
    assert line.split() == ["SECONDS", "How", "long.", "[default:", "1]"] or "INTEGER" not in line
    assert "INTEGER" not in help_of("wait")


def test_without_arguments_the_help_is_printed() -> None:
    assert "Second heading:" in CliRunner().invoke(made(), []).output
