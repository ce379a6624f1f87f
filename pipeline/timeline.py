"""Time on a tape: spans, words, turns and utterances.

All times are integer milliseconds from the start of the segment, half open: a span holds ``start`` and not ``end``.
Seconds appear in files only; only `to_ms` and `to_seconds` round.

::

    |0 ---- 400|            Span(0, 400)
         |250 ------ 900|   Span(250, 900)
         |250 -400|         Span(0, 400) & Span(250, 900) == Span(250, 400)
    |0 ------------- 900|   Span(0, 400) | Span(250, 900) == Span(0, 900)

>>> Span(0, 400) & Span(250, 900)
Span(start=250, end=400)
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Literal, get_args

from pipeline.languages import ENGLISH

UNKNOWN = "unknown"
OTHER = "other"
"""Speaker of a word that no speaker segment is near, and role of a speaker whose role nobody has decided."""

Role = Literal["interviewer", "client", "other", "unknown"]
"""``other`` takes part and is neither: an interpreter, a relative; their speech has no codes and is in no figure."""
ROLES: tuple[str, ...] = get_args(Role)
ROLE_LABELS: dict[str, str] = {
    "interviewer": "Interviewer",
    "client": "Client",
    "other": "Someone else",
    "unknown": "No role",
}
"""The roles in the words of pages and reports; `frontend/src/layout.js` has the same."""

Layer = Literal["machine", "member", "consensus", "coach"]
"""The owner of a pass's codes."""
LAYERS: tuple[str, ...] = get_args(Layer)


def to_ms(seconds: float) -> int:
    """Return the milliseconds of a time in seconds, halves to even."""
    return round(seconds * 1000)


def to_seconds(ms: int) -> str:
    """Return seconds with exactly three decimals, as every file writes them."""
    sign = "-" if ms < 0 else ""
    return f"{sign}{abs(ms) // 1000}.{abs(ms) % 1000:03d}"


def clock(ms: int) -> str:
    """Return a time as people write it: ``2:05``, ``1:02:05``."""
    minutes, seconds = divmod(max(0, ms) // 1000, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{seconds:02d}" if hours else f"{minutes}:{seconds:02d}"


_TYPED = re.compile(r"(?:(?:(\d{1,2}):(?=[0-5]?\d:))?(\d{1,3}):(?=[0-5]?\d(?:\.|$)))?(\d{1,5}(?:\.\d{1,3})?)")


def typed(text: str) -> int | None:
    """Return the milliseconds of a typed time: ``90``, ``1:30``, ``0:01:30.5``; None for anything else."""
    match = _TYPED.fullmatch(text.strip())
    if match is None:
        return None
    hours, minutes, seconds = (float(part or 0) for part in match.groups())
    return round((hours * 3600 + minutes * 60 + seconds) * 1000)


@dataclass(frozen=True, order=True, slots=True)
class Span:
    """A stretch of time, ``start`` to ``end`` in milliseconds; it may be empty, never negative."""

    start: int
    end: int

    def __post_init__(self) -> None:
        if self.end < self.start:
            raise ValueError(f"span ends ({self.end}) before it starts ({self.start})")

    @property
    def duration(self) -> int:
        """Length in milliseconds."""
        return self.end - self.start

    @property
    def some(self) -> Span:
        """The span, at least a millisecond long: players and most formats have nothing shorter."""
        return self if self.duration else Span(self.start, self.start + 1)

    @property
    def middle(self) -> int:
        """The millisecond halfway, rounded down."""
        return (self.start + self.end) // 2

    def __and__(self, other: Span) -> Span | None:
        """The shared stretch, or None where there is none."""
        start, end = max(self.start, other.start), min(self.end, other.end)
        return Span(start, end) if end > start else None

    def __or__(self, other: Span) -> Span:
        """The smallest span that holds both."""
        return Span(min(self.start, other.start), max(self.end, other.end))

    def __contains__(self, other: Span | int) -> bool:
        if isinstance(other, int):
            return self.start <= other < self.end
        return self.start <= other.start and other.end <= self.end

    def overlap(self, other: Span) -> int:
        """Milliseconds that both share."""
        return max(0, min(self.end, other.end) - max(self.start, other.start))

    def gap(self, other: Span) -> int:
        """Milliseconds of silence between the two, 0 where they touch or overlap."""
        return max(0, max(self.start, other.start) - min(self.end, other.end))

    def shift(self, ms: int) -> Span:
        """Return the same stretch, so many milliseconds later."""
        return Span(self.start + ms, self.end + ms)


def merge(spans: Iterable[Span], gap: int) -> list[Span]:
    """Return the spans, which come in order of start, those that are less than ``gap`` milliseconds apart as one.

    >>> merge([Span(0, 400), Span(500, 600), Span(701, 900)], 101)
    [Span(start=0, end=600), Span(start=701, end=900)]
    """
    merged: list[Span] = []
    for span in spans:
        if merged and span.start - merged[-1].end < gap:
            merged[-1] |= span
        else:
            merged.append(span)
    return merged


def within(spans: Iterable[Span], others: Sequence[Span]) -> list[Span]:
    """Return the parts of spans that lie in others, which do not overlap each other.

    >>> within([Span(0, 400), Span(500, 600)], [Span(300, 550)])
    [Span(start=300, end=400), Span(start=500, end=550)]
    """
    return [part for span in spans for other in others if (part := span & other)]


def outside(spans: Iterable[Span], others: Sequence[Span]) -> list[Span]:
    """Return the parts of spans that lie in none of the others.

    >>> outside([Span(0, 400), Span(500, 600)], [Span(300, 350), Span(500, 600)])
    [Span(start=0, end=300), Span(start=350, end=400)]
    """
    parts = list(spans)
    for other in others:
        sides = [
            side
            for part in parts
            for side in ((part.start, min(part.end, other.start)), (max(part.start, other.end), part.end))
        ]
        parts = [Span(start, end) for start, end in sides if end > start]
    return sorted(dict.fromkeys(parts))


@dataclass(frozen=True, slots=True)
class Word:
    """One spoken token as the transcriber wrote it, without surrounding blanks; its probability is in [0, 1].

    ``language`` is the code of the language that it was spoken in (`pipeline.languages`).
    """

    span: Span
    text: str
    probability: float
    speaker: str = UNKNOWN
    language: str = ENGLISH

    def by(self, speaker: str) -> Word:
        """Return the same word with this speaker."""
        return replace(self, speaker=speaker)

    def in_language(self, language: str) -> Word:
        """Return the same word, spoken in this language."""
        return replace(self, language=language)


@dataclass(frozen=True, slots=True, order=True)
class Vocalization:
    """A sound of a voice without recognizable words: perhaps a backchannel, for a coder to listen to."""

    span: Span
    speaker: str = UNKNOWN


class _SpokenWords:
    """Words in order of start, with the span and the text that they have together."""

    __slots__ = ()
    words: tuple[Word, ...]

    @property
    def span(self) -> Span:
        """From the first word's start to the last end of any word."""
        return Span(self.words[0].span.start, max(word.span.end for word in self.words))

    @property
    def text(self) -> str:
        """The words, parted by single blanks."""
        return " ".join(word.text for word in self.words)


@dataclass(frozen=True, slots=True)
class Turn(_SpokenWords):
    """Uninterrupted speech of one speaker, words in order of start; backchannels are turns of their own."""

    speaker: str
    words: tuple[Word, ...]

    def __post_init__(self) -> None:
        if not self.words:
            raise ValueError("a turn holds at least one word")


@dataclass(frozen=True, slots=True)
class Utterance(_SpokenWords):
    """One complete thought within a turn: the unit that gets codes.

    ``turn`` is the index of its turn on the tape; ``role`` is known once the roles are decided.
    """

    turn: int
    speaker: str
    role: Role
    words: tuple[Word, ...]

    def __post_init__(self) -> None:
        if not self.words:
            raise ValueError("an utterance holds at least one word")

    @property
    def language(self) -> str:
        """The language of most of its words; English where two have as many."""
        words = Counter(word.language for word in self.words)
        return max(words, key=lambda language: (words[language], language == ENGLISH, language))
