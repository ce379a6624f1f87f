"""Training sessions as a recognizer and a segmenter may hand them on: without marks, with slips, in single sentences.

Of a turn that is parted into its sentences, the hand codes say what it holds somewhere. What it does not hold, no
sentence holds. A question is where a question mark is. For all else nobody said which sentence it is, and that is not
learned from.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pipeline.coding.inference.classifier import DECISIONS, MAIN, OUTPUTS
from pipeline.coding.inference.context_windows import Reader
from pipeline.coding.inference.features import bare

PARTED = 0.15
"""Share of sessions that are read in single sentences."""
UNMARKED, SLIPPING = 0.4, (0.25, 0.65)
"""Share of sessions without punctuation; those between the two numbers have slips (some have both)."""
LOST, FILLED = 0.02, 0.015
"""Share of words that are left out and before which a filler is put, in sessions with slips."""
FILLERS = ("um", "uh", "you know", "i mean", "like", "well", "so", "yeah")

Slipping = Callable[[str, np.random.Generator], str]
Said = tuple[tuple[int, ...], list[tuple[tuple[int, ...], "Lesson"]]]
"""What opens a window, and its utterances with their lessons."""

_SENTENCE = re.compile(r"(?<=[.?!])\s+(?=\S)")
_QUESTION, _OPEN, _REFLECTION, _COMPLEX, _INFORMATION, _CLIENT, _CHANGE = range(len(DECISIONS))


@dataclass(frozen=True)
class Lesson:
    """An utterance with what is learned from it: answers (NaN: nothing), the main behavior (-1: nothing), by whom.

    ``taught`` is what a teacher answered, as the network's scores are (`pipeline.coding.training.distillation`), NaN
    where nothing.
    """

    text: str
    answers: NDArray[np.float64]
    main: int
    annotator: int
    taught: NDArray[np.float64]


def lessons(table: pd.DataFrame, taught: NDArray[np.float64] | None = None) -> list[Lesson]:
    """A lesson a row of AnnoMI (`pipeline.coding.training.data`), with a teacher's scores of the rows."""
    untaught = np.full((len(table), OUTPUTS), np.nan)
    answers = table[list(DECISIONS)].to_numpy(dtype=float)
    return [
        Lesson(text, answer, MAIN.index(main) if main in MAIN else -1, annotator, scores)
        for text, answer, main, annotator, scores in zip(
            table["text"],
            answers,
            table["main"],
            table["annotator"],
            untaught if taught is None else taught,
            strict=True,
        )
    ]


def slips(text: str, generator: np.random.Generator) -> str:
    """A text with some words left out and some fillers put in."""
    said = []
    for word in text.split():
        chance = generator.random()
        if chance < LOST:
            continue
        if chance < LOST + FILLED:
            said.append(FILLERS[int(generator.integers(len(FILLERS)))])
        said.append(word)
    return " ".join(said) or text


def spoiled(
    table: pd.DataFrame,
    reader: Reader,
    generator: np.random.Generator,
    slipping: Slipping = slips,
    taught: NDArray[np.float64] | None = None,
) -> Iterator[Said]:
    """Each session's windows, spoiled at random.

    ``slipping`` is what happens to the words of an utterance in a session with slips.
    The first window of a session is cut short at random, so that windows part elsewhere each time.
    """
    every = lessons(table, taught)
    for rows in table.groupby("tape_id", sort=False).indices.values():
        opening = reader.opening(table["target_behavior"].iloc[rows[0]])
        kind, parted = generator.random(), generator.random() < PARTED
        room = int(generator.integers(reader.size // 3, reader.size)) - len(opening)
        held: list[tuple[tuple[int, ...], Lesson]] = []
        used = 0
        for row in rows:
            for lesson in sentences(every[row]) if parted else [every[row]]:
                text = (bare(lesson.text) or lesson.text) if kind < UNMARKED else lesson.text
                if SLIPPING[0] < kind < SLIPPING[1]:
                    text = slipping(text, generator)
                pieces = reader.utterance(table["role"].iloc[row], text)
                if held and used + len(pieces) > room:
                    yield opening, held
                    held, used, room = [], 0, reader.size - len(opening)
                held.append((pieces, lesson))
                used += len(pieces)
        yield opening, held


def sentences(lesson: Lesson) -> list[Lesson]:
    """A lesson's sentences, each with what is known of it; a teacher heard the turn as a whole."""
    parts = _SENTENCE.split(lesson.text)
    if len(parts) < 2:
        return [lesson]
    none = np.full_like(lesson.taught, np.nan)
    return [replace(lesson, text=part, answers=_of_part(part, parts, lesson), main=-1, taught=none) for part in parts]


def _of_part(part: str, parts: list[str], lesson: Lesson) -> NDArray[np.float64]:
    answers = lesson.answers.copy()
    given = lesson.answers
    if given[_QUESTION] == 1:
        answers[_QUESTION] = float("?" in part) if "?" in lesson.text else np.nan
    for decision in (_REFLECTION, _INFORMATION, _CLIENT):
        if given[decision] == 1:
            answers[decision] = np.nan
    # A turn of two sentences that reflects and asks: the one that does not ask reflects.
    two = len(parts) == 2 and given[_REFLECTION] == 1 and given[_INFORMATION] != 1
    if two and answers[_QUESTION] == 0 and given[_QUESTION] == 1:
        answers[_REFLECTION] = 1
    for decision, depends in ((_OPEN, _QUESTION), (_COMPLEX, _REFLECTION), (_CHANGE, _CLIENT)):
        if answers[depends] != 1:
            answers[decision] = np.nan
    return answers
