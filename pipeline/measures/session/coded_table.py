"""The coded table that measures read: one row per utterance, of one tape.

Required columns: ``tape_id, utterance_id, role, text, codes`` (``|``-separated); used if present: ``start`` and ``end``
(ms), ``probability``, ``p_<code>`` and ``volley``. No function changes a table in place.

>>> frame = pd.DataFrame({"codes": ["question_open|reflection_simple", ""]})
>>> codes_by_row(frame)
[('question_open', 'reflection_simple'), ()]
"""

from __future__ import annotations

from itertools import pairwise

import pandas as pd

from pipeline.errors import TableError
from pipeline.lexicon import is_backchannel
from pipeline.timeline import ROLES

INTERVIEWER, CLIENT, OTHER, UNKNOWN = ROLES

REQUIRED_COLUMNS = ("tape_id", "utterance_id", "role", "text", "codes")

_UNINFORMATIVE_CODES = {"", "other", "neutral"}
"""Codes that a backchannel may carry, too."""


def sort_by_time(table: pd.DataFrame) -> pd.DataFrame:
    """Return the rows in order of time, numbered from 0; in the table's own order if any row has no time.

    Raises
    ------
    TableError: T03 a required column is missing.
    """
    for column in REQUIRED_COLUMNS:
        if column not in table:
            raise TableError("T03", "coded table", f"lacks the column {column!r}", "write it again with `tape-review`")
    if has_times(table):
        table = table.sort_values("start", kind="stable")
    return table.reset_index(drop=True)


def has_times(table: pd.DataFrame) -> bool:
    """Return whether every row has a start and an end."""
    return {"start", "end"} <= set(table.columns) and not bool(table[["start", "end"]].isna().any(axis=None))


def string_column(table: pd.DataFrame, column: str) -> list[str]:
    """Return a column as plain strings, missing cells as empty ones."""
    return ["" if pd.isna(value) else str(value) for value in table[column]]


def codes_by_row(table: pd.DataFrame) -> list[tuple[str, ...]]:
    """Return the codes of each row, in the order of the cell."""
    return [tuple(code for code in cell.split("|") if code) for cell in string_column(table, "codes")]


def backchannel_rows(table: pd.DataFrame) -> list[bool]:
    """Return for each row whether it is a backchannel: "mm-hm", "yeah" and the like, without a code that says more."""
    rows = zip(codes_by_row(table), string_column(table, "text"), strict=True)
    return [set(codes) <= _UNINFORMATIVE_CODES and is_backchannel(text.split()) for codes, text in rows]


def adjacent_rows(tape: pd.DataFrame) -> list[tuple[int, int]]:
    """Return pairs of rows of one tape that follow each other directly; the interviewer's backchannels are skipped."""
    rows = [
        row
        for row, (role, backchannel) in enumerate(zip(string_column(tape, "role"), backchannel_rows(tape), strict=True))
        if role != INTERVIEWER or not backchannel
    ]
    return list(pairwise(rows))
