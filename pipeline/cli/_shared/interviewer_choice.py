"""Who is the interviewer of a transcript: named by the one who calls, told by names, else decided from the words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import typer

from pipeline.formats import speaker_roles
from pipeline.formats.transcript import CodedTranscript
from pipeline.settings import Settings
from pipeline.speech import roles
from pipeline.speech.roles import Roles
from pipeline.timeline import UNKNOWN, Role, Span, Turn, Word


def decided(speeches: Sequence[tuple[str, str]], loaded: Settings, what: str = "") -> Roles:
    """The roles of at least two voices from what they say, (speaker, text) in order; prints how sure that is."""
    found = roles.decide([_turn(speaker, text) for speaker, text in speeches], roles.load(loaded))
    reasons = f": {'; '.join(found.reasons)}" if found.reasons else ""
    told = f"The interviewer{what} is {found.interviewer} (probability {found.probability:.2f}{reasons})."
    typer.echo(f"{told} If that is wrong, name the interviewer with --interviewer.", err=True)
    return found


def settled(said: CodedTranscript, interviewer: str | None, loaded: Settings) -> CodedTranscript:
    """A transcript whose voices have the role that was asked for, that their names tell, or that their words decide.

    Raises
    ------
    TableError: T08 no voice has the interviewer's name.
    """
    speakers = [
        name for name in speaker_roles.distinct_speakers(one.speaker for one in said.utterances) if name != UNKNOWN
    ]
    if interviewer is not None:
        asked = speaker_roles.with_interviewer(speakers, interviewer, f"transcript {said.tape_id}")
        return replace(
            said, utterances=tuple(replace(one, role=asked.get(one.speaker, one.role)) for one in said.utterances)
        )
    told = {one.speaker: one.role for one in said.utterances if one.role != "unknown"}
    by_name = speaker_roles.by_name(speakers, told if len(set(told.values())) < 2 else None)
    unsettled = [name for name in speakers if name not in told and by_name[name] is None]
    speeches = [(one.speaker, one.text) for one in said.utterances if one.text and one.speaker != UNKNOWN]
    if len(set(told.values())) == 2 or not unsettled or len({speaker for speaker, _ in speeches}) < 2:
        return _with(said, by_name)
    found = decided(speeches, loaded)
    return _with(said, {speaker: found.role(speaker) for speaker in speakers})


def _with(said: CodedTranscript, found: Mapping[str, Role | None]) -> CodedTranscript:
    """The transcript with roles where it tells none."""
    return replace(
        said,
        utterances=tuple(
            replace(one, role=found.get(one.speaker) or "unknown") if one.role == "unknown" else one
            for one in said.utterances
        ),
    )


def _turn(speaker: str, text: str) -> Turn:
    """A turn of no length: only its words decide."""
    return Turn(speaker, tuple(Word(Span(0, 0), word, 1.0, speaker) for word in text.split() or ["..."]))
