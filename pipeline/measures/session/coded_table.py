"""The coded table as measures read it: one row an utterance, of one tape.

Needed columns: ``tape_id, utterance_id, role, text, codes`` (``|``-separated); used where present: ``start`` and
``end`` (ms), ``probability``, ``p_<code>`` and ``volley``. Tables are never changed.

>>> frame = pd.DataFrame({"codes": ["question_open|reflection_simple", ""]})
>>> codes(frame)
[('question_open', 'reflection_simple'), ()]
"""

from __future__ import annotations

from itertools import pairwise

import pandas as pd

from pipeline.errors import TableError
from pipeline.lexicon import is_listener_noise
from pipeline.timeline import ROLES

INTERVIEWER, CLIENT, UNKNOWN = ROLES

REQUIRED_COLUMNS = ("tape_id", "utterance_id", "role", "text", "codes")

_UNINFORMATIVE_CODES = {"", "other", "neutral"}
"""Codes that leave open whether an utterance was more than a sign of listening."""


def sort_by_time(table: pd.DataFrame) -> pd.DataFrame:
    """The rows in order of time, numbered from 0; in the table's own order where a row has no time.

    Raises
    ------
    TableError: T03 a needed column lacks.
    """
    for column in REQUIRED_COLUMNS:
        if column not in table:
            raise TableError("T03", "coded table", f"lacks the column {column!r}", "write it again with `tape-review`")
    if has_times(table):
        table = table.sort_values("start", kind="stable")
    return table.reset_index(drop=True)


def has_times(table: pd.DataFrame) -> bool:
    """Whether every row tells when it was said."""
    return {"start", "end"} <= set(table.columns) and not bool(table[["start", "end"]].isna().any(axis=None))


def string_column(table: pd.DataFrame, column: str) -> list[str]:
    """A column as plain strings, missing cells empty."""
    return ["" if pd.isna(value) else str(value) for value in table[column]]


def codes_by_row(table: pd.DataFrame) -> list[tuple[str, ...]]:
    """The codes of each row, as written."""
    return [tuple(code for code in cell.split("|") if code) for cell in string_column(table, "codes")]


def backchannel_rows(table: pd.DataFrame) -> list[bool]:
    """Rows that hold nothing but a listener's "mm-hm" or "yeah" and carry no code that says otherwise."""
    rows = zip(codes_by_row(table), string_column(table, "text"), strict=True)
    return [set(found) <= _UNINFORMATIVE_CODES and is_listener_noise(text.split()) for found, text in rows]


def adjacent_rows(tape: pd.DataFrame) -> list[tuple[int, int]]:
    """Rows of one tape that follow each other directly, an interviewer's listener noises looked through."""
    heard = [
        row
        for row, (role, noise) in enumerate(zip(string_column(tape, "role"), backchannel_rows(tape), strict=True))
        if role != INTERVIEWER or not noise
    ]
    return list(pairwise(heard))
