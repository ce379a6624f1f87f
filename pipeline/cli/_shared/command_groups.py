"""Help in whole sentences: commands under headings, and arguments by their names.

Typer cuts the sentences of a list of commands off at the width of the terminal, knows headings only for its boxes of
color, and puts the type of Python behind an argument's name.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup

HEADING = "Commands"
"""Where a command that names no heading stands."""


class PlainCommand(TyperCommand):
    """Lists its arguments by their names alone."""

    def format_options(self, ctx: Any, formatter: Any) -> None:
        """Write a section of arguments and one of options."""
        sections: dict[str, list[tuple[str, str]]] = {"Arguments": [], "Options": []}
        for parameter in self.get_params(ctx):
            record = parameter.get_help_record(ctx)
            if record is not None and parameter.param_type_name == "argument":
                sections["Arguments"].append((record[0].partition(" ")[0], record[1]))
            elif record is not None:
                sections["Options"].append(record)
        for heading, rows in sections.items():
            if rows:
                with formatter.section(heading):
                    formatter.write_dl(rows)


class GroupedCommands(TyperGroup):
    """Lists its commands under their ``rich_help_panel``, in the order in which they were added."""

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """Write a section for each heading; sentences wrap, and their columns line up across sections."""
        sections: dict[str, list[tuple[str, str]]] = {}
        for name in self.list_commands(ctx):
            command = self.get_command(ctx, name)
            if command is not None and not command.hidden:
                heading = getattr(command, "rich_help_panel", None) or HEADING
                sections.setdefault(heading, []).append((name, command.get_short_help_str(sys.maxsize)))
        width = max((len(name) for rows in sections.values() for name, _ in rows), default=0)
        for heading, rows in sections.items():
            with formatter.section(heading):
                formatter.write_dl([(name.ljust(width), sentence) for name, sentence in rows])


class Commands(typer.Typer):
    """Commands with such help; without arguments, it is printed."""

    def __init__(self, help: str, **options: Any) -> None:  # noqa: A002  Typer's word
        super().__init__(cls=GroupedCommands, no_args_is_help=True, rich_markup_mode=None, help=help, **options)

    def command(self, name: str | None = None, **options: Any) -> Callable[[Any], Any]:
        """As Typer's; the command is a `PlainCommand`."""
        return super().command(name, cls=PlainCommand, **options)
