"""The course of a session for its summary: readiness, the best exchanges, change talk in context, and what the machine
got wrong.

It holds codes, counts and moments, and nobody's words: whoever plays a moment hears them. Everything comes from the
group's codes, the table of the measures; how much change and sustain talk there is stands among these.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import TYPE_CHECKING

import pandas as pd

from pipeline.measures.session.coded_table import sort_by_time
from pipeline.measures.session.context import change_talk_context
from pipeline.measures.session.counts import CHANGE
from pipeline.measures.session.measures import session_measures
from pipeline.measures.session.readiness import ReadinessLine, readiness_line
from pipeline.measures.session.strengths import Strength, strengths
from pipeline.review.consensus import consensus

if TYPE_CHECKING:
    from pipeline.coding.codebook import Codebook
    from pipeline.measures.session.counts import CountingRule
    from pipeline.review.consensus.consensus import ConsensusBoard

EXCHANGES = {
    "turned": "The client's talk turned toward change here.",
    "reflection_change": "A reflection, and change talk right after it.",
    "question_change": "An open question, and change talk right after it.",
    "change_picked_up": "Change talk that was picked up right away.",
    "sustain_reflected": "Sustain talk that was met with a reflection.",
}
"""The kinds of exchanges, the most telling first, each in a sentence; `strengths` finds them."""

MOST_EXCHANGES, MOST_KINDS = 3, 3
"""How many exchanges, and how many kinds before and after change talk and of corrections: more is not read on one page.
Chosen here."""

WIDTH, HEIGHT = 640.0, 120.0
"""The size of the picture of the readiness line, in units of its own."""


@dataclass(frozen=True)
class Exchange:
    """An exchange at a moment, as `TapeMoments` counts them."""

    moment: int
    text: str


@dataclass(frozen=True)
class ReadinessTurn:
    """A turning point: its moment, its direction, and where it lies in the picture."""

    moment: int
    toward: str
    x: float
    y: float


@dataclass(frozen=True)
class ReadinessPicture:
    """The readiness line within `WIDTH` x `HEIGHT`: the line, its interval's two edges, and the height of zero."""

    line: tuple[tuple[float, float], ...]
    high: tuple[tuple[float, float], ...]
    low: tuple[tuple[float, float], ...]
    zero: float
    turns: tuple[ReadinessTurn, ...]

    @property
    def band(self) -> tuple[tuple[float, float], ...]:
        """The interval as a closed shape."""
        return (*self.high, *reversed(self.low))


@dataclass(frozen=True)
class SessionCourse:
    """The course of a session. ``readiness``, ``before``, ``after`` and ``corrected`` are sentences, some empty."""

    readiness: str
    picture: ReadinessPicture | None
    exchanges: tuple[Exchange, ...]
    before: str
    after: str
    corrected: str


def course(board: ConsensusBoard) -> SessionCourse:
    """Return the course of the session from the group's codes."""
    rule = board.book.rule(by_hand=board.by_hand)
    table = sort_by_time(consensus.group_table(board))
    line = readiness_line(table, rule, **board.sampling)
    statements = strengths(table, session_measures(table, rule, **board.sampling), line)
    moments = {name: _moment(table, row) for row, name in enumerate(table["utterance_id"])}
    before, after = _context(table, rule, board.book)
    return SessionCourse(
        readiness=_sentence(line),
        picture=_picture(line, moments) if len(line.points) > 1 else None,
        exchanges=_exchanges(statements, table),
        before=before,
        after=after,
        corrected=_corrected(board),
    )


def _moment(table: pd.DataFrame, row: int) -> int:
    """The moment of a row: ms, or on a tape without times its number."""
    start = table["start"].iloc[row]
    return row + 1 if pd.isna(start) else int(start)


def _sentence(line: ReadinessLine) -> str:
    if line.undefined:
        return f"There is no readiness line: {line.undefined}."
    if not line.points:
        return ""
    last = line.points[-1]
    spread = f" (90 % interval {_signed(last.low)} to {_signed(last.high)})" if last.low < last.high else ""
    return f"The line ends at {_signed(last.value)}{spread}."


def _signed(number: int) -> str:
    """A number with its sign; zero has none."""
    return f"{number:+d}" if number else "0"


def _picture(line: ReadinessLine, moments: dict[str, int]) -> ReadinessPicture:
    at = [moments[point.utterance_id] for point in line.points]
    top = max(0, *(point.high for point in line.points), *(point.value for point in line.points))
    bottom = min(0, *(point.low for point in line.points), *(point.value for point in line.points))
    span, length = max(1, top - bottom), max(1, at[-1] - at[0])

    def x(moment: int) -> float:
        return round((moment - at[0]) / length * WIDTH, 1)

    def y(value: float) -> float:
        return round((top - value) / span * HEIGHT, 1)

    turns = (
        ReadinessTurn(moments[turn.utterance_id], turn.toward, x(moments[turn.utterance_id]), y(turn.value))
        for turn in line.turning_points
    )
    return ReadinessPicture(
        line=tuple((x(moment), y(point.value)) for moment, point in zip(at, line.points, strict=True)),
        high=tuple((x(moment), y(point.high)) for moment, point in zip(at, line.points, strict=True)),
        low=tuple((x(moment), y(point.low)) for moment, point in zip(at, line.points, strict=True)),
        zero=y(0),
        turns=tuple(turns),
    )


def _exchanges(statements: Sequence[Strength], table: pd.DataFrame) -> tuple[Exchange, ...]:
    """Return the best exchanges in order of time: one of each kind first, then the second ones; none twice."""
    of_kind = {strength.name: strength.passages for strength in statements}
    ordered = [[(kind, passage) for passage in of_kind.get(kind, ())] for kind in EXCHANGES]
    chosen: list[Exchange] = []
    rows_taken: set[int] = set()
    for kind, passage in (pair for rank in zip_longest(*ordered) for pair in rank if pair):
        if len(chosen) < MOST_EXCHANGES and not rows_taken & set(passage):
            rows_taken |= set(passage)
            chosen.append(Exchange(_moment(table, passage[0]), EXCHANGES[kind]))
    return tuple(sorted(chosen, key=lambda exchange: exchange.moment))


def _context(table: pd.DataFrame, rule: CountingRule, book: Codebook) -> tuple[str, str]:
    """Return what came before change talk and what followed it, each in a sentence; empty where there is none."""
    context = change_talk_context(table, rule)
    codes = set(rule.codes_for(CHANGE))
    change = [row for row in context.to_dict("records") if codes & set(str(row["code"]).split("|"))]
    before, after = (
        _counted(
            label for row in change for label in _labels(book, str(row[f"{side}_codes"])) if row[f"{side}_utterance_id"]
        )
        for side in ("before", "after")
    )
    return (f"Before change talk: {before}." if before else "", f"After change talk: {after}." if after else "")


def _labels(book: Codebook, codes: str) -> list[str]:
    """The labels of some codes, in small letters, each counted; the machine's codes stay as they are named."""
    labels = {code.name: code.label for code in book.codes}
    return [labels.get(code, code.replace("_", " ")).lower() for code in codes.split("|") if code] or ["no code"]


def _counted(labels: Iterable[str]) -> str:
    """Several labels with their numbers, the most frequent first, the rest together."""
    counts = Counter(labels)
    ordered = sorted(counts.items(), key=lambda entry: (-entry[1], entry[0]))
    shown = [f"{label} {number}" for label, number in ordered[:MOST_KINDS]]
    rest = sum(number for _, number in ordered[MOST_KINDS:])
    return ", ".join([*shown, f"other {rest}"] if rest else shown)


def _corrected(board: ConsensusBoard) -> str:
    """Return which of the machine's suggestions the group settled otherwise; empty where there are none.

    Settled is what the group decided together, and what two coders or more agree on: a single pass is no settlement.
    """
    labels = {code.name: code.label.lower() for code in board.book.codes}

    def words(codes: Iterable[str]) -> str:
        return " and ".join(sorted(labels.get(code, code) for code in codes)) or "no code"

    changed: Counter[tuple[str, str]] = Counter()
    decided = 0
    for compared in board.utterances:
        if compared.machine and (compared.settled is not None or (compared.agreed and len(compared.opinions) > 1)):
            decided += 1
            proposed, settled = (set(codes) - compared.uninformative for codes in (compared.machine, compared.by_hand))
            if proposed != settled:
                changed[words(proposed), words(settled)] += 1
    if not changed:
        return ""
    ordered = sorted(changed.items(), key=lambda entry: (-entry[1], entry[0]))
    kinds = "; ".join(
        f"{proposed}, settled as {settled}: {number}" for (proposed, settled), number in ordered[:MOST_KINDS]
    )
    return (
        f"The machine was wrong on {changed.total()} of {decided} utterances that the group settled. Mostly: {kinds}."
    )
