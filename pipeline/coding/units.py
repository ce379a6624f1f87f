"""Units that get counted: utterances, one complete thought each, and volleys as MITI counts them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

import pandas as pd

from pipeline.coding.thoughts import thoughts
from pipeline.phrases import is_listener_noise
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


def volleys(table: pd.DataFrame) -> pd.Series[int]:
    """The number of MITI's volley for each interviewer row, counted from 1 on each tape, ``<NA>`` for every other row.

    A volley is an interviewer's uninterrupted speech. Another's words end it, save where they are mere listening
    ("yeah", "right", "mm-hm"): that ends it only when it answers, which is when the interviewer's row before carries a
    question or a reflection (Motivational Interviewing Treatment Integrity manual 4.2, parsing of interviewer speech).

    Parameters
    ----------
    table: rows in order of time with ``role``, ``text``, ``codes`` (joined by ``|``) and ``turn_id``; with ``tape_id``
        where it holds several tapes. Rows of one turn that is no more than listening are judged together.

    Returns
    -------
    ``Int64`` with the table's index.
    """
    numbers: list[int | None] = []
    tape: object = None
    volley, going_on, answerable = 0, False, False
    listening = _listening_turns(table)
    tapes = table["tape_id"] if "tape_id" in table else [None] * len(table)
    for row, (at, role, codes) in enumerate(zip(tapes, table["role"], table["codes"], strict=True)):
        if at != tape:
            volley, tape, going_on = 0, at, False
        if role == "interviewer":
            volley += not going_on
            going_on, answerable = True, _answerable(codes)
            numbers.append(volley)
        else:
            going_on = going_on and listening[row] and not answerable
            numbers.append(None)
    return pd.Series(numbers, index=table.index, dtype="Int64", name="volley")


def _listening_turns(table: pd.DataFrame) -> list[bool]:
    """For each row whether its whole turn is mere listening."""
    keys = list(zip(table["tape_id"] if "tape_id" in table else [None] * len(table), table["turn_id"], strict=True))
    said: dict[tuple[object, object], list[str]] = {key: [] for key in keys}
    for key, text in zip(keys, table["text"], strict=True):
        said[key] += str(text).split()
    return [is_listener_noise(said[key]) for key in keys]


def _answerable(codes: object) -> bool:
    """Whether a row's codes hold a question or a reflection, to which a "yeah" is an answer."""
    return any(code.startswith(("question", "reflection")) for code in str(codes).split("|"))
