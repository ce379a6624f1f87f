"""`tape-review process`: the main job on one recording."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from pipeline.cli._shared.options import (
    Config,
    End,
    Language,
    Profile,
    Roles,
    Speakers,
    Start,
    Terms,
    Transcript,
    Voice,
    clock,
    language_code,
    named_terms,
    named_transcript,
    required_target,
    voice_count,
)
from pipeline.cli._shared.options import roles as named_roles
from pipeline.cli._shared.recording_files import (
    Audio,
    Gap,
    Join,
    Names,
    Offset,
    Track,
    interviewer_channel,
    layout,
)

if TYPE_CHECKING:
    from rich.console import Console

    from pipeline.formats.written_transcript import WrittenTranscript
    from pipeline.stages import ProcessedTape


def process(
    target_behavior: Annotated[
        str, typer.Option(metavar="TEXT", help="The change that the session is about, such as 'drinking less'.")
    ],
    out: Annotated[Path, typer.Option(metavar="FOLDER", help="The folder for the results.")],
    recordings: Audio = None,
    start: Start = None,
    end: End = None,
    speakers: Speakers = "2",
    interviewer: Voice = None,
    roles: Roles = None,
    transcript: Transcript = None,
    terms: Terms = None,
    language: Language = None,
    diarizer: Annotated[
        Literal["auto", "pyannote", "channels", "manual"], typer.Option(help="How to tell who speaks when.")
    ] = "auto",
    turns: Annotated[
        Path | None, typer.Option(metavar="FILE", help="An RTTM file of who speaks when. Use with --diarizer manual.")
    ] = None,
    tape_id: Annotated[
        str | None, typer.Option(metavar="ID", help="The tape's id in the tables. The default is a new one.")
    ] = None,
    names: Names = None,
    track: Track = None,
    offset: Offset = None,
    join: Join = False,
    gap: Gap = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace the results of an earlier run.")] = False,
    profile: Profile = None,
    config: Config = None,
) -> None:
    """Transcribe, diarize, pre-tag and measure a recording, or code a transcript without sound.

    If it is stopped, the same command continues where it left off.
    """
    voices = voice_count(speakers)
    if (diarizer == "manual") != (turns is not None):
        raise typer.BadParameter("'--diarizer manual' and '--turns FILE.rttm' go together", param_hint="--diarizer")
    target_behavior = required_target(target_behavior)

    from rich.console import Console

    files = tuple(recordings or ())
    if not files and transcript is None:
        raise typer.BadParameter("name a recording, a --transcript, or both", param_hint="AUDIO")
    if not files and (start or end or diarizer != "auto"):
        raise typer.BadParameter("--start, --end and --diarizer need a recording", param_hint="AUDIO")

    file_layout = layout(len(files), track, join, gap, offset)
    channel = interviewer_channel(names, len(files), join, len(track or ()))
    if channel and (interviewer or diarizer not in ("auto", "channels")):
        raise typer.BadParameter("goes without --interviewer, and with --diarizer channels only", param_hint="--names")

    from pipeline import settings, stages
    from pipeline.cli._shared.interruption import Interrupted, interruptible, leave_now
    from pipeline.cli._shared.progress_display import ProgressDisplay
    from pipeline.run import text_run
    from pipeline.run.engines import Engines
    from pipeline.run.stage_keys import versions
    from pipeline.run.text_run import TextRun
    from pipeline.speech.cores import Cores

    written, named, interviewer = named_transcript(transcript, named_roles(roles, interviewer), interviewer)
    console = Console()
    chosen = settings.with_language(settings.load(profile or (), config or ()).settings, language_code(language))
    if not files and written is not None:
        packages = versions(stages.STAGES)
        text = TextRun(written, target_behavior, chosen, Engines(chosen), packages, tape_id)
        with ProgressDisplay(console, [stage.name for stage in text_run.STAGES]) as display:
            tape = stages.process_text(text, out, display, overwrite=overwrite)
        _say(console, written, tape)
        return
    request = stages.ProcessRequest(
        recordings=files,
        target_behavior=target_behavior,
        start=clock(start),
        end=clock(end),
        speakers=voices,
        diarizer="channels" if channel else diarizer,
        turns=turns,
        interviewer=channel or interviewer,
        roles=named,
        tape_id=tape_id,
        transcript=written,
        terms=named_terms(terms),
        layout=file_layout,
    )
    cores = Cores(chosen.engines.cores)
    try:
        with ProgressDisplay(console) as display:
            tape = interruptible(
                lambda: stages.process(request, chosen, out, display, overwrite=overwrite, cores=cores), cores.stop
            )
    except Interrupted as stopped:
        console.print("Stopped. Finished stages are saved. Run the same command to continue.")
        leave_now(stopped.status)
    _say(console, written, tape)


def _say(console: Console, written: WrittenTranscript | None, tape: ProcessedTape) -> None:
    """Print how the transcript was read, what to be careful about, and the figures."""
    from pipeline.cli._shared.progress_display import read_warnings, summarize

    for note in written.notes if written else ():
        console.print(note, markup=False, soft_wrap=True)
    for warning in read_warnings(tape):
        console.print(f"Warning: {warning}", style="yellow", markup=False, soft_wrap=True)
    console.print(summarize(tape))
