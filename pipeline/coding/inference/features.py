"""Features of an utterance in its session for the tagger's linear model: terms and hand-made features.

The neighbors of an utterance are the stretches of the other role's speech just before and just after it, so that they
are the same whether the transcript's units are turns or sentences::

    client       I want to walk more.   \\_ before                      Maybe on Sundays. -- after
    client       But it rains a lot.    /
    interviewer                           So you want to, and the rain stops you. When could you?

Rows of an unknown role are no neighbors.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pipeline.lexicon import BACKCHANNELS, CONJUNCTIONS, FILLERS, asks, is_backchannel

Matrix = NDArray[np.float32]

_WORD = re.compile(r"[^\W_]+(?:'[^\W_]+)*|\?")
_LEADING_WORDS = FILLERS | CONJUNCTIONS | BACKCHANNELS
"""Words that may stand before an utterance's opening word."""

_OPENINGS = (
    *("what", "how", "why", "tell", "when", "where", "who", "you", "you're", "it", "it's", "that", "i", "we"),
    *("do", "does", "did", "are", "is", "was", "have", "can", "could", "would", "will"),
)
_PHRASES = tuple(
    re.compile(pattern)
    for pattern in (
        r"\b(sounds?|seems?|looks?|feels?) like\b",
        r"\bit (sounds|seems)\b",
        r"\byou(r|'re|'ve|'d)?\b",
        r"\byou(r|'re|'ve|'d)? (feel|feeling|want|know|think|see|like|need|don't|really)\b",
        r"\b(i|i'm|i've|i'd|my|me)\b",
        r"\bon (the )?one hand\b|\bat the same time\b|\bpart of you\b",
        r"\bi hear\b|\bhearing\b|\bif i understand\b|\bin other words\b|\bwhat you're saying\b|\blet me see if\b",
        r"\b(right|okay|correct)\?|n't (you|it|that|they)\b\??$|\bis that (right|it|correct)\b",
        r"\btell me\b|\bdescribe\b|\bwalk me through\b|\bwhat else\b",
        r"\b(can|could|would|will|do|did|are|have|were) you\b",
        r"\b(should|recommend|suggest|important to|need to|have to|try to)\b",
        r"\b(percent|research|study|studies|people|risk|risks|shows?|doctor|drinks)\b",
        r"\b(or|not)\b",
        r"\b(can't|don't|won't|not|never|hard|but)\b",
        r"\b(want|wanna|could|will|going to|gonna|need|should|try|tried|started|stopped|ready)\b",
    )
)


def normalize(text: object) -> str:
    """Return a text in lower case with straight quotes and single blanks; empty for a missing text."""
    return "" if not isinstance(text, str) else " ".join(text.lower().replace("’", "'").split())


def strip_punctuation(text: str) -> str:
    """Return a text in lower case without punctuation, as some speech recognizers write it."""
    return " ".join(word for word in _WORD.findall(normalize(text)) if word != "?")


def lexical_terms(text: str) -> str:
    """Return the terms of a text, separated by blanks: words, word pairs, and the first and last words marked as such.

    >>> lexical_terms("How was it?")
    'how was it ? ^how ^was ^it ^? ^how_was ^how_was_it it$ ?$ how_was was_it it_?'
    """
    words = _WORD.findall(normalize(text))
    first = [f"^{word}" for word in words[:4]] + ["^" + "_".join(words[:length]) for length in (2, 3)]
    last = [f"{word}$" for word in words[-2:]]
    return " ".join([*words, *first, *last, *(f"{word}_{following}" for word, following in pairwise(words))])


@dataclass(frozen=True)
class Neighbors:
    """For each row, the rows of the other role's speech just before and just after its own role's stretch."""

    before: tuple[tuple[int, ...], ...]
    after: tuple[tuple[int, ...], ...]
    position: Matrix  # (rows,), 0 at the start of the tape to 1 at its end

    @classmethod
    def of(cls, table: pd.DataFrame) -> Neighbors:
        """Find the neighbors from ``tape_id`` and ``role``; rows of a tape are in speaking order."""
        roles = table["role"].to_numpy(dtype=object)
        before: list[tuple[int, ...]] = [()] * len(table)
        after: list[tuple[int, ...]] = [()] * len(table)
        position = np.zeros(len(table), dtype=np.float32)
        for rows in table.groupby("tape_id", sort=False).indices.values():
            position[rows] = np.arange(len(rows)) / max(1, len(rows) - 1)
            stretches: list[list[int]] = []
            for row in (int(row) for row in rows if roles[row] in ("interviewer", "client")):
                if stretches and roles[stretches[-1][0]] == roles[row]:
                    stretches[-1].append(row)
                else:
                    stretches.append([row])
            for earlier, later in pairwise(stretches):
                for row in later:
                    before[row] = tuple(earlier)
                for row in earlier:
                    after[row] = tuple(later)
        return cls(tuple(before), tuple(after), position)


def handmade_features(table: pd.DataFrame, neighbors: Neighbors) -> Matrix:
    """Return hand-made features, shape (rows, features), each about 0 to 1."""
    words = [_WORD.findall(normalize(text)) for text in table["text"]]
    targets = {target: set(_WORD.findall(normalize(target))) for target in table["target_behavior"].unique()}
    rows = [
        [
            *_text_features(normalize(text), words[row]),
            *_neighbor_features(
                words[row], _words_of_rows(words, neighbors.before[row]), _words_of_rows(words, neighbors.after[row])
            ),
            bool(targets[target] & set(words[row])),
            neighbors.position[row],
            role == "interviewer",
        ]
        for row, (text, target, role) in enumerate(
            zip(table["text"], table["target_behavior"], table["role"], strict=True)
        )
    ]
    return np.array(rows, dtype=np.float32)


def _words_of_rows(words: list[list[str]], rows: tuple[int, ...]) -> list[str]:
    return [word for row in rows for word in words[row]]


def _text_features(text: str, words: list[str]) -> list[float]:
    opening = next((word for word in words if word not in _LEADING_WORDS), "")
    size = len(words)
    return [
        np.log1p(size) / 3,
        *(float(size <= limit) for limit in (2, 5, 25)),
        text.endswith("?"),
        "?" in text,
        asks(text.split()),
        is_backchannel(text.split()),
        *(float(opening == word) for word in _OPENINGS),
        *(float(bool(phrase.search(text))) for phrase in _PHRASES),
    ]


def _neighbor_features(words: list[str], before: list[str], after: list[str]) -> list[float]:
    distinct = set(words)
    return [
        len(distinct & set(before)) / max(1, len(distinct)),
        np.log1p(len(before)) / 3,
        before[-1:] == ["?"],
        np.log1p(len(after)) / 3,
        0 < len(after) <= 2,
    ]
