"""The coded table that measures read: one row per utterance, of one tape.

Required columns: ``tape_id, utterance_id, role, text, codes`` (``|``-separated); used if present: ``start`` and ``end``
(ms), ``probability``, ``p_<code>``, ``volley`` and ``language``. No function changes a table in place.

A row in another language than English that nobody has coded is *uncoded*: it counts in no figure but talk time, and
nothing is a neighbor across it. Once somebody codes it by hand, it counts as any other.

>>> frame = pd.DataFrame({"codes": ["question_open|reflection_simple", ""]})
>>> codes_by_row(frame)
[('question_open', 'reflection_simple'), ()]
"""

from __future__ import annotations

from itertools import pairwise

import pandas as pd

from pipeline import languages
from pipeline.errors import TableError
from pipeline.languages import is_foreign
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


def uncoded_rows(table: pd.DataFrame) -> list[bool]:
    """Return for each row whether it is in another language than English and has no codes."""
    if "language" not in table:
        return [False] * len(table)
    return [
        is_foreign(language) and not codes
        for language, codes in zip(string_column(table, "language"), codes_by_row(table), strict=True)
    ]


def language_shares(table: pd.DataFrame, uncoded_only: bool = True) -> dict[str, float]:
    """Return the share of each language in the speech, by time, or by words where there are no times.

    What people have coded by hand counts as English with ``uncoded_only``: these are the shares without figures.
    """
    if "language" not in table or table.empty:
        return {}
    if has_times(table):
        amounts = (table["end"] - table["start"]).to_numpy(dtype=float).tolist()
    else:
        amounts = [float(len(text.split())) for text in string_column(table, "text")]
    counted = [not uncoded_only or uncoded for uncoded in uncoded_rows(table)]
    spoken = zip(string_column(table, "language"), counted, strict=True)
    return languages.shares((language if counts else "" for language, counts in spoken), amounts)


def adjacent_rows(tape: pd.DataFrame) -> list[tuple[int, int]]:
    """Return pairs of rows of one tape that follow each other directly; the interviewer's backchannels are skipped.

    An uncoded row is in no pair, and keeps its neighbors apart.
    """
    uncoded = uncoded_rows(tape)
    rows = [
        row
        for row, (role, backchannel) in enumerate(zip(string_column(tape, "role"), backchannel_rows(tape), strict=True))
        if role != INTERVIEWER or not backchannel
    ]
    return [(a, b) for a, b in pairwise(rows) if not (uncoded[a] or uncoded[b])]
