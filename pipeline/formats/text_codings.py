"""Codings of a text: stretches that somebody selected, and the lines that nobody did, in the order of the text.

A selection over several speakers is an utterance of each, with the same codes. Nothing of the text is lost, and nothing
that one says is put into another's mouth.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate, groupby

from pipeline.formats import speaker_prefix
from pipeline.formats.transcript import CodedTranscript, CodedUtterance, Mark, ordered_transcript, role_named
from pipeline.timeline import UNKNOWN, Span

Place = tuple[int, int]
"""A line or paragraph and a character in it, both from 0."""


@dataclass(frozen=True)
class Selection:
    """A stretch of the text from ``first`` up to ``last``, with its codes."""

    first: Place
    last: Place
    marks: tuple[Mark, ...]
    name: str = ""


def lines_of(text: str) -> tuple[list[tuple[str, str]], list[int]]:
    """Speaker and whole line of each line, and where in the text each begins."""
    lines = text.splitlines(keepends=True)
    names = speaker_prefix.names(line.strip() for line in lines if line.strip())
    spoken_lines: list[tuple[str, str]] = []
    speaker = UNKNOWN
    for line in lines:
        speaker = speaker_prefix.split_speaker(line.strip(), names, speaker)[0] if line.strip() else speaker
        spoken_lines.append((speaker, line))
    return spoken_lines, [0, *accumulate(len(line) for line in lines)]


def position(starts: Sequence[int], at: int) -> Place:
    """The place of a character of the whole text."""
    line = max(number for number, start in enumerate(starts) if start <= at)
    return line, at - starts[line]


def utterances(lines: Sequence[tuple[str, str]], selections: Sequence[Selection]) -> Iterator[CodedUtterance]:
    """The utterances of lines, each with who says it and what; selections of one stretch are one utterance."""
    merged: dict[tuple[Place, Place], list[Selection]] = {}
    for each in sorted(selections, key=lambda each: (each.first, each.last)):
        merged.setdefault((each.first, each.last), []).append(each)
    names = {speaker for speaker, _ in lines}
    pieces: list[tuple[Place, str, str, str, tuple[Mark, ...]]] = []
    covered: set[int] = set()
    for (first, last), same in merged.items():
        parts = []
        for number in range(first[0], min(last[0] + 1, len(lines))):
            speaker, line = lines[number]
            start, end = (first[1] if number == first[0] else 0), (last[1] if number == last[0] else len(line))
            spoken_text = _bare(" ".join(line[start:end].split()), names)
            if spoken_text:
                covered.add(number)
                parts.append(((number, start), speaker, spoken_text))
        marks = tuple(mark for each in same for mark in each.marks)
        for at, (speaker, run) in enumerate(groupby(parts, key=lambda part: part[1])):
            run_parts = list(run)
            text = " ".join(spoken_text for _, _, spoken_text in run_parts)
            pieces.append((run_parts[0][0], "" if at else same[0].name, speaker, text, marks))
    for number, (speaker, line) in enumerate(lines):
        spoken_text = _bare(" ".join(line.split()), names)
        if number not in covered and spoken_text:
            pieces.append(((number, 0), "", speaker, spoken_text, ()))
    for _, name, speaker, text, marks in sorted(pieces, key=lambda piece: piece[0]):
        yield CodedUtterance(name, Span(0, 0), speaker, role_named(speaker), text, marks)


def _bare(text: str, names: set[str]) -> str:
    """Return the words of a line, without the speaker's name."""
    prefix = speaker_prefix.split(text)
    return prefix[1] if prefix and prefix[0] in names else text


def named_in_texts(spoken: CodedTranscript) -> CodedTranscript:
    """The transcript whose names before colons say who speaks, where nothing else does: "T: What next?"."""
    if any(utterance.speaker != UNKNOWN for utterance in spoken.utterances):
        return spoken
    names = speaker_prefix.names((utterance.text for utterance in spoken.utterances if utterance.text), captions=True)
    named, last = [], UNKNOWN
    for utterance in spoken.utterances if names else ():
        last, text = speaker_prefix.split_speaker(utterance.text, names, last)
        named.append(replace(utterance, speaker=last, role=role_named(last), text=text))
    if not named:
        return spoken
    return ordered_transcript(spoken.tape_id, named, spoken.notes, zero=spoken.zero, named=names)
