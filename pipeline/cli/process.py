"""`tape-review process`: the main job on one recording."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from pipeline.cli.options import Config, Profile, clock


def process(
    recording: Annotated[
        Path, typer.Argument(metavar="AUDIO", help="The recording: WAV, FLAC, Ogg, MP3, M4A or WebM.")
    ],
    target_behavior: Annotated[str, typer.Option(help="The change that the session is about: 'drinking less'.")],
    out: Annotated[Path, typer.Option(help="The folder for the results.")],
    start: Annotated[str | None, typer.Option(help="Where the segment starts: 2:30.")] = None,
    end: Annotated[str | None, typer.Option(help="Where the segment ends: 22:30.")] = None,
    speakers: Annotated[str, typer.Option(help="How many voices there are: a number, or auto.")] = "2",
    interviewer: Annotated[str | None, typer.Option(help="Which voice is the interviewer's: S1.")] = None,
    diarizer: Annotated[
        Literal["auto", "pyannote", "channels", "manual"], typer.Option(help="How voices are told apart.")
    ] = "auto",
    turns: Annotated[Path | None, typer.Option(help="An RTTM file that says who speaks when; for manual.")] = None,
    tape_id: Annotated[str | None, typer.Option(help="The tape's name in the tables; without it, one is made.")] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace the results of another run.")] = False,
    profile: Profile = None,
    config: Config = None,
) -> None:
    """Transcribe, diarize, pre-tag and measure one recording."""
    if speakers != "auto" and not (speakers.isdecimal() and int(speakers) > 0):
        raise typer.BadParameter(f"{speakers!r} is neither a number of voices nor 'auto'", param_hint="--speakers")
    if (diarizer == "manual") != (turns is not None):
        raise typer.BadParameter("'--diarizer manual' and '--turns FILE.rttm' go together", param_hint="--diarizer")
    if not target_behavior.strip():
        raise typer.BadParameter(
            "change talk cannot be told without it; name the change", param_hint="--target-behavior"
        )

    from rich.console import Console

    from pipeline import settings, stages
    from pipeline.cli.display import Display, summary, warnings
    from pipeline.cli.interruption import Interrupted, interruptible, leave_now
    from pipeline.speech.cores import Cores

    request = stages.Request(
        recording=recording,
        target_behavior=target_behavior.strip(),
        start=clock(start),
        end=clock(end),
        speakers=None if speakers == "auto" else int(speakers),
        diarizer=diarizer,
        turns=turns,
        interviewer=interviewer,
        tape_id=tape_id,
    )
    console = Console()
    chosen = settings.load(profile or (), config or ()).settings
    cores = Cores(chosen.engines.cores)
    try:
        with Display(console) as display:
            tape = interruptible(
                lambda: stages.process(request, chosen, out, display, overwrite=overwrite, cores=cores), cores.stop
            )
    except Interrupted as stopped:
        console.print("Stopped. Finished stages are kept: the same command goes on from there.")
        leave_now(stopped.status)
    for warning in warnings(tape):
        console.print(f"Warning: {warning}", style="yellow", markup=False, soft_wrap=True)
    console.print(summary(tape))
