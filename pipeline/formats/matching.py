"""A coder's codes from another program, brought to the utterances of our tape by time.

Other programs cut speech differently, and in CACTI a code is a moment. A stretch goes to the utterance that it shares
most time with, the shorter of two, if that is at least half of one of them. A moment goes to the utterance that holds
it or, since a coder listens before pressing a button, to the last one that ended up to two seconds before. Where the
speaker's role is known, only utterances of that role count.

An utterance between a coder's first and last code that got none is marked as heard (`Mark` without a code), so that
leaving it out counts when agreement is measured; what lies outside, the coder may not have heard.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from pipeline.errors import FormatError
from pipeline.formats.coded import CodedTranscript, CodedUtterance, Mark
from pipeline.timeline import Span

REACTION = 2000
"""Milliseconds between the end of an utterance and the button that a coder presses for it."""


_CODERS = 200


@dataclass(frozen=True)
class Matched:
    """The tape with the codes that were brought to it, and the units with codes that went nowhere."""

    transcript: CodedTranscript
    number: int
    lost: tuple[CodedUtterance, ...]


def onto(tape: CodedTranscript, foreign: CodedTranscript, coder: str = "", layer: str = "") -> Matched:
    """Bring the codes of ``foreign`` to ``tape``, beside those that it has.

    ``coder`` and ``layer`` fill in where the foreign file names none. Each code counts once an utterance and coder.

    Raises
    ------
    FormatError: F02 there are more coders than any group has.
    """
    places = _Places(tape.utterances)
    marks: dict[str, list[Mark]] = {said.id: [] for said in tape.utterances}
    lost, number = [], 0
    for unit in foreign.utterances:
        if not unit.given:
            continue
        host = places.host(unit)
        if host is None:
            lost.append(unit)
            continue
        number += 1
        given = {(mark.code, mark.coder, mark.layer) for mark in marks[host.id]}
        for mark in unit.given:
            own = Mark(mark.code, mark.coder or coder, mark.layer or layer, mark.at)
            if (own.code, own.coder, own.layer) not in given:
                given.add((own.code, own.coder, own.layer))
                marks[host.id].append(own)
    _heard(tape, marks)
    said = (replace(utterance, marks=(*utterance.marks, *marks[utterance.id])) for utterance in tape.utterances)
    return Matched(CodedTranscript(tape.tape_id, tuple(said)), number, tuple(lost))


def _heard(tape: CodedTranscript, marks: dict[str, list[Mark]]) -> None:
    order = [utterance.id for utterance in tape.utterances]
    coded: dict[tuple[str, str], set[int]] = defaultdict(set)
    for place, name in enumerate(order):
        for mark in marks[name]:
            coded[mark.coder, mark.layer].add(place)
    if len(coded) > _CODERS:
        value = f"were given by more than {_CODERS} coders"
        raise FormatError("F02", f"codes for tape {tape.tape_id}", value, "give the codes of a few")
    for (coder, layer), places in sorted(coded.items()):
        for place in range(min(places), max(places)):
            if place not in places:
                marks[order[place]].append(Mark("", coder, layer))


class _Places:
    """Utterances by their start, found without looking at all of them."""

    def __init__(self, utterances: Iterable[CodedUtterance]) -> None:
        self.ordered = sorted(utterances, key=lambda said: said.span.start)
        self.starts = [said.span.start for said in self.ordered]
        self.longest = max((said.span.duration for said in self.ordered), default=0)

    def host(self, unit: CodedUtterance) -> CodedUtterance | None:
        span = unit.span
        if not span.duration:
            reached = self._near(Span(span.start - REACTION, span.start), unit.role)
            return max(reached, key=lambda said: _nearness(said.span, span.start), default=None)
        shared = (
            (both, -said.span.duration, said)
            for said in self._near(span, unit.role)
            if (both := said.span.overlap(span)) and 2 * both >= min(said.span.duration, span.duration)
        )
        return max(shared, key=lambda found: found[:2], default=(0, 0, None))[2]

    def _near(self, span: Span, role: str) -> Iterator[CodedUtterance]:
        """Utterances of the role that end after the span starts and start before it ends, or at that very moment."""
        for place in range(bisect_right(self.starts, span.end) - 1, -1, -1):
            said = self.ordered[place]
            if said.span.start + self.longest < span.start:
                return
            if said.span.end > span.start and (role == said.role or "unknown" in (role, said.role)):
                yield said


def _nearness(span: Span, moment: int) -> tuple[bool, int]:
    """An utterance that holds the moment is nearer than one that ended before; of two such, the later."""
    holds = moment in span
    return holds, span.start if holds else span.end
