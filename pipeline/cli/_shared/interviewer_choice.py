"""Choosing the interviewer of a transcript: named by an option, known from names, else decided from the words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import typer

from pipeline.formats import speaker_roles
from pipeline.formats.transcript import CodedTranscript
from pipeline.languages import ENGLISH
from pipeline.settings import Settings
from pipeline.speech import roles
from pipeline.speech.roles import Roles
from pipeline.timeline import UNKNOWN, Role, Span, Turn, Word


def decide_roles(
    speeches: Sequence[tuple[str, str]], loaded: Settings, what: str = "", spoken: Sequence[str] = ()
) -> Roles:
    """Return the roles of two or more speakers from their (speaker, text) in order; prints the probability.

    ``spoken``: the language of each, where it is known; only English decides.
    """
    languages = spoken or [ENGLISH] * len(speeches)
    turns = [_turn(*speech, language) for speech, language in zip(speeches, languages, strict=True)]
    decision = roles.decide(turns, roles.load(loaded))
    if decision.undecided:
        typer.echo(f"Nobody has a role{what}: {decision.undecided}. Name the interviewer with --interviewer.", err=True)
        return decision
    reasons = f": {'; '.join(decision.reasons)}" if decision.reasons else ""
    sentence = f"The interviewer{what} is {decision.interviewer} (probability {decision.probability:.2f}{reasons})."
    typer.echo(f"{sentence} If that is wrong, name the interviewer with --interviewer.", err=True)
    return decision


def assign_roles(transcript: CodedTranscript, interviewer: str | None, loaded: Settings) -> CodedTranscript:
    """Return a transcript whose speakers have the role that was asked for, or by their names, or by their words.

    Raises
    ------
    TableError: T08 no voice has the interviewer's name.
    """
    speakers = [
        name
        for name in speaker_roles.distinct_speakers(utterance.speaker for utterance in transcript.utterances)
        if name != UNKNOWN
    ]
    if interviewer is not None:
        roles_by_speaker = speaker_roles.with_interviewer(speakers, interviewer, f"transcript {transcript.tape_id}")
        return replace(
            transcript,
            utterances=tuple(
                replace(utterance, role=roles_by_speaker.get(utterance.speaker, utterance.role))
                for utterance in transcript.utterances
            ),
        )
    known = {utterance.speaker: utterance.role for utterance in transcript.utterances if utterance.role != "unknown"}
    both = {"interviewer", "client"} <= set(known.values())
    by_name = speaker_roles.by_name(speakers, None if both else known)
    unsettled = [name for name in speakers if name not in known and by_name[name] is None]
    speeches = [
        (utterance.speaker, utterance.text)
        for utterance in transcript.utterances
        if utterance.text and utterance.speaker != UNKNOWN
    ]
    if both or not unsettled or len({speaker for speaker, _ in speeches}) < 2:
        return _with_roles(transcript, by_name)
    decision = decide_roles(speeches, loaded)
    return _with_roles(transcript, {speaker: decision.role(speaker) for speaker in speakers})


def _with_roles(transcript: CodedTranscript, roles_by_speaker: Mapping[str, Role | None]) -> CodedTranscript:
    """Return the transcript with roles where it has none."""
    return replace(
        transcript,
        utterances=tuple(
            replace(utterance, role=roles_by_speaker.get(utterance.speaker) or "unknown")
            if utterance.role == "unknown"
            else utterance
            for utterance in transcript.utterances
        ),
    )


def _turn(speaker: str, text: str, language: str) -> Turn:
    """A turn of no length: only its words decide."""
    words = text.split() or ["..."]
    return Turn(speaker, tuple(Word(Span(0, 0), word, 1.0, speaker, language) for word in words))
