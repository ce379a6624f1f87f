"""Options that say how the files of a recording belong together, and who is in which."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pipeline.cli._shared.options import clock

if TYPE_CHECKING:
    from pipeline.audio.file_layout import FileLayout

Audio = Annotated[
    list[Path] | None,
    typer.Argument(
        metavar="AUDIO...",
        help="The recording: one file of sound or video, a file per person, or with --join the parts "
        "of a session in order. Without it, --transcript is coded from text.",
        show_default=False,
    ),
]
Track = Annotated[
    list[int] | None,
    typer.Option(
        "--track",
        min=1,
        metavar="NUMBER",
        help="The sound track to take of a file that has several. Twice: two that hold one voice each.",
    ),
]
Names = Annotated[
    str | None,
    typer.Option(
        metavar="ROLES",
        help="Who is in which file (or channel), in order: interviewer,client or client,interviewer.",
    ),
]
Offset = Annotated[
    str | None,
    typer.Option(
        metavar="SECONDS",
        help="How much later the second person's file begins than the first; negative if earlier. "
        "By default the sound that both picked up tells.",
    ),
]
Join = Annotated[bool, typer.Option("--join", help="The files are parts of one session, one after the other.")]
Gap = Annotated[
    list[str] | None,
    typer.Option(
        "--gap",
        metavar="SECONDS",
        help="How long the recorder was off between two parts. May be repeated, one per gap.",
    ),
]


def layout(files: int, tracks: list[int] | None, join: bool, gaps: list[str] | None, offset: str | None) -> FileLayout:
    """Return how so many files belong together.

    Raises
    ------
    typer.BadParameter: a time is none. AudioError: A18 the options do not go together.
    """
    from pipeline.audio.file_layout import FileLayout, require_layout

    if tracks and (len(tracks) > 2 or len(set(tracks)) != len(tracks)):
        raise typer.BadParameter("name one track, or two different ones that hold one voice each", param_hint="--track")
    file_layout = FileLayout(
        tracks=tuple(tracks or ()),
        join=join,
        gaps=tuple(clock(gap) or 0 for gap in gaps or ()),
        offset=_signed(offset),
    )
    if files:
        require_layout(files, file_layout)
    elif file_layout != FileLayout():
        raise typer.BadParameter("--track, --join, --gap and --offset need a recording", param_hint="AUDIO")
    return file_layout


def interviewer_channel(names: str | None, files: int, join: bool, tracks: int) -> str | None:
    """Return the voice that ``--names`` makes the interviewer's, ``S1`` or ``S2``; None without names."""
    if names is None:
        return None
    roles = [role.strip().lower() for role in names.split(",")]
    if sorted(roles) != ["client", "interviewer"]:
        raise typer.BadParameter(
            f"{names!r} does not name both roles; write interviewer,client or client,interviewer", param_hint="--names"
        )
    if files == 0 or (files > 1 and join) or tracks == 1:
        raise typer.BadParameter(
            "goes with a file, a track or a channel for each person: name two files, or one with two channels",
            param_hint="--names",
        )
    return f"S{roles.index('interviewer') + 1}"


def _signed(offset: str | None) -> int | None:
    if offset is None:
        return None
    text = offset.strip()
    milliseconds = clock(text.lstrip("+-"))
    return -(milliseconds or 0) if text.startswith("-") else milliseconds
