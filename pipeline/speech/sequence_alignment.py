"""Global alignment of the words of two texts (Needleman and Wunsch 1970, gaps as in Gotoh 1982).

::

    written      so  what  would  you  like  to change
    recognized   so  what  did    you        to change   (today)
    pairs        0-0 1-1          3-3        5-4 6-5

A gap costs the same however long it is, and nothing at either end, so that a part that only one of the two holds stays
in one piece, and words that both happen to hold ("okay") do not scatter over it. A pair far from every other is chance,
and none.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

_MATCH, _DIFFERENT, _GAP = 2, -1, -2
"""Scores of an aligned pair of equal words, of different words, and of a gap in either sequence."""

FAR = 5
"""Words of a gap beyond which a single pair is chance."""

_LOW = -(1 << 29)  # lower than every score, and far from an overflow when costs are added
_PAIR, _SKIP_FIRST, _SKIP_SECOND, _OPEN_FIRST, _OPEN_SECOND = 1, 2, 4, 8, 16  # bits of a move


def pairs(first: Sequence[str], second: Sequence[str]) -> list[tuple[int, int]]:
    """Return the indices of equal words that belong together, rising on both sides; an empty word is equal to none.

    Takes a byte per pair of words, and time in proportion.
    """
    aligned = [(at, other) for at, other in _aligned(first, second) if first[at] and first[at] == second[other]]
    return _without_chance(aligned, len(first), len(second))


def _aligned(first: Sequence[str], second: Sequence[str]) -> Iterator[tuple[int, int]]:
    """The pairs of the best alignment, equal or not, in order."""
    if not first or not second:
        return iter(())
    moves, (row, column) = _moves(first, second)
    aligned: list[tuple[int, int]] = []
    inside = 0
    while row and column:
        move = int(moves[row, column])
        if inside == 0:
            inside = next(state for state in (_PAIR, _SKIP_FIRST, _SKIP_SECOND) if move & state)
        if inside == _PAIR:
            row, column, inside = row - 1, column - 1, 0
            aligned.append((row, column))
        elif inside == _SKIP_FIRST:
            row, inside = row - 1, 0 if move & _OPEN_FIRST else _SKIP_FIRST
        else:
            column, inside = column - 1, 0 if move & _OPEN_SECOND else _SKIP_SECOND
    return reversed(aligned)


def _moves(first: Sequence[str], second: Sequence[str]) -> tuple[NDArray[np.uint8], tuple[int, int]]:
    """For each pair of prefixes by which moves the best alignment may end, as bits: (len(first) + 1, len(second) + 1).

    With it the prefixes behind which only an end of one sequence is left in the best alignment of all.
    """
    numbers = {word: number for number, word in enumerate(dict.fromkeys((*first, *second)))}
    numbers[""] = -1
    words = np.array([numbers[word] for word in second], dtype=np.int64)
    size = len(second) + 1
    moves = np.zeros((len(first) + 1, size), dtype=np.uint8)
    best = np.zeros(size, dtype=np.int64)
    last_column = [0]
    down = np.full(size, _LOW, dtype=np.int64)  # ends with words of the first sequence alone
    for row, word in enumerate(first, 1):
        opened = best + _GAP
        open_first = opened >= down
        down = np.maximum(opened, down)
        score = np.where(words == numbers[word], _MATCH, _DIFFERENT) if word else np.full(size - 1, _DIFFERENT)
        diagonal = np.concatenate(([0], best[:-1] + score))
        without = np.maximum(diagonal, down)
        before = np.concatenate(([_LOW], np.maximum.accumulate(without)[:-1]))
        across = before + _GAP  # ends with words of the second sequence alone; never opened behind such an end
        open_second = np.concatenate(([False], without[:-1] == before[1:]))
        best = np.maximum(without, across)
        moves[row] = (
            (diagonal == best) * _PAIR
            | (down == best) * _SKIP_FIRST
            | (across == best) * _SKIP_SECOND
            | open_first * _OPEN_FIRST
            | open_second * _OPEN_SECOND
        ).astype(np.uint8)
        last_column.append(int(best[-1]))
    row, column = int(np.argmax(last_column)), int(np.argmax(best))
    return moves, (row, size - 1) if last_column[row] > best[column] else (len(first), column)


def _without_chance(aligned: Sequence[tuple[int, int]], first: int, second: int) -> list[tuple[int, int]]:
    """The pairs that have another, or an end of both sequences, within `FAR` words on both sides."""
    edges = [(-1, -1), *aligned, (first, second)]
    near = [max(after[0] - before[0], after[1] - before[1]) <= FAR for before, after in pairwise(edges)]
    return [pair for at, pair in enumerate(aligned) if near[at] or near[at + 1]]
