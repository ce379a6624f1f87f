"""Units that get counted: utterances, one complete thought each, and volleys as MITI counts them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import groupby
from operator import itemgetter
from typing import Protocol

import pandas as pd

from pipeline.coding.segmentation import thoughts
from pipeline.lexicon import is_backchannel
from pipeline.measures.session.coded_table import codes_by_row, string_column
from pipeline.measures.session.counts import BY_UTTERANCE, CountingRule
from pipeline.timeline import Role, Turn, Utterance

Sentences = Callable[[list[str]], list[list[int]]]
"""For each text the indices of its words (parted by single blanks) at which a sentence may start."""


class Roles(Protocol):
    """Who is who on a tape."""

    def role(self, speaker: str) -> Role:
        """The role of a speaker."""
        ...


def utterances(turns: Sequence[Turn], roles: Roles, sentences: Sentences) -> tuple[Utterance, ...]:
    """Turns parted into complete thoughts, ordered by start; every word is in exactly one.

    Parameters
    ----------
    turns: as `speech.turns.turns` returns them; an utterance refers to its turn by index.
    roles: tells interviewer from client.
    sentences: where a sentence may start, by a language model; `coding.sentences` has spaCy's.
    """
    starts = sentences([turn.text for turn in turns])
    found = [
        Utterance(number, turn.speaker, roles.role(turn.speaker), words)
        for number, turn in enumerate(turns)
        for words in thoughts(turn.words, starts[number])
    ]
    return tuple(sorted(found, key=lambda utterance: (utterance.span.start, utterance.turn)))


def volleys(table: pd.DataFrame, rule: CountingRule = BY_UTTERANCE) -> pd.Series[int]:
    """The number of MITI's volley for each interviewer row, counted from 1 on each tape, ``<NA>`` for every other row.

    A volley is an interviewer's uninterrupted speech. Another's words end it, save where they are mere listening
    ("yeah", "right", "mm-hm"): that ends it only when it answers, which is when the interviewer's row before carries a
    question or a reflection (Motivational Interviewing Treatment Integrity manual 4.2, parsing of interviewer speech).

    Parameters
    ----------
    table: rows in order of time with ``role``, ``text``, ``codes`` (joined by ``|``) and ``turn_id``; with ``tape_id``
        where it holds several tapes. Rows of one turn that is no more than listening are judged together; a row
        without a ``turn_id`` is a turn of its own.
    rule: says which codes are questions and reflections.

    Returns
    -------
    ``Int64`` with the table's index.
    """
    numbers: list[int | None] = []
    answers = {*rule.questions, *rule.reflections}
    rows = zip(_tapes(table), table["role"], codes_by_row(table), _listening_turns(table), strict=True)
    for _, spoken in groupby(rows, itemgetter(0)):
        volley, going_on = 0, False
        for _, role, given, listening in spoken:
            if role == "interviewer":
                volley += not going_on
                going_on, answerable = True, not answers.isdisjoint(given)
                numbers.append(volley)
            else:
                going_on = going_on and listening and not answerable
                numbers.append(None)
    return pd.Series(numbers, index=table.index, dtype="Int64", name="volley")


def _listening_turns(table: pd.DataFrame) -> list[bool]:
    """For each row whether its whole turn is mere listening."""
    turns = string_column(table, "turn_id") if "turn_id" in table else [""] * len(table)
    keys = [(tape, turn.strip() or row) for row, (tape, turn) in enumerate(zip(_tapes(table), turns, strict=True))]
    said: dict[tuple[str, str | int], list[str]] = {key: [] for key in keys}
    for key, text in zip(keys, string_column(table, "text"), strict=True):
        said[key] += text.split()
    return [is_backchannel(said[key]) for key in keys]


def _tapes(table: pd.DataFrame) -> list[str]:
    return string_column(table, "tape_id") if "tape_id" in table else [""] * len(table)
