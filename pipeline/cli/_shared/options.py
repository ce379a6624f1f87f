"""Options that several verbs share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pipeline.timeline import typed

Profile = Annotated[
    list[str] | None,
    typer.Option("--profile", metavar="NAME", help="A named set of settings, such as 'gpu'. May be repeated."),
]
Config = Annotated[
    list[Path] | None,
    typer.Option("--config", metavar="FILE", help="A settings file (TOML). May be repeated."),
]

Home = Annotated[
    Path | None,
    typer.Option("--home", metavar="FOLDER", help="The folder that holds the tapes. It overrides tapes.home."),
]
As = Annotated[
    str | None,
    typer.Option(
        "--as",
        envvar="TAPE_REVIEW_PERSON",
        metavar="PERSON",
        help="Who you are: your email address or id. The audit records it.",
    ),
]

Tiers = Annotated[
    list[str] | None,
    typer.Option(
        "--tier",
        metavar="NAME=KIND",
        help="What a tier of ELAN or Praat holds: codes, text, words or skip. May be repeated.",
    ),
]


def tiers(given: list[str] | None) -> dict[str, str]:
    """Name and kind of each ``--tier NAME=KIND``; a name may hold ``=`` itself."""
    for option in given or []:
        if "=" not in option:
            raise typer.BadParameter(f"--tier {option!r} says no kind; write it as NAME=codes, text, words or skip")
    return {name: kind for name, _, kind in (option.rpartition("=") for option in given or [])}


def clock(text: str | None) -> int | None:
    """Milliseconds of a time that a member types: ``90``, ``1:30``, ``0:01:30.5``."""
    if text is None:
        return None
    milliseconds = typed(text)
    if milliseconds is None:
        raise typer.BadParameter(f"{text!r} is not a time; write seconds or minutes:seconds, for example 2:30")
    return milliseconds
