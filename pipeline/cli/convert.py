"""``tape-review convert``: transcripts and codes from and to other programs."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from pipeline import settings
from pipeline.cli._shared import interviewer_choice
from pipeline.cli._shared.options import Config, Tiers, clock, tiers
from pipeline.errors import FormatError
from pipeline.files import put
from pipeline.formats import (
    cacti_codebook,
    code_mapping,
    codebook_files,
    registry,
    speaker_roles,
    time_matching,
    uncoded,
)
from pipeline.formats.time_matching import ShiftedTranscript
from pipeline.formats.transcript import CodedTranscript
from pipeline.timeline import LAYERS, UNKNOWN, to_seconds

_SHOWN = 10
"""Voices or lost units that a message lists at most: they fit on a screen."""


def convert(
    source: Annotated[
        Path, typer.Argument(metavar="SOURCE", help="A file in any format, or the folder of a processed tape.")
    ],
    out: Annotated[Path, typer.Argument(metavar="OUT", help="The file to write. Its ending decides the format.")],
    from_: Annotated[
        str | None,
        typer.Option("--from", metavar="FORMAT", help="The format of SOURCE, if its ending does not show it."),
    ] = None,
    to: Annotated[
        str | None, typer.Option("--to", metavar="FORMAT", help="The format of OUT, if its ending does not show it.")
    ] = None,
    onto: Annotated[
        Path | None,
        typer.Option("--onto", metavar="FOLDER", help="Match the codes to the utterances of this tape, by time."),
    ] = None,
    zero: Annotated[
        str | None,
        typer.Option(
            "--zero",
            metavar="ZERO",
            help="What the times in SOURCE count from, if the file does not say: recording, segment (as in the tape), "
            "or a time in the recording such as 0:30.",
        ),
    ] = None,
    coder: Annotated[
        str,
        typer.Option(
            "--coder", metavar="NAME", help="Who gave the codes, if the file does not say. With --onto: coach."
        ),
    ] = "",
    layer: Annotated[
        str,
        typer.Option(
            "--layer", metavar="LAYER", help=f"The layer of the pass: {', '.join(LAYERS)}. With --onto: coach."
        ),
    ] = "",
    codebook: Annotated[
        str | None,
        typer.Option("--codebook", metavar="CODEBOOK", help="Use the code names of this codebook."),
    ] = None,
    interviewer: Annotated[
        str | None,
        typer.Option("--interviewer", metavar="NAME", help="The interviewer's name in SOURCE, such as 'Ann'."),
    ] = None,
    tier: Tiers = None,
    config: Config = None,
    blind: Annotated[
        bool, typer.Option("--blind", help="Leave out the codes, for someone who codes the tape independently.")
    ] = False,
) -> None:
    """Convert transcripts and codes from and to other programs.

    It reads all that `tape-review code` reads: ELAN, Praat, CHAT, CACTI, Label Studio, REFI-QDA, subtitles, RTTM, CTM,
    spreadsheets, Word and text files, recognizers' JSON. It writes ELAN, Praat, CHAT, CACTI, Label Studio, REFI-QDA,
    subtitles, RTTM, CTM, CSV and Parquet. It also turns a CACTI codebook (.xml) into one of ours (.toml), and back.

    With --onto, it puts a coach's codes from another program beside the machine's codes, in a table for `tape-review
    agreement`. Each code goes to the utterance at its time. Codes that match no utterance are listed. Times that count
    from the start of the recording are shifted to a tape that starts later.
    """
    counted = _zero(zero, onto)
    if layer and layer not in LAYERS:
        raise typer.BadParameter(f"{layer!r} is no layer; use one of {', '.join(LAYERS)}")
    if {source.suffix.lower(), out.suffix.lower()} == {".xml", ".toml"}:
        _codebook(source, out)
        return
    transcript = registry.read(source, from_, tiers(tier))
    for note in transcript.notes:
        typer.echo(note, err=True)
    transcript = interviewer_choice.assign_roles(transcript, interviewer, settings.load(files=config or ()).settings)
    if not source.is_dir():
        _tell_open(transcript, source)
    if codebook is not None:
        transcript, unknown = code_mapping.translated(transcript, codebook_files.read(codebook))
        if unknown:
            typer.echo(f"not in codebook {codebook}, and not changed: {', '.join(unknown)}", err=True)
    if onto is not None:
        layer = layer or "coach"
        tape = registry.read(onto)
        transcript = _brought(_aligned(transcript, source, tape, counted), source, tape, coder or layer, layer)
    else:
        transcript = _signed(transcript, coder, layer)
        if isinstance(counted, int):
            transcript = replace(transcript, zero=counted)
    if blind:
        transcript = replace(
            transcript, utterances=tuple(replace(utterance, marks=()) for utterance in transcript.utterances)
        )
    registry.write(transcript, out, to)
    codes = sum(len(utterance.given) for utterance in transcript.utterances)
    typer.echo(f"{len(transcript.utterances)} utterances, {codes} codes")
    typer.echo(out)


def _tell_open(transcript: CodedTranscript, source: Path) -> None:
    """Say which utterances have no role, and what gives them one."""
    without = [utterance for utterance in transcript.utterances if utterance.role in ("other", "unknown")]
    if not without:
        return
    voices = [
        name for name in speaker_roles.distinct_speakers(utterance.speaker for utterance in without) if name != UNKNOWN
    ]
    remedy = (
        ""
        if {"interviewer", "client"} <= {utterance.role for utterance in transcript.utterances}
        or all(utterance.role == "other" for utterance in without)
        else uncoded.naming(source)
    )
    if voices and remedy:
        remedy = "name the interviewer with --interviewer"
    number = "1 utterance is" if len(without) == 1 else f"{len(without)} utterances are"
    named = f" ({', '.join(voices[:_SHOWN])})" if voices else ""
    sentence = f"{number} neither the interviewer's nor the client's{named}"
    typer.echo(f"{sentence}: {remedy}." if remedy else f"{sentence}.", err=True)


def _zero(text: str | None, onto: Path | None) -> time_matching.TimeOrigin | None:
    if text is None:
        return None
    if text == "segment":
        if onto is None:
            raise typer.BadParameter("'segment' is that of the tape: name it with --onto", param_hint="--zero")
        return "segment"
    return 0 if text == "recording" else clock(text)


def _aligned(
    transcript: CodedTranscript, source: Path, tape: CodedTranscript, zero: time_matching.TimeOrigin | None
) -> ShiftedTranscript:
    alignment = time_matching.to_tape_zero(tape, transcript, source.name, zero)
    if alignment.moved:
        typer.echo(f"times moved by {to_seconds(alignment.moved)} s, to the tape's zero", err=True)
    elif alignment.assumed and tape.zero:
        sentence = f"times are assumed to count like the tape's, from {to_seconds(tape.zero)} s into the recording"
        typer.echo(f"{sentence}; if they count from its start, add --zero recording", err=True)
    return alignment


def _brought(
    aligned: ShiftedTranscript, source: Path, tape: CodedTranscript, coder: str, layer: str
) -> CodedTranscript:
    match = time_matching.match(tape, aligned.transcript, coder, layer)
    if not match.number:
        value = f"has no code at the time of any utterance of tape {tape.tape_id}"
        raise FormatError("F11", f"file {source.name}", value, "check that both belong to the same tape and segment")
    end = max(utterance.span.end for utterance in tape.utterances)
    outside = [unit for unit in match.lost if aligned.moved and (unit.span.end <= 0 or unit.span.start >= end)]
    lost = [unit for unit in match.lost if unit not in outside]
    beyond = f", {len(outside)} lie outside the tape" if outside else ""
    typer.echo(f"{match.number} units with codes were matched to an utterance, {len(lost)} were not{beyond}", err=True)
    for unit in lost[:_SHOWN]:
        codes = ", ".join(mark.code for mark in unit.given)
        typer.echo(f"  at {to_seconds(unit.span.start - aligned.moved)} s, {unit.role}: {codes}", err=True)
    if len(lost) > _SHOWN:
        typer.echo(f"  and {len(lost) - _SHOWN} more", err=True)
    return match.transcript


def _signed(transcript: CodedTranscript, coder: str, layer: str) -> CodedTranscript:
    """The transcript with coder and layer where its codes name none."""
    return replace(
        transcript,
        utterances=tuple(
            replace(
                utterance,
                marks=tuple(
                    replace(mark, coder=mark.coder or coder, layer=mark.layer or layer) for mark in utterance.marks
                ),
            )
            for utterance in transcript.utterances
        ),
    )


def _codebook(source: Path, out: Path) -> None:
    book = codebook_files.read(str(source))
    if out.suffix.lower() == ".xml":
        put(out, cacti_codebook.write(cacti_codebook.Configuration(book, ())))
    else:
        put(out, codebook_files.written(book).encode())
    typer.echo(f"{len(book.codes)} codes")
    typer.echo(out)
