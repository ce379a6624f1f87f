"""The interviewer's strengths as far as the tags show them: statements with a count and the passages behind it.

Nothing here is praise that the table does not support, and nothing is a grade. A statement appears only if its count is
not zero (or, for shares, is above one half) and if the codebook has codes for it (`counts.CountingRule`). Passages come
from the tags with the highest probability.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from pipeline.measures.session.coded_table import (
    CLIENT,
    INTERVIEWER,
    adjacent_rows,
    backchannel_rows,
    codes_by_row,
    has_times,
    sort_by_time,
    string_column,
)
from pipeline.measures.session.counts import AFFIRMATION, CHANGE, COMPLEX, OPEN, SUMMARY, SUSTAIN
from pipeline.measures.session.measures import SessionMeasures
from pipeline.measures.session.readiness import ReadinessLine

MAX_PASSAGES = 2
"""Passages shown with a statement, at most."""

LONG_TALK_MS = 20_000
"""Milliseconds for which a client must hold the floor to be worth a statement."""


@dataclass(frozen=True)
class Strength:
    """A statement and its passages, each a tuple of rows that belong together, in order of time."""

    name: str
    text: str
    passages: tuple[tuple[int, ...], ...] = ()


def strengths(table: pd.DataFrame, measures: SessionMeasures, readiness: ReadinessLine) -> tuple[Strength, ...]:
    """Return the statements that the table supports, the most informative first.

    Raises
    ------
    TableError: T03 a column is missing.
    """
    tape, rule = _TapeCounts.read(table), measures.rule
    change, reflections = rule.codes_for(CHANGE), (*rule.reflections, *rule.codes_for(SUMMARY))
    affirmations, open_questions = rule.codes_for(AFFIRMATION), rule.codes_for(OPEN)
    responses = {"a reflection": reflections, "an affirmation": affirmations, "an open question": open_questions}
    possible_responses = [response for response, codes in responses.items() if codes]
    statements = [
        tape.pairs(
            *("reflection_change", INTERVIEWER, reflections, change),
            lambda n: f"{_times(n)} a reflection was followed directly by change talk.",
        ),
        tape.pairs(
            *("question_change", INTERVIEWER, open_questions, change),
            lambda n: f"{_times(n)} an open question was followed directly by change talk.",
        ),
        tape.pairs(
            *("change_picked_up", CLIENT, change, (*reflections, *affirmations, *open_questions)),
            lambda n: f"{_times(n)} change talk was picked up right away with {_or(possible_responses)}.",
        ),
        tape.pairs(
            *("sustain_reflected", CLIENT, rule.codes_for(SUSTAIN), reflections),
            lambda n: f"{_times(n)} sustain talk was met with a reflection.",
        ),
        _turned(tape, readiness, change),
        _more_reflections(measures),
        tape.single(
            *("complex", rule.codes_for(COMPLEX)),
            lambda n: f"{n} {'reflections' if n > 1 else 'reflection'} went beyond the client's words (complex).",
        ),
        tape.single("affirmation", affirmations, lambda n: f"{_times(n)} the interviewer affirmed the client."),
        _share(measures, "percent_open_questions", "Most questions were open: {numerator:.0f} of {denominator:.0f}."),
        _client_share(measures),
        _long_talk(tape),
        _listening(tape),
    ]
    return tuple(statement for statement in statements if statement)


@dataclass(frozen=True)
class _TapeCounts:
    """The rows of one tape in order of time; ``adjacent`` are the pairs that follow each other directly."""

    table: pd.DataFrame
    codes: Sequence[tuple[str, ...]]
    roles: Sequence[str]
    probabilities: Sequence[float]
    adjacent: Sequence[tuple[int, int]]

    @classmethod
    def read(cls, table: pd.DataFrame) -> _TapeCounts:
        rows = sort_by_time(table)
        column = rows["probability"] if "probability" in rows else pd.Series(1.0, index=rows.index)
        probabilities = [float(value) for value in column.to_numpy(dtype=float, na_value=0.0)]
        return cls(rows, codes_by_row(rows), string_column(rows, "role"), probabilities, adjacent_rows(rows))

    def best(self, passages: Sequence[tuple[int, ...]]) -> tuple[tuple[int, ...], ...]:
        """Return the passages whose tags have the highest probability, in order of time."""
        surest = sorted(passages, key=lambda rows: -float(np.prod([self.probabilities[row] for row in rows])))
        return tuple(sorted(surest[:MAX_PASSAGES]))

    def pairs(
        self,
        name: str,
        role: str,
        first: Sequence[str],
        then: Sequence[str],
        text: Callable[[int], str],
    ) -> Strength | None:
        """Return a statement on utterances of ``role`` with one of ``first`` that are answered with one of ``then``."""
        other = {INTERVIEWER: CLIENT, CLIENT: INTERVIEWER}[role]
        passages = [
            (a, b)
            for a, b in self.adjacent
            if (self.roles[a], self.roles[b]) == (role, other)
            and set(first) & set(self.codes[a])
            and set(then) & set(self.codes[b])
        ]
        return Strength(name, text(len(passages)), self.best(passages)) if passages else None

    def single(self, name: str, wanted: Sequence[str], text: Callable[[int], str]) -> Strength | None:
        """Return a statement on the interviewer's utterances with one of the wanted codes."""
        rows = [
            (row,) for row, role in enumerate(self.roles) if role == INTERVIEWER and set(wanted) & set(self.codes[row])
        ]
        return Strength(name, text(len(rows)), self.best(rows)) if rows else None


def _turned(tape: _TapeCounts, readiness: ReadinessLine, wanted: Sequence[str]) -> Strength | None:
    """Return the turning points toward change, each from the interviewer's utterance just before the change talk."""
    names = string_column(tape.table, "utterance_id")
    passages: list[tuple[int, ...]] = []
    for turn in (turn for turn in readiness.turning_points if turn.toward == "change"):
        after = range(names.index(turn.utterance_id) + 1, len(names))
        change = next(row for row in after if tape.roles[row] == CLIENT and set(wanted) & set(tape.codes[row]))
        before = [a for a, _ in tape.adjacent if a < change and tape.roles[a] == INTERVIEWER]
        passages.append((*before[-1:], change))
    if not passages:
        return None
    text = f"{_times(len(passages))} the client's talk turned from sustain talk toward change talk."
    return Strength("turned", text, tuple(passages[:MAX_PASSAGES]))


def _more_reflections(measures: SessionMeasures) -> Strength | None:
    measure = measures.ratios["reflections_per_question"]
    if measure.denominator is None or measure.numerator <= measure.denominator:
        return None
    text = f"There were more reflections ({measure.numerator:.0f}) than questions ({measure.denominator:.0f})"
    sure = measure.low is not None and measure.low > 1
    return Strength(
        "more_reflections", f"{text}{', and the uncertainty of the tags does not change that' if sure else ''}."
    )


def _share(measures: SessionMeasures, name: str, text: str) -> Strength | None:
    measure = measures.ratios[name]
    if measure.value is None or measure.value <= 50:
        return None
    return Strength(name, text.format(numerator=measure.numerator, denominator=measure.denominator))


def _client_share(measures: SessionMeasures) -> Strength | None:
    share = measures.talk[CLIENT].value
    if share is None or share <= 50:
        return None
    return Strength("client_share", f"The client had most of the talk time: {share:.0f}%.")


def _long_talk(tape: _TapeCounts) -> Strength | None:
    """Return the longest stretch in which the client held the floor; the interviewer's backchannels do not end it."""
    if not has_times(tape.table) or tape.table.empty:
        return None
    backchannel = backchannel_rows(tape.table)
    starts, ends = (tape.table[column].to_numpy(dtype=np.int64) for column in ("start", "end"))
    longest, first, since = 0, -1, -1
    for row, role in enumerate(tape.roles):
        if role == CLIENT:
            since = row if since < 0 else since
            if ends[row] - starts[since] > longest:
                longest, first = int(ends[row] - starts[since]), since
        elif not (role == INTERVIEWER and backchannel[row]):
            since = -1
    if longest < LONG_TALK_MS:
        return None
    text = f"The client had room to speak: up to {round(longest / 1000)} seconds at a stretch."
    return Strength("long_talk", text, ((first,),))


def _listening(tape: _TapeCounts) -> Strength | None:
    rows = zip(tape.roles, backchannel_rows(tape.table), strict=True)
    number = sum(backchannel for role, backchannel in rows if role == INTERVIEWER)
    if not number:
        return None
    signs = "signs" if number > 1 else "sign"
    return Strength("listening", f'{number} small {signs} of listening ("mm-hm") accompanied the client\'s words.')


def _or(kinds: Sequence[str]) -> str:
    """ "a reflection, an affirmation or an open question"."""
    return " or ".join((", ".join(kinds[:-1]), kinds[-1])) if kinds[1:] else "".join(kinds)


def _times(number: int) -> str:
    return {1: "Once", 2: "Twice"}.get(number, f"{number} times")
