"""The coded transcript as pages show it: tags with a letter and a shape, lines, turns, and moments of change talk."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from operator import itemgetter
from typing import Any

import pandas as pd

from pipeline.coding.codebook import Code, Codebook
from pipeline.formats import codebook_files
from pipeline.languages import is_foreign
from pipeline.measures.session import counts
from pipeline.measures.session.coded_table import backchannel_rows, codes_by_row, string_column
from pipeline.timeline import UNKNOWN, Vocalization

_LOOKS: dict[str | None, tuple[str | None, str]] = {
    counts.QUESTION: ("question", "circle"),
    counts.OPEN: ("question", "circle-full"),
    counts.CLOSED: ("question", "circle"),
    counts.REFLECTION: ("reflection", "square"),
    counts.COMPLEX: ("reflection", "square-full"),
    counts.SIMPLE: ("reflection", "square"),
    counts.INFORMATION: ("information", "hexagon"),
    counts.CHANGE: ("change", "up"),
    counts.SUSTAIN: ("sustain", "down"),
    counts.OTHER: (None, "dot"),
    counts.NEUTRAL: (None, "dot"),
}
"""Meaning of a code -> its lane and its shape; any other has its family's lane."""

_COLORS = ("question", "reflection", "information", "affirmation", "summary", "change", "sustain")


@dataclass(frozen=True)
class Tag:
    """A code as the page shows it: a letter in a shape, with its name."""

    name: str
    label: str
    letter: str
    shape: str
    color: str
    lane: str | None


@dataclass(frozen=True)
class UtteranceView:
    """One utterance in the transcript; ``language`` is the code of another language than English, else empty."""

    row: int
    start: int
    end: int
    role: str
    speaker: str
    text: str
    tags: tuple[Tag, ...]
    probability: float | None
    unsure: bool
    listening: bool
    language: str = ""


@dataclass(frozen=True)
class TurnView:
    """Utterances of one turn, or (without lines) an unclear sound."""

    start: int
    end: int
    role: str
    speaker: str
    lines: tuple[UtteranceView, ...] = ()


@dataclass(frozen=True)
class Moment:
    """The interviewer's utterance, the client's change and sustain talk that followed, and the interviewer's answer."""

    before: UtteranceView | None
    talk: tuple[tuple[UtteranceView, tuple[Tag, ...]], ...]
    after: UtteranceView | None


@cache
def _machine() -> Codebook:
    return codebook_files.read("pretags")


class Tags:
    """The codebook's codes as tags; the machine's look as in its own codebook, any other gets a tag of its own."""

    def __init__(self, book: Codebook) -> None:
        self._known = {code.name: code for code in (*_machine().codes, *book.codes)}

    def of(self, name: str) -> Tag:
        """Return the tag of a code; its lane in charts is None where the code says little (other, neutral)."""
        code = self._known.get(name)
        if code is None:
            label = name.replace("_", " ").capitalize()
            code = Code(name, label, label[:1], "", "interviewer", name)
        lane, shape = _LOOKS.get(code.meaning, (code.family, "diamond"))
        # A minus sign of full width reads better in a mark than a hyphen.
        letter = {"-": "−"}.get(code.letter, code.letter)
        return Tag(name, code.label, letter, shape, lane if lane in _COLORS else "other", lane)


def lines(table: pd.DataFrame, tags: Tags) -> list[UtteranceView]:
    """Return the utterances of a coded table that has times, in its order."""
    columns = [
        string_column(table, name) if name in table else [""] * len(table) for name in ("role", "speaker", "text")
    ]
    sure = table["probability"].tolist() if "probability" in table else [None] * len(table)
    check = table["needs_check"].astype(bool).tolist() if "needs_check" in table else [False] * len(table)
    spoken = string_column(table, "language") if "language" in table else [""] * len(table)
    rows = zip(*columns, codes_by_row(table), sure, check, backchannel_rows(table), spoken, strict=True)
    return [
        UtteranceView(
            row=row,
            start=_ms(table["start"].iloc[row]),
            end=_ms(table["end"].iloc[row]),
            role=role,
            speaker=speaker,
            text=text,
            tags=tuple(tags.of(code) for code in codes),
            probability=None if probability is None or pd.isna(probability) else float(probability),
            unsure=unsure,
            listening=noise,
            language=language if is_foreign(language) else "",
        )
        for row, (role, speaker, text, codes, probability, unsure, noise, language) in enumerate(rows)
    ]


def _ms(time: Any) -> int:
    """Return a time in ms; 0 for all rows of a tape that has none."""
    return 0 if pd.isna(time) else int(time)


def turns(
    lines: Sequence[UtteranceView], table: pd.DataFrame, unclear: Sequence[Vocalization], roles: Mapping[str, str]
) -> list[TurnView]:
    """Return the transcript turn by turn, unclear sounds where they were heard; ``roles`` are those of the speakers."""
    keys = string_column(table, "turn_id") if "turn_id" in table else [str(line.row) for line in lines]
    spoken = zip((line.start for line in lines), keys, lines, strict=True)
    timed: list[tuple[int, str | None, UtteranceView | Vocalization]] = [*spoken]
    timed += [(sound.span.start, None, sound) for sound in unclear]
    shown: list[TurnView] = []
    last = None
    for start, key, entry in sorted(timed, key=itemgetter(0)):
        if isinstance(entry, Vocalization):
            shown.append(TurnView(start, entry.span.end, roles.get(entry.speaker, UNKNOWN), entry.speaker))
        elif key == last:
            shown[-1] = replace(shown[-1], end=max(shown[-1].end, entry.end), lines=(*shown[-1].lines, entry))
        else:
            shown.append(TurnView(start, entry.end, entry.role, entry.speaker, (entry,)))
        last = key
    return shown


def moments(context: pd.DataFrame, lines: Sequence[UtteranceView], table: pd.DataFrame, tags: Tags) -> list[Moment]:
    """Change and sustain talk in its context; talk between the same two utterances of the interviewer is one moment."""
    by_name = dict(zip(string_column(table, "utterance_id"), lines, strict=True))
    shown = []
    sides = ["before_utterance_id", "after_utterance_id"]
    for (before, after), rows in context.groupby(sides, sort=False):
        talk: dict[str, tuple[Tag, ...]] = {}
        for name, code in zip(rows["utterance_id"], rows["code"], strict=True):
            talk[str(name)] = (*talk.get(str(name), ()), *map(tags.of, str(code).split("|")))
        shown.append(
            Moment(
                by_name.get(str(before)),
                tuple((by_name[name], given) for name, given in talk.items()),
                by_name.get(str(after)),
            )
        )
    return shown
