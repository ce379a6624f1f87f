"""Entries by which desktops list a program, after the freedesktop.org specification."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

NAME = "tape-review.desktop"


def folder() -> Path:
    """Where this user's desktop looks for entries."""
    data = os.environ.get("XDG_DATA_HOME", "")
    return (Path(data) if os.path.isabs(data) else Path.home() / ".local" / "share") / "applications"


def entry(command: Sequence[str], icon: Path) -> str:
    """An entry that runs a command in a window of its own; who closes the window ends the program."""
    lines = (
        "[Desktop Entry]",
        "Type=Application",
        "Version=1.5",
        "Name=Tape Review",
        "Comment=Open the review room for your group",
        f"Exec={' '.join(map(_quoted, command))}",
        f"Icon={_escaped(str(icon))}",
        "Terminal=true",
        "Categories=Education;",
        "Keywords=motivational interviewing;MI;coding;",
    )
    return "\n".join(lines) + "\n"


def _quoted(argument: str) -> str:
    """An argument of `Exec`: in quotes, with what a shell or the entry itself would read otherwise escaped."""
    for special in ("\\", '"', "`", "$"):
        argument = argument.replace(special, f"\\{special}")
    return _escaped(f'"{argument}"').replace("%", "%%")


def _escaped(text: str) -> str:
    """A value of an entry, of one line."""
    return text.replace("\\", "\\\\").replace("\n", "\\n")
