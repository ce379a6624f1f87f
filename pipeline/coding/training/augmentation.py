"""Training sessions as a recognizer and a segmenter may return them: unpunctuated, with word noise, by sentence.

Of a turn that is split into its sentences, the hand codes tell what some sentence of it holds. What the turn does not
hold, none of its sentences holds. A question is where a question mark is. All else is unknown per sentence, and is not
trained on.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pipeline.coding.inference.classifier import DECISIONS, MAIN_BEHAVIORS, NETWORK_OUTPUTS
from pipeline.coding.inference.context_windows import WindowTokenizer
from pipeline.coding.inference.features import strip_punctuation

SENTENCE_SHARE = 0.15
"""Share of sessions that are split into single sentences."""
UNPUNCTUATED_SHARE, WORD_NOISE_RANGE = 0.4, (0.25, 0.65)
"""Share of sessions without punctuation; those between the two numbers have word noise (some have both)."""
DELETION_RATE, FILLER_RATE = 0.02, 0.015
"""Share of words that are deleted and before which a filler is inserted, in sessions with word noise."""
FILLERS = ("um", "uh", "you know", "i mean", "like", "well", "so", "yeah")

WordNoise = Callable[[str, np.random.Generator], str]
"""Returns a text with random changes of its words."""
ExampleWindow = tuple[tuple[int, ...], list[tuple[tuple[int, ...], "Example"]]]
"""The word pieces that open a window, and the word pieces and the example of each of its utterances."""

_SENTENCE = re.compile(r"(?<=[.?!])\s+(?=\S)")
_QUESTION, _OPEN, _REFLECTION, _COMPLEX, _INFORMATION, _CLIENT, _CHANGE = range(len(DECISIONS))


@dataclass(frozen=True)
class Example:
    """An utterance with its labels: the decisions' answers (NaN: unknown), the main behavior (-1: unknown), the coder.

    ``soft_labels`` are the scores of a larger network (`pipeline.coding.training.distillation`), NaN where unknown.
    """

    text: str
    answers: NDArray[np.float64]
    main: int
    annotator: int
    soft_labels: NDArray[np.float64]


def examples(table: pd.DataFrame, soft_labels: NDArray[np.float64] | None = None) -> list[Example]:
    """Return an example per row of AnnoMI (`pipeline.coding.training.data`), with the rows' soft labels."""
    if soft_labels is None:
        soft_labels = np.full((len(table), NETWORK_OUTPUTS), np.nan)
    answers = table[list(DECISIONS)].to_numpy(dtype=float)
    columns = (table["text"], answers, table["main"], table["annotator"], soft_labels)
    return [
        Example(text, answer, MAIN_BEHAVIORS.index(main) if main in MAIN_BEHAVIORS else -1, annotator, scores)
        for text, answer, main, annotator, scores in zip(*columns, strict=True)
    ]


def word_noise(text: str, generator: np.random.Generator) -> str:
    """Return a text with some words deleted and some fillers inserted."""
    words = []
    for word in text.split():
        drawn = generator.random()
        if drawn < DELETION_RATE:
            continue
        if drawn < DELETION_RATE + FILLER_RATE:
            words.append(FILLERS[int(generator.integers(len(FILLERS)))])
        words.append(word)
    return " ".join(words) or text


def augmented_windows(
    table: pd.DataFrame,
    tokenizer: WindowTokenizer,
    generator: np.random.Generator,
    add_noise: WordNoise = word_noise,
    soft_labels: NDArray[np.float64] | None = None,
) -> Iterator[ExampleWindow]:
    """Yield each session's windows, augmented at random.

    ``add_noise`` changes the words of utterances in sessions with word noise.
    The first window of a session has a random length, so that windows end elsewhere in each epoch.
    """
    row_examples = examples(table, soft_labels)
    for rows in table.groupby("tape_id", sort=False).indices.values():
        opening = tokenizer.opening(table["target_behavior"].iloc[rows[0]])
        kind, by_sentence = generator.random(), generator.random() < SENTENCE_SHARE
        room = int(generator.integers(tokenizer.size // 3, tokenizer.size)) - len(opening)
        window: list[tuple[tuple[int, ...], Example]] = []
        used = 0
        for row in rows:
            for example in split_sentences(row_examples[row]) if by_sentence else [row_examples[row]]:
                text = example.text
                if kind < UNPUNCTUATED_SHARE:
                    text = strip_punctuation(text) or text
                if WORD_NOISE_RANGE[0] < kind < WORD_NOISE_RANGE[1]:
                    text = add_noise(text, generator)
                pieces = tokenizer.utterance(table["role"].iloc[row], text)
                if window and used + len(pieces) > room:
                    yield opening, window
                    window, used, room = [], 0, tokenizer.size - len(opening)
                window.append((pieces, example))
                used += len(pieces)
        yield opening, window


def split_sentences(example: Example) -> list[Example]:
    """Return an example per sentence, with the labels known for it; soft labels are of whole turns, so it has none."""
    texts = _SENTENCE.split(example.text)
    if len(texts) < 2:
        return [example]
    unknown = np.full_like(example.soft_labels, np.nan)
    return [
        replace(example, text=text, answers=_sentence_answers(text, texts, example), main=-1, soft_labels=unknown)
        for text in texts
    ]


def _sentence_answers(text: str, texts: list[str], example: Example) -> NDArray[np.float64]:
    answers = example.answers.copy()
    turn_answers = example.answers
    if turn_answers[_QUESTION] == 1:
        answers[_QUESTION] = float("?" in text) if "?" in example.text else np.nan
    for decision in (_REFLECTION, _INFORMATION, _CLIENT):
        if turn_answers[decision] == 1:
            answers[decision] = np.nan
    # A turn of two sentences that reflects and asks: the one that does not ask reflects.
    two = len(texts) == 2 and turn_answers[_REFLECTION] == 1 and turn_answers[_INFORMATION] != 1
    if two and answers[_QUESTION] == 0 and turn_answers[_QUESTION] == 1:
        answers[_REFLECTION] = 1
    for decision, depends in ((_OPEN, _QUESTION), (_COMPLEX, _REFLECTION), (_CHANGE, _CLIENT)):
        if answers[depends] != 1:
            answers[decision] = np.nan
    return answers
