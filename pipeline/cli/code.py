"""``tape-review code``: pre-tag a transcript that exists already."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import Progress

from pipeline import settings
from pipeline.cli.options import Config
from pipeline.formats import tables


def code(
    transcript: Annotated[Path, typer.Argument(help="CSV with tape_id, utterance_id, role, text (target_behavior).")],
    out: Annotated[Path, typer.Option("--out", help="Where the coded table goes (CSV).")],
    config: Config = None,
) -> None:
    """Pre-tag the utterances of a transcript.

    Questions, reflections, information, change and sustain talk, each with its probability.

    Rows are in speaking order; one file may hold several tapes. Roles are interviewer (or therapist, counselor), client
    (or patient) or unknown. Other columns are kept; where the table has codes already, the machine's take their place.
    Machine tags are suggestions: check them by hand.
    """
    from pipeline.coding import tagger

    loaded = settings.load(files=config or ()).settings
    table = tables.read_transcript(transcript)
    own = [column for column in tables.TAG_COLUMNS if column in table]
    if own:
        typer.echo(f"The machine's tags replace what {transcript.name} has in {', '.join(own)}.", err=True)
    with Progress(console=Console(stderr=True), transient=True) as display:
        task = display.add_task("Coding", total=1.0)
        coded = tagger.load(loaded).tag(table, lambda done: display.update(task, completed=done))
    tables.write_utterances(coded, out)
    typer.echo(out)
