"""The list of commands in `--help`: under headings, each command with the whole first sentence of its help.

Typer cuts these sentences off at the width of the terminal, and knows headings only for its boxes of color.
"""

from __future__ import annotations

import sys
from typing import Any

from typer.core import TyperGroup

HEADING = "Commands"
"""Where a command that names no heading stands."""


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
