"""A coder's codes from another program, brought to the utterances of our tape by time.

Other programs cut speech differently, and in CACTI a code is a moment. A stretch goes to the utterance that it shares
most time with, the shorter of two, if that is at least half of one of them. A moment goes to the utterance that holds
it or, since a coder listens before pressing a button, to the last one that ended up to two seconds before. Where the
speaker's role is known, only utterances of that role count.

A tape without times, coded from its text alone, is matched by what is said, in order.

Before that, the times are brought to the tape's zero (`to_tape_zero`): a coach may have coded the whole recording, and
a tape is a segment of it. A file that does not say what its times count from is believed to count as the tape does only
where its times fit so, and would not fit better if they counted from the start of the recording.

An utterance between a coder's first and last code that got none is marked as heard (`Mark` without a code), so that
leaving it out counts when agreement is measured; what lies outside, the coder may not have heard.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Literal

from pipeline.errors import FormatError
from pipeline.formats.transcript import CodedTranscript, CodedUtterance, Mark, successive
from pipeline.timeline import Span, to_seconds

REACTION = 2000
"""Milliseconds between the end of an utterance and the button that a coder presses for it."""


_CODERS = 200  # of one tape: a group has 15 at most; more is a column that holds no coders


TimeOrigin = Literal["recording", "segment"] | int
"""The zero of times, as somebody gives it by hand: a number is milliseconds of the recording."""


@dataclass(frozen=True)
class ShiftedTranscript:
    """Codes at the tape's times: ``moved`` milliseconds later than in their file; ``assumed`` where nobody said so."""

    transcript: CodedTranscript
    moved: int
    assumed: bool = False


def to_tape_zero(
    tape: CodedTranscript, foreign: CodedTranscript, file: str, zero: TimeOrigin | None = None
) -> ShiftedTranscript:
    """Bring the times of ``foreign``, which ``file`` holds, to the zero of the tape.

    ``zero`` is what they count from, where somebody knows better than the file.

    Raises
    ------
    FormatError: F12 the file or the tape does not say its zero, and the times do not fit as they are.
    """
    if tape.is_untimed:
        return ShiftedTranscript(replace(foreign, zero=tape.zero), 0)
    counted = tape.zero if zero == "segment" else 0 if zero == "recording" else zero
    if zero is None:
        counted = foreign.zero
    if zero == "segment" or counted == tape.zero:
        return ShiftedTranscript(replace(foreign, zero=tape.zero), 0)
    if counted is not None and tape.zero is not None:
        return ShiftedTranscript(_shifted(foreign, counted - tape.zero, tape.zero), counted - tape.zero)
    if tape.zero is not None:
        if tape.zero and not _fits(tape, foreign, -tape.zero):
            begins = f"the tape begins {to_seconds(tape.zero)} s into its recording"
            value = f"does not say what its times count from, they do not match, and {begins}"
            raise FormatError("F12", f"file {file}", value, "add --zero recording, or --zero segment")
    elif zero is not None or not _fits(tape, foreign, 0):
        theirs = f"those of {file} count from {to_seconds(counted or 0)} s into it"
        value = f"does not say where in its recording its times begin, and {theirs}"
        raise FormatError("F12", f"tape {tape.tape_id}", value, "give the tape's folder, with its provenance.json")
    return ShiftedTranscript(replace(foreign, zero=tape.zero), 0, assumed=True)


def _shifted(transcript: CodedTranscript, ms: int, zero: int) -> CodedTranscript:
    utterances = (
        replace(
            each,
            span=each.span.shift(ms),
            words=tuple(replace(word, span=word.span.shift(ms)) for word in each.words),
        )
        for each in transcript.utterances
    )
    return replace(transcript, utterances=tuple(utterances), zero=zero)


def _fits(tape: CodedTranscript, foreign: CodedTranscript, other: int) -> bool:
    """Whether all codes lie within the tape as they are, and would not fit better so many milliseconds later."""
    index = _UtteranceIndex(tape.utterances)
    units = [unit for unit in foreign.utterances if unit.given]
    end = max((utterance.span.end for utterance in tape.utterances), default=0) + REACTION
    if any(unit.span.start > end for unit in units):
        return False
    return sum(index.fit(unit.span, unit) for unit in units) >= sum(
        index.fit(unit.span.shift(other), unit) for unit in units
    )


@dataclass(frozen=True)
class MatchedTranscript:
    """The tape with the codes that were brought to it, and the units with codes that went nowhere."""

    transcript: CodedTranscript
    number: int
    lost: tuple[CodedUtterance, ...]


def match(tape: CodedTranscript, foreign: CodedTranscript, coder: str = "", layer: str = "") -> MatchedTranscript:
    """Bring the codes of ``foreign`` to ``tape``, beside those that it has.

    ``coder`` and ``layer`` fill in where the foreign file names none. Each code counts once per utterance and coder.

    Raises
    ------
    FormatError: F02 there are more coders than any group has.
    """
    index = _UtteranceIndex(tape.utterances)
    hosts = _by_text(tape, foreign) if tape.is_untimed else map(index.host, foreign.utterances)
    marks: dict[str, list[Mark]] = {coded.id: [] for coded in tape.utterances}
    lost, number = [], 0
    for unit, host in zip(foreign.utterances, hosts, strict=True):
        if not unit.given:
            continue
        if host is None:
            lost.append(unit)
            continue
        number += 1
        given = {(mark.code, mark.coder, mark.layer) for mark in marks[host.id]}
        for mark in unit.given:
            signed = Mark(mark.code, mark.coder or coder, mark.layer or layer, mark.at)
            if (signed.code, signed.coder, signed.layer) not in given:
                given.add((signed.code, signed.coder, signed.layer))
                marks[host.id].append(signed)
    if tape.is_untimed:
        counted = successive(utterance.span for utterance in tape.utterances)
        in_order = (replace(each, span=span) for each, span in zip(tape.utterances, counted, strict=True))
        _mark_uncoded(replace(tape, utterances=tuple(in_order)), marks, {})
    else:
        _mark_uncoded(tape, marks, _extents(lost, coder, layer))
    coded = (replace(utterance, marks=(*utterance.marks, *marks[utterance.id])) for utterance in tape.utterances)
    return MatchedTranscript(replace(tape, utterances=tuple(coded)), number, tuple(lost))


def _by_text(tape: CodedTranscript, foreign: CodedTranscript) -> Iterator[CodedUtterance | None]:
    """For each foreign utterance the next one of the tape that has its text, and its role where both are known."""
    last = 0
    for unit in foreign.utterances:
        words = unit.text.split()
        later = range(last, len(tape.utterances)) if words else range(0)
        host = next((position for position in later if _is_same(unit, words, tape.utterances[position])), None)
        last = last if host is None else host + 1
        yield None if host is None else tape.utterances[host]


def _is_same(unit: CodedUtterance, words: list[str], utterance: CodedUtterance) -> bool:
    return words == utterance.text.split() and (unit.role == utterance.role or "unknown" in (unit.role, utterance.role))


def _extents(units: Iterable[CodedUtterance], coder: str, layer: str) -> dict[tuple[str, str], Span]:
    """From the first to the last of each coder's units that found no utterance, often beyond the tape's ends."""
    extents: dict[tuple[str, str], Span] = {}
    for unit in units:
        for mark in unit.given:
            key = mark.coder or coder, mark.layer or layer
            extents[key] = extents.get(key, unit.span) | unit.span
    return extents


def _mark_uncoded(tape: CodedTranscript, marks: dict[str, list[Mark]], beyond: dict[tuple[str, str], Span]) -> None:
    """Mark what a coder left without a code between the first and the last that he or she gave."""
    coded: dict[tuple[str, str], dict[str, Span]] = defaultdict(dict)
    for utterance in tape.utterances:
        for mark in marks[utterance.id]:
            coded[mark.coder, mark.layer][utterance.id] = utterance.span
    if len(coded) > _CODERS:
        value = f"were given by more than {_CODERS} coders"
        raise FormatError("F02", f"codes for tape {tape.tape_id}", value, "give the codes of a few")
    for key, spans in sorted(coded.items()):
        starts = [span.start for span in spans.values()]
        first, last = min(starts), max(starts)
        if key in beyond:
            first, last = min(first, beyond[key].start), max(last, beyond[key].end)
        for utterance in tape.utterances:
            if utterance.id not in spans and first <= utterance.span.start <= last:
                marks[utterance.id].append(Mark("", *key))


class _UtteranceIndex:
    """Utterances by their start, found without looking at all of them."""

    def __init__(self, utterances: Iterable[CodedUtterance]) -> None:
        self.ordered = sorted(utterances, key=lambda utterance: utterance.span.start)
        self.starts = [utterance.span.start for utterance in self.ordered]
        self.longest = max((utterance.span.duration for utterance in self.ordered), default=0)

    def host(self, unit: CodedUtterance) -> CodedUtterance | None:
        span = unit.span
        if not span.duration:
            reached = self._near(Span(span.start - REACTION, span.start), unit.role)
            return max(reached, key=lambda utterance: _nearness(utterance.span, span.start), default=None)
        shared = (
            (both, -utterance.span.duration, utterance)
            for utterance in self._near(span, unit.role)
            if (both := utterance.span.overlap(span)) and 2 * both >= min(utterance.span.duration, span.duration)
        )
        return max(shared, key=lambda candidate: candidate[:2], default=(0, 0, None))[2]

    def fit(self, span: Span, unit: CodedUtterance) -> float:
        """How well a unit would fit there: the share of time, 0 to 1, that it has in common with its utterance."""
        host = self.host(replace(unit, span=span))
        if host is None:
            return 0.0
        if not span.duration:
            return 1.0 if span.start in host.span else 0.5
        return host.span.overlap(span) / (host.span | span).duration

    def _near(self, span: Span, role: str) -> Iterator[CodedUtterance]:
        """Utterances of the role that end after the span starts and start before it ends, or at that very moment."""
        for position in range(bisect_right(self.starts, span.end) - 1, -1, -1):
            utterance = self.ordered[position]
            if utterance.span.start + self.longest < span.start:
                return
            if utterance.span.end > span.start and (role == utterance.role or "unknown" in (role, utterance.role)):
                yield utterance


def _nearness(span: Span, moment: int) -> tuple[bool, int]:
    """An utterance that holds the moment is nearer than one that ended before; of two such, the later."""
    holds = moment in span
    return holds, span.start if holds else span.end
