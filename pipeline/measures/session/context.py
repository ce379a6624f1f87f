"""Change talk in its context: what the interviewer said just before and after, and what tends to follow what.

Listener noises of the interviewer ("mm-hm") are looked through: between a client's sentences they are signs of
listening, not answers. A noise that carries a code of its own counts as what it is coded.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import pandas as pd

from pipeline.measures.session.coded_table import (
    CLIENT,
    INTERVIEWER,
    adjacent_rows,
    backchannel_rows,
    codes_by_row,
    sort_by_time,
    string_column,
)
from pipeline.measures.session.counts import BY_UTTERANCE, CHANGE, SUSTAIN, CountingRule
from pipeline.measures.session.draws import CODE_ROLES, DEFAULT_CODE

CONTEXT_COLUMNS = (
    *("tape_id", "utterance_id", "start", "end", "text", "code", "probability"),
    *("before_utterance_id", "before_text", "before_codes"),
    *("after_utterance_id", "after_text", "after_codes"),
)
"""Columns of the context table; ``before_…`` and ``after_…`` are empty where the interviewer is silent on that side."""


def change_talk_context(table: pd.DataFrame, rule: CountingRule = BY_UTTERANCE) -> pd.DataFrame:
    """One row for each utterance of change or sustain talk, with the interviewer's nearest utterance on either side.

    An utterance that is both has two rows, change talk first, as it counts once for either. ``code`` holds its codes of
    that kind by the codebook's ``rule``, ``|``-separated as ``codes`` are. Times in ms; missing times and probabilities
    are NA.

    Raises
    ------
    TableError: T03 a column lacks.
    """
    rows = [row for tape in _tapes(table) for row in _context(tape, rule)]
    return pd.DataFrame(rows, columns=list(CONTEXT_COLUMNS))


def _context(tape: pd.DataFrame, rule: CountingRule) -> Iterator[list[Any]]:
    found, role, noise = codes_by_row(tape), string_column(tape, "role"), backchannel_rows(tape)
    spoken = [row for row in range(len(tape)) if role[row] == INTERVIEWER and not noise[row]]
    cells = {name: string_column(tape, name) for name in ("utterance_id", "text", "codes")}
    cells = {name: [*cells[name], ""] for name in cells}
    given = {
        name: tape[name].tolist() if name in tape else [pd.NA] * len(tape) for name in ("start", "end", "probability")
    }
    moments = [
        (row, "|".join(talk))
        for row in range(len(tape))
        for meaning in (CHANGE, SUSTAIN)
        if role[row] == CLIENT and (talk := [code for code in found[row] if code in rule.of(meaning)])
    ]
    for row, code in moments:
        before = max((other for other in spoken if other < row), default=-1)
        after = min((other for other in spoken if other > row), default=-1)
        yield [
            *(tape["tape_id"].iloc[row], cells["utterance_id"][row], given["start"][row], given["end"][row]),
            *(cells["text"][row], code, given["probability"][row]),
            *(cells[name][other] for other in (before, after) for name in ("utterance_id", "text", "codes")),
        ]


@dataclass(frozen=True)
class Transitions:
    """What came right after what. An utterance with two codes stands in both rows, or both columns: a pair counts once
    for each code of the first with each code of the second, as each code counts for itself in every figure.

    ``counts[i][j]`` pairs have ``before[i]`` first and ``after[j]`` next; ``totals[i]`` pairs begin with
    ``before[i]``, so that rates of a row may add up to more than 1 where answers carry several codes."""

    before: tuple[str, ...]
    after: tuple[str, ...]
    counts: tuple[tuple[int, ...], ...]
    totals: tuple[int, ...]
    minimum: int

    @property
    def rates(self) -> tuple[tuple[float | None, ...], ...]:
        """Counts over the row's total; None throughout a row with fewer than ``minimum`` pairs."""
        return tuple(
            tuple(count / total if total >= self.minimum and total else None for count in counts)
            for counts, total in zip(self.counts, self.totals, strict=True)
        )

    def as_dict(self) -> dict[str, Any]:
        """Plain JSON types: ``{minimum, rows: [{before, total, after: {code: {count, rate | null}}}]}``."""
        rows = []
        for before, total, counts, rates in zip(self.before, self.totals, self.counts, self.rates, strict=True):
            cells = zip(self.after, counts, rates, strict=True)
            after = {
                code: {"count": count, "rate": None if rate is None else round(rate, 4)} for code, count, rate in cells
            }
            rows.append({"before": before, "total": total, "after": after})
        return {"minimum": self.minimum, "rows": rows}


def transitions(table: pd.DataFrame, minimum: int = 5) -> tuple[Transitions, Transitions]:
    """Lag-1 tables: interviewer's code -> the client's talk next, and client's talk -> the interviewer's answer.

    Only utterances that follow each other directly make a pair; a voice without a role between them breaks it.

    Raises
    ------
    TableError: T03 a column lacks.
    """
    pairs: list[tuple[str, str, tuple[str, ...], tuple[str, ...]]] = []
    for tape in _tapes(table):
        found, role = codes_by_row(tape), string_column(tape, "role")
        pairs += [(role[a], role[b], found[a], found[b]) for a, b in adjacent_rows(tape)]
    interviewer, client = _codes(pairs, INTERVIEWER), _codes(pairs, CLIENT)
    asked = [(a, b) for first, second, a, b in pairs if (first, second) == (INTERVIEWER, CLIENT)]
    answered = [(a, b) for first, second, a, b in pairs if (first, second) == (CLIENT, INTERVIEWER)]
    return _transitions(asked, interviewer, client, minimum), _transitions(answered, client, interviewer, minimum)


def _transitions(
    pairs: Iterable[tuple[tuple[str, ...], tuple[str, ...]]],
    before: tuple[str, ...],
    after: tuple[str, ...],
    minimum: int,
) -> Transitions:
    pairs = list(pairs)
    counts = tuple(tuple(sum(row in a and column in b for a, b in pairs) for column in after) for row in before)
    totals = tuple(sum(row in a for a, _ in pairs) for row in before)
    return Transitions(before, after, counts, totals, minimum)


def _codes(pairs: Iterable[tuple[str, str, tuple[str, ...], tuple[str, ...]]], role: str) -> tuple[str, ...]:
    """The role's codes in the codebook's order, then any other that its utterances carry."""
    known = [name for name in CODE_ROLES if CODE_ROLES[name] == role and name != DEFAULT_CODE[role]]
    extra: set[str] = set()
    for first, second, a, b in pairs:
        extra |= set(a if first == role else ()) | set(b if second == role else ())
    return tuple(dict.fromkeys([*known, *sorted(extra - {DEFAULT_CODE[role]}), DEFAULT_CODE[role]]))


def _tapes(table: pd.DataFrame) -> Iterator[pd.DataFrame]:
    """Each tape's rows in order of time: what is said on one tape does not follow what is said on another."""
    for _, tape in sort_by_time(table).groupby("tape_id", sort=False, dropna=False):
        yield tape.reset_index(drop=True)
