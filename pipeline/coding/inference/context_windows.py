"""The network's inputs: windows of word pieces that hold as many consecutive utterances as fit.

A window opens with the target behavior; each utterance follows with its speaker's role before it and a mark after it::

    <s> walking more </s> client i want to walk more . </s> therapist so you want to . </s> client but it rains . </s>

All utterances of a window are coded at once, and the network attends to the whole window for each. Windows overlap, and
an utterance is coded in the window that holds enough of the speech before and after it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

WINDOW_PIECES = 320
"""Word pieces of a window."""
MIN_PIECES_BEFORE, MIN_PIECES_AFTER = 96, 48
"""Least number of word pieces before and after a coded utterance, where the session has as many."""
MAX_UTTERANCE_PIECES = 128
"""Most word pieces of an utterance; of a longer one, the middle is left out."""
MAX_LEADING_PIECES = 56
"""Word pieces that are read from the start of a longer utterance; the others are from its end."""
MAX_TARGET_PIECES = 12
"""Most word pieces of a target behavior."""

ROLE_WORDS = {"interviewer": "therapist", "client": "client"}
"""Role -> the word that stands for it, one of the encoder's vocabulary; any other role is `OTHER_ROLE_WORD`."""
OTHER_ROLE_WORD = "someone"
_MARKS = ("<s>", "</s>", "<pad>", "<mask>")


@dataclass(frozen=True)
class PieceRange:
    """An utterance in a window: its role's piece, its own pieces and the mark, from ``start`` to before ``end``."""

    row: int
    start: int
    end: int


@dataclass(frozen=True)
class ContextWindow:
    """Word pieces, and the ranges of the utterances among them that are to be coded."""

    pieces: tuple[int, ...]
    utterances: tuple[PieceRange, ...]


class WindowTokenizer:
    """Turns texts into word pieces, with the size of a window and of its context in word pieces.

    Parameters
    ----------
    tokenizer: the text of a ``tokenizer.json`` file.

    Raises
    ------
    ValueError: the text is no tokenizer, or the tokenizer lacks a piece that windows need.
    """

    size, before, after = WINDOW_PIECES, MIN_PIECES_BEFORE, MIN_PIECES_AFTER

    def __init__(self, tokenizer: str) -> None:
        from tokenizers import Tokenizer

        try:
            self._tokenizer = Tokenizer.from_str(tokenizer)
        except Exception as error:  # the library raises bare exceptions
            raise ValueError(f"no tokenizer ({error})") from error
        self._tokenizer.no_padding()
        self._tokenizer.no_truncation()
        vocabulary = self._tokenizer.get_vocab()
        lacking = sorted({*_MARKS, *ROLE_WORDS.values(), OTHER_ROLE_WORD} - set(vocabulary))
        if lacking:
            raise ValueError(f"a tokenizer without {lacking[0]!r}")
        self.start, self.end, self.pad, self.mask = (vocabulary[name] for name in _MARKS)
        self._roles = {role: vocabulary[word] for role, word in ROLE_WORDS.items()}
        self._other_role = vocabulary[OTHER_ROLE_WORD]
        self._cache: dict[str, tuple[int, ...]] = {}

    def opening(self, target: str) -> tuple[int, ...]:
        """Return the pieces that open a window: the start mark, the target behavior and an end mark."""
        return (self.start, *self._pieces(target)[:MAX_TARGET_PIECES], self.end)

    def utterance(self, role: str, text: str) -> tuple[int, ...]:
        """Return the pieces of an utterance: its role, its text and an end mark."""
        return (self._roles.get(role, self._other_role), *self._pieces(text), self.end)

    def _pieces(self, text: str) -> tuple[int, ...]:
        if text not in self._cache:
            pieces = self._tokenizer.encode(text, add_special_tokens=False).ids
            if len(pieces) > MAX_UTTERANCE_PIECES:
                pieces = pieces[:MAX_LEADING_PIECES] + pieces[MAX_LEADING_PIECES - MAX_UTTERANCE_PIECES :]
            self._cache[text] = tuple(pieces)
        return self._cache[text]


def context_windows(table: pd.DataFrame, tokenizer: WindowTokenizer) -> Iterator[ContextWindow]:
    """Yield the windows of one or several transcripts; every row is coded in exactly one.

    Parameters
    ----------
    table: ``tape_id, role, text, target_behavior``; the rows of a tape are in speaking order.
    """
    roles, texts, targets = (table[name].to_numpy(dtype=object) for name in ("role", "text", "target_behavior"))
    for rows in map(np.asarray, table.groupby("tape_id", sort=False).indices.values()):
        opening = tokenizer.opening(targets[rows[0]])
        utterances = [tokenizer.utterance(roles[row], texts[row]) for row in rows]
        sizes = [len(pieces) for pieces in utterances]
        room = tokenizer.size - len(opening)
        for first, last, coded in window_bounds(sizes, room, tokenizer.before, tokenizer.after):
            yield build_window(opening, utterances[first:last], rows[first:last], coded[0] - first, coded[1] - first)


def build_window(
    opening: tuple[int, ...],
    utterances: Sequence[tuple[int, ...]],
    rows: NDArray[np.intp],
    first: int = 0,
    last: int = 1 << 30,
) -> ContextWindow:
    """Return the window of some utterances' pieces, of which those from ``first`` to before ``last`` are coded."""
    pieces = list(opening)
    coded = []
    for number, (row, utterance) in enumerate(zip(rows, utterances, strict=True)):
        if first <= number < last:
            coded.append(PieceRange(int(row), len(pieces), len(pieces) + len(utterance)))
        pieces += utterance
    return ContextWindow(tuple(pieces), tuple(coded))


def window_bounds(
    sizes: Sequence[int], room: int, min_before: int = MIN_PIECES_BEFORE, min_after: int = MIN_PIECES_AFTER
) -> Iterator[tuple[int, int, tuple[int, int]]]:
    """Yield the first and last utterance of each window, and of those that are coded in it; "last" is one beyond.

    Parameters
    ----------
    sizes: word pieces of each utterance.
    room: word pieces that a window has for utterances.
    min_before, min_after: word pieces of context that a coded utterance has at least.
    """
    coded = 0
    while coded < len(sizes):
        first, before = coded, 0
        while first > 0 and before + sizes[first - 1] <= min_before:
            first -= 1
            before += sizes[first]
        last, used = first, 0
        while last < len(sizes) and (used + sizes[last] <= room or last <= coded):
            used += sizes[last]
            last += 1
        end, after = last, 0
        if last < len(sizes):
            while end - 1 > coded and after < min_after:
                end -= 1
                after += sizes[end]
        yield first, last, (coded, end)
        coded = end
