"""Change talk in context: the interviewer's utterances just before and after it, and lag-1 transitions between codes.

The interviewer's backchannels ("mm-hm") are skipped: between a client's sentences they are signs of listening, not
answers. A backchannel with a code of its own counts as that code.
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
    uncoded_rows,
)
from pipeline.measures.session.counts import BY_UTTERANCE, CHANGE, SUSTAIN, CountingRule
from pipeline.measures.session.draws import CODE_ROLES, DEFAULT_CODE

CONTEXT_COLUMNS = (
    *("tape_id", "utterance_id", "start", "end", "text", "code", "probability"),
    *("before_utterance_id", "before_text", "before_codes"),
    *("after_utterance_id", "after_text", "after_codes"),
)
"""Columns of the context table; ``before_…`` and ``after_…`` are empty if the interviewer is silent on that side."""


def change_talk_context(table: pd.DataFrame, rule: CountingRule = BY_UTTERANCE) -> pd.DataFrame:
    """Return one row per utterance of change or sustain talk, with the interviewer's nearest utterance on either side.

    An utterance that is both has two rows, change talk first, since it counts once for either. ``code`` holds its codes
    of that kind by the codebook's ``rule``, ``|``-separated like ``codes``. Times in ms; missing times and
    probabilities are NA.

    Raises
    ------
    TableError: T03 a column is missing.
    """
    rows = [row for tape in _tapes(table) for row in _context(tape, rule)]
    return pd.DataFrame(rows, columns=list(CONTEXT_COLUMNS))


def _context(tape: pd.DataFrame, rule: CountingRule) -> Iterator[list[Any]]:
    codes, role, backchannel = codes_by_row(tape), string_column(tape, "role"), backchannel_rows(tape)
    uncoded = uncoded_rows(tape)
    # What another speaker says in another language parts client and interviewer: nobody knows what came between.
    answers = [row for row in range(len(tape)) if uncoded[row] or (role[row] == INTERVIEWER and not backchannel[row])]
    cells = {name: string_column(tape, name) for name in ("utterance_id", "text", "codes")}
    cells = {name: [*cells[name], ""] for name in cells}  # row -1: nobody
    optional = {
        name: tape[name].tolist() if name in tape else [pd.NA] * len(tape) for name in ("start", "end", "probability")
    }
    client_talk = [
        (row, "|".join(talk))
        for row in range(len(tape))
        for meaning in (CHANGE, SUSTAIN)
        if role[row] == CLIENT and (talk := [code for code in codes[row] if code in rule.codes_for(meaning)])
    ]
    for row, code in client_talk:
        nearest = (
            max((other for other in answers if other < row), default=-1),
            min((other for other in answers if other > row), default=-1),
        )
        before, after = (other if role[other] == INTERVIEWER else -1 for other in nearest)
        yield [
            *(tape["tape_id"].iloc[row], cells["utterance_id"][row], optional["start"][row], optional["end"][row]),
            *(cells["text"][row], code, optional["probability"][row]),
            *(cells[name][other] for other in (before, after) for name in ("utterance_id", "text", "codes")),
        ]


@dataclass(frozen=True)
class Transitions:
    """A lag-1 table. An utterance with two codes is in both rows, or both columns: a pair counts once for each code of
    the first with each code of the second, since each code counts by itself in every figure.

    ``counts[i][j]`` pairs have ``before[i]`` first and ``after[j]`` next; ``totals[i]`` pairs begin with
    ``before[i]``, so that the rates of a row may add up to more than 1 if answers carry several codes."""

    before: tuple[str, ...]
    after: tuple[str, ...]
    counts: tuple[tuple[int, ...], ...]
    totals: tuple[int, ...]
    minimum: int

    @property
    def rates(self) -> tuple[tuple[float | None, ...], ...]:
        """The counts over the row's total; None throughout a row with fewer than ``minimum`` pairs."""
        return tuple(
            tuple(count / total if total >= self.minimum and total else None for count in counts)
            for counts, total in zip(self.counts, self.totals, strict=True)
        )

    def as_dict(self) -> dict[str, Any]:
        """Return plain JSON types: ``{minimum, rows: [{before, total, after: {code: {count, rate | null}}}]}``."""
        rows = []
        for before, total, counts, rates in zip(self.before, self.totals, self.counts, self.rates, strict=True):
            cells = zip(self.after, counts, rates, strict=True)
            after = {
                code: {"count": count, "rate": None if rate is None else round(rate, 4)} for code, count, rate in cells
            }
            rows.append({"before": before, "total": total, "after": after})
        return {"minimum": self.minimum, "rows": rows}


def transitions(table: pd.DataFrame, minimum: int = 5) -> tuple[Transitions, Transitions]:
    """Return the lag-1 tables of interviewer's code -> client's talk and of client's talk -> interviewer's code.

    Only utterances that follow each other directly make a pair; a speaker without a role between them breaks it.

    Raises
    ------
    TableError: T03 a column is missing.
    """
    pairs: list[tuple[str, str, tuple[str, ...], tuple[str, ...]]] = []
    for tape in _tapes(table):
        codes, role = codes_by_row(tape), string_column(tape, "role")
        pairs += [(role[a], role[b], codes[a], codes[b]) for a, b in adjacent_rows(tape)]
    interviewer, client = _codes(pairs, INTERVIEWER), _codes(pairs, CLIENT)
    to_client = [(a, b) for first, second, a, b in pairs if (first, second) == (INTERVIEWER, CLIENT)]
    to_interviewer = [(a, b) for first, second, a, b in pairs if (first, second) == (CLIENT, INTERVIEWER)]
    return (
        _transitions(to_client, interviewer, client, minimum),
        _transitions(to_interviewer, client, interviewer, minimum),
    )


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
    """Return the role's codes in the codebook's order, then any other that its utterances carry."""
    known = [name for name in CODE_ROLES if CODE_ROLES[name] == role and name != DEFAULT_CODE[role]]
    extra: set[str] = set()
    for first, second, a, b in pairs:
        extra |= set(a if first == role else ()) | set(b if second == role else ())
    return tuple(dict.fromkeys([*known, *sorted(extra - {DEFAULT_CODE[role]}), DEFAULT_CODE[role]]))


def _tapes(table: pd.DataFrame) -> Iterator[pd.DataFrame]:
    """Yield each tape's rows in order of time: no utterance follows one of another tape."""
    for _, tape in sort_by_time(table).groupby("tape_id", sort=False, dropna=False):
        yield tape.reset_index(drop=True)
