"""The one shape that every format is read into and written from: utterances with their times, words and codes.

>>> spoken = CodedUtterance("", Span(0, 900), "S2", "client", "I could walk.", (Mark("change", "ana", "coach"),))
>>> ordered_transcript("walk", [spoken]).utterances[0].id
'u0001'

A format that cannot hold a part of it says so in its docstring. An utterance of no length is a moment: CACTI knows no
other. Texts, names and codes have no blanks at either end; codes hold no ``|``, which separates them in tables.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field, replace

from pipeline.formats import speaker_roles
from pipeline.timeline import UNKNOWN, Role, Span, Word

ROLE_WORDS = {
    "interviewer": "interviewer",
    "therapist": "interviewer",
    "counselor": "interviewer",
    "counsellor": "interviewer",
    "client": "client",
    "patient": "client",
    "other": "other",
    "unknown": "unknown",
}
"""Roles that a transcript may name, in any case -> the word that we use."""


NO_TIMES = "The file has no times: all utterances stand at 0, in the order of the text."
"""The note of a transcript whose spans say nothing."""


@dataclass(frozen=True, order=True, slots=True)
class Mark:
    """One code that a coder gave; ``at`` is when, in ISO 8601, where the format says so.

    An empty code says that the coder heard the utterance and gave it none; only tables hold that.
    """

    code: str
    coder: str = ""
    layer: str = ""
    at: str = ""


@dataclass(frozen=True, slots=True)
class CodedUtterance:
    """A unit that carries codes."""

    id: str
    span: Span
    speaker: str = UNKNOWN
    role: Role = "unknown"
    text: str = ""
    marks: tuple[Mark, ...] = ()
    words: tuple[Word, ...] = ()

    @property
    def given(self) -> tuple[Mark, ...]:
        """The marks that are codes."""
        return tuple(mark for mark in self.marks if mark.code)


@dataclass(frozen=True, slots=True)
class Media:
    """The sound or video of a transcript: where it lies from the transcript's file, and its MIME type."""

    path: str
    kind: str


@dataclass(frozen=True)
class CodedTranscript:
    """A tape's utterances in order of start; no id twice.

    ``notes`` are sentences for whoever gave the file. ``zero`` is the millisecond of the recording from which all times
    count; None where nobody says. ``media`` are the links of a file that has them (ELAN), never made up. ``recording``
    is the recording's SHA-256, where a processed tape or RTTM says so.
    """

    tape_id: str
    utterances: tuple[CodedUtterance, ...]
    notes: tuple[str, ...] = field(default=(), compare=False)
    zero: int | None = None
    media: tuple[Media, ...] = ()
    recording: str | None = field(default=None, compare=False)

    @property
    def is_untimed(self) -> bool:
        """Whether its utterances have no times: all stand at 0."""
        return bool(self.utterances) and all(utterance.span == Span(0, 0) for utterance in self.utterances)


def ordered_transcript(
    tape_id: str,
    utterances: Iterable[CodedUtterance],
    notes: Iterable[str] = (),
    *,
    zero: int | None = None,
    named: Collection[str] = (),
) -> CodedTranscript:
    """Utterances put in order of start, those of one time in the order given.

    One without an id, or with one that came before, is numbered by its place. ``named`` are speakers whose role nothing
    but their name says: what all names together leave open, such as who of two "Participants" is the client, stays so.
    Several utterances whose spans only count them (`successive`) have no times: they stand at 0, and a note says so.
    """
    ordered = sorted(utterances, key=lambda utterance: utterance.span.start)
    notes = tuple(notes)
    if _only_counts([utterance.span for utterance in ordered]):
        ordered = [replace(utterance, span=Span(0, 0)) for utterance in ordered]
        notes = notes if NO_TIMES in notes else (*notes, NO_TIMES)
    settled = speaker_roles.by_name(speaker_roles.distinct_speakers(each.speaker for each in ordered)) if named else {}
    ordered = [
        replace(each, role="unknown") if each.speaker in named and settled.get(each.speaker) is None else each
        for each in ordered
    ]
    taken = {each.id for each in ordered}
    numbered: dict[str, CodedUtterance] = {}
    spare = len(ordered)
    for position, each in enumerate(ordered, 1):
        name = each.id
        if not name or name in numbered:
            name = f"u{position:04d}"
            while name in taken or name in numbered:
                spare += 1
                name = f"u{spare:04d}"
        numbered[name] = replace(each, id=name)
    return CodedTranscript(tape_id, tuple(numbered.values()), notes, zero)


def successive(spans: Iterable[Span], first: int = 0) -> list[Span]:
    """Spans for a file that keeps no order but that of times: each starts later than the one before it.

    Where it did not, it starts a millisecond after the one before; each is at least a millisecond long, and none starts
    before ``first``, in ms.

    >>> successive([Span(0, 0), Span(0, 0), Span(0, 900)])
    [Span(start=0, end=1), Span(start=1, end=2), Span(start=2, end=900)]
    """
    later: list[Span] = []
    for span in spans:
        start = max(span.start, later[-1].start + 1 if later else first)
        later.append(Span(start, max(start + 1, span.end)))
    return later


def _only_counts(spans: Sequence[Span]) -> bool:
    """Whether several spans are the first milliseconds one by one, or none is longer than the very first."""
    return len(spans) > 1 and (spans == successive([Span(0, 0)] * len(spans)) or all(span.end <= 1 for span in spans))


def fill_times(times: Sequence[tuple[int | None, int | None]]) -> list[Span]:
    """Spans of (start, end) in ms as far as they are known, so that those without times keep their place.

    What has no start stands, as a moment, where the one before it ended, and no later than the next one starts. What
    has no end lasts until the next one starts, and is a moment where that is not known.

    >>> fill_times([(0, 900), (None, None), (500, None), (2000, None)])
    [Span(start=0, end=900), Span(start=500, end=500), Span(start=500, end=2000), Span(start=2000, end=2000)]
    """
    spans: list[Span] = []
    starts = [*(start for start, _ in times), None]
    known = list(starts)  # the next start that is known, from each on
    for index in reversed(range(len(times))):
        known[index] = known[index + 1] if starts[index] is None else starts[index]
    for index, (start, end) in enumerate(times):
        first, last = start, end
        if first is None:
            before, after = spans[-1] if spans else Span(0, 0), known[index]
            first = before.end if after is None else max(before.start, min(before.end, after))
        elif last is None:
            last = starts[index + 1]
        spans.append(Span(first, max(first, first if last is None else last)))
    return spans


def role_named(name: str) -> Role:
    """The role that a name of a file says: ``"Therapist A."`` -> ``"interviewer"``; unknown where it says none."""
    return speaker_roles.role_of(name) or "unknown"


def split_codes(cell: str) -> tuple[str, ...]:
    """The codes of a cell, ``|`` between them, each once."""
    return tuple(dict.fromkeys(code for part in cell.split("|") if (code := part.strip())))
