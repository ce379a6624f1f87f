"""Times of a written transcript's words, from the same words as they were recognized in the sound.

::

    written      so    what   uh    would  you  like        every word stays, in its order
    recognized   so    what         would  you  light
    times        own   own    between      own  light's     what was not recognized stands between its neighbors

A transcript may begin before the segment does, or go on after it. Words at either end that would have to be spoken
faster than anybody can lie outside (`Placement.before`, `Placement.after`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pipeline.lexicon import plain
from pipeline.speech import sequence_alignment
from pipeline.timeline import Span, Word

LONG_WORD = 600
"""Milliseconds that a word lasts at most where it was not recognized."""

HURRIED, LEAST_OUTSIDE = 150, 12
"""Milliseconds that a word takes at least, on average; fewer words than so many at an end are squeezed in."""

MISSING = 5
"""So many recognized words in a row that the transcript lacks are reported."""


@dataclass(frozen=True)
class Placement:
    """The words of a transcript with their times.

    ``spans``: one for each word, starts never falling; those of the words outside are empty. ``recognized``: which
    words have the times of the same word in the sound. ``before``, ``after``: how many words at the beginning and at
    the end lie outside the segment. ``missing``: where at least `MISSING` words were recognized that the transcript
    lacks, and how many.
    """

    spans: tuple[Span, ...]
    recognized: tuple[bool, ...]
    before: int
    after: int
    missing: tuple[tuple[Span, int], ...]

    @property
    def inside(self) -> range:
        """The words within the segment."""
        return range(self.before, len(self.spans) - self.after)


def place_words(
    written: Sequence[str], recognized: Sequence[Word], duration: int, wordless: Sequence[Span] = ()
) -> Placement:
    """Give the words of a transcript their times.

    Parameters
    ----------
    written: the words in the order in which they stand. recognized: words in order of start. duration: ms.
    wordless: speech in which nothing was recognized; words that were not recognized stand there.
    """
    known = [plain(word.text) for word in recognized]
    pairs = sequence_alignment.pairs([plain(word) for word in written], known)
    spans: list[Span] = []
    missing: list[tuple[Span, int]] = []
    before = after = 0
    last, last_recognized = -1, -1
    for at, other in [*pairs, (len(written), len(recognized))]:
        gap = Span(*_between(recognized, last_recognized, other, duration))
        number, extra = at - last - 1, recognized[last_recognized + 1 : other]
        outside = _outside(number, gap.duration) if last < 0 or at == len(written) else 0
        if outside and at < len(written):
            before = outside
        elif outside:
            after = outside
        inside = _spread(number - outside, _narrowed(gap, extra, wordless), _leaning(last < 0, at == len(written)))
        edge = Span(gap.start, gap.start) if at < len(written) else Span(gap.end, gap.end)
        nowhere = [edge] * outside
        spans += [*nowhere, *inside] if at < len(written) else [*inside, *nowhere]
        if not number and len(extra) >= MISSING:
            missing.append((Span(extra[0].span.start, max(word.span.end for word in extra)), len(extra)))
        if at < len(written):
            spans.append(recognized[other].span)
        last, last_recognized = at, other
    matched = {at for at, _ in pairs}
    return Placement(tuple(spans), tuple(at in matched for at in range(len(written))), before, after, tuple(missing))


def _between(recognized: Sequence[Word], before: int, after: int, duration: int) -> tuple[int, int]:
    """From the end of one recognized word to the start of a later one; words may overlap, starts never fall."""
    end = recognized[after].span.start if after < len(recognized) else duration
    start = recognized[before].span.end if before >= 0 else 0
    if before >= 0 and after == len(recognized):
        end = max(end, recognized[before].span.start)
    return min(start, end), end


def _narrowed(gap: Span, extra: Sequence[Word], wordless: Sequence[Span]) -> Span:
    """The part of a gap in which something else was recognized, or speech without words is, where there is any."""
    speech = [word.span for word in extra] + [part for span in wordless if (part := span & gap)]
    if not speech:
        return gap
    return gap & Span(min(span.start for span in speech), max(span.end for span in speech)) or gap


def _outside(number: int, available: int) -> int:
    """The number of words, of ``number`` at an end, that lie outside the segment."""
    fitting = available // HURRIED
    return number - fitting if number - fitting >= LEAST_OUTSIDE else 0


def _leaning(first: bool, last: bool) -> float:
    """Where unrecognized words stand in a longer gap: by the only neighbor that they have, else in the middle."""
    return 0.5 if first == last else float(first)


def _spread(number: int, gap: Span, leaning: float) -> list[Span]:
    """Words one after the other in a gap, none longer than `LONG_WORD`."""
    if not number:
        return []
    length = min(gap.duration, number * LONG_WORD)
    start = gap.start + int((gap.duration - length) * leaning)
    edges = [start + length * at // number for at in range(number + 1)]
    return [Span(edges[at], edges[at + 1]) for at in range(number)]
