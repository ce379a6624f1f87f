"""`tape-review desktop`: the program among this computer's applications."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import Annotated

import typer

from pipeline.cli._shared.options import Config, Home, Profile

_MAC = """\
On a Mac, make a text file "Tape Review.command" on the desktop with these two lines, and allow it to run with
`chmod +x`. A double-click then opens the room:
    #!/bin/sh
    exec {command}"""

_OTHER = """\
Make a shortcut on the desktop that runs this command:
    {command}"""


def desktop(
    install: Annotated[
        bool, typer.Option("--install", help="Add Tape Review to this computer's applications (Linux).")
    ] = False,
    remove: Annotated[bool, typer.Option("--remove", help="Take it out again. The home stays.")] = False,
    home: Home = None,
    profile: Profile = None,
    config: Config = None,
) -> None:
    """Open the review room without a terminal: add Tape Review to your applications, or say how on other systems.

    The application opens the room for your group (`tape-review serve --for-my-group --open`) and makes a home first if
    there is none. Close its window to close the room.
    """
    from pipeline.cli._shared import desktop_entry

    if install and remove:
        raise typer.BadParameter("give --install or --remove")
    options = [f"--home={home.resolve()}"] if home else []
    options += [f"--profile={name}" for name in profile or ()]
    options += [f"--config={path.resolve()}" for path in config or ()]
    command = [_program(), "serve", "--for-my-group", "--open", *options]
    if not sys.platform.startswith("linux"):
        advice = _MAC if sys.platform == "darwin" else _OTHER
        typer.echo(advice.format(command=shlex.join(command)))
        return
    path = desktop_entry.folder() / desktop_entry.NAME
    if remove:
        path.unlink(missing_ok=True)
        typer.echo(f"Removed {path}")
    elif install:
        import pipeline.review

        icon = Path(pipeline.review.__file__).parent / "static" / "icon.svg"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(desktop_entry.entry(command, icon), encoding="utf-8")
        path.chmod(0o644)
        typer.echo(f"Tape Review is among your applications now ({path})")
    else:
        typer.echo(f"The application would run: {shlex.join(command)}\nAdd it with `tape-review desktop --install`.")


def _program() -> str:
    """The whole path of the program that runs, so that it is found from anywhere."""
    beside = Path(sys.executable).with_name("tape-review")
    return str(beside) if beside.exists() else str(Path(sys.argv[0]).absolute())
