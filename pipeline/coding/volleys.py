"""Numbers volleys: an interviewer's uninterrupted speech, as MITI 4.2 counts it."""

from __future__ import annotations

from itertools import groupby
from operator import itemgetter

import pandas as pd

from pipeline.lexicon import is_backchannel
from pipeline.measures.session.coded_table import codes_by_row, string_column
from pipeline.measures.session.counts import BY_UTTERANCE, CountingRule


def volleys(table: pd.DataFrame, rule: CountingRule = BY_UTTERANCE) -> pd.Series[int]:
    """Return the volley number of each interviewer row, from 1 on each tape, and ``<NA>`` for every other row.

    A volley is an interviewer's uninterrupted speech. Another speaker's words end it, but a backchannel ("yeah",
    "right", "mm-hm") ends it only when it answers: when the interviewer's row before it carries a question or a
    reflection (Motivational Interviewing Treatment Integrity manual 4.2, parsing of interviewer speech).

    Parameters
    ----------
    table: rows in order of time with ``role``, ``text``, ``codes`` (joined by ``|``) and ``turn_id``; with ``tape_id``
        where it holds several tapes. Whether a turn is a backchannel is decided from all its rows; a row without a
        ``turn_id`` is a turn by itself.
    rule: the rule that names the codes of questions and reflections.

    Returns
    -------
    ``Int64`` with the table's index.
    """
    numbers: list[int | None] = []
    answerable_codes = {*rule.questions, *rule.reflections}
    rows = zip(_tape_ids(table), table["role"], codes_by_row(table), _backchannel_turns(table), strict=True)
    for _, tape in groupby(rows, itemgetter(0)):
        volley, going_on = 0, False
        for _, role, codes, backchannel in tape:
            if role == "interviewer":
                volley += not going_on
                going_on, answerable = True, not answerable_codes.isdisjoint(codes)
                numbers.append(volley)
            else:
                going_on = going_on and backchannel and not answerable
                numbers.append(None)
    return pd.Series(numbers, index=table.index, dtype="Int64", name="volley")


def _backchannel_turns(table: pd.DataFrame) -> list[bool]:
    """For each row, whether its whole turn is a backchannel."""
    turns = string_column(table, "turn_id") if "turn_id" in table else [""] * len(table)
    keys = [(tape, turn.strip() or row) for row, (tape, turn) in enumerate(zip(_tape_ids(table), turns, strict=True))]
    words: dict[tuple[str, str | int], list[str]] = {key: [] for key in keys}
    for key, text in zip(keys, string_column(table, "text"), strict=True):
        words[key] += text.split()
    return [is_backchannel(words[key]) for key in keys]


def _tape_ids(table: pd.DataFrame) -> list[str]:
    return string_column(table, "tape_id") if "tape_id" in table else [""] * len(table)
