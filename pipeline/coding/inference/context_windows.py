"""A session as the network reads it: windows of word pieces that hold as many utterances in a row as fit.

A window opens with the target behavior; each utterance follows with its speaker's role before it and a mark after it::

    <s> walking more </s> client i want to walk more . </s> therapist so you want to . </s> client but it rains . </s>

All utterances of a window are coded at once, each in sight of all others. Windows overlap, and an utterance is coded in
the one that shows enough of what comes before and after it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

SIZE = 320
"""Word pieces of a window."""
BEFORE, AFTER = 96, 48
"""Word pieces that an utterance sees at least of what comes before and after it, where there are so many."""
LONGEST = 128
"""Word pieces of an utterance that are read; of a longer one, the start and the end."""
START_OF_LONGEST = 56
TARGET = 12
"""Word pieces of a target behavior that are read."""

ROLES = {"interviewer": "therapist", "client": "client"}
"""How a role is told: words that the encoder knows; any other role is `SOMEONE`."""
SOMEONE = "someone"
_MARKS = ("<s>", "</s>", "<pad>", "<mask>")


@dataclass(frozen=True)
class Span:
    """An utterance in a window: its role's piece, its own pieces and the mark, from ``start`` to before ``end``."""

    row: int
    start: int
    end: int


@dataclass(frozen=True)
class Window:
    """Word pieces, and where the utterances that are to be coded lie among them."""

    pieces: tuple[int, ...]
    spans: tuple[Span, ...]


class Reader:
    """Texts to word pieces, by a tokenizer as the text of its file; how long a window is, and what it shows around.

    Raises
    ------
    ValueError: it is none, or it lacks a piece that windows need.
    """

    size, before, after = SIZE, BEFORE, AFTER

    def __init__(self, tokenizer: str) -> None:
        from tokenizers import Tokenizer

        try:
            self._tokenizer = Tokenizer.from_str(tokenizer)
        except Exception as error:  # the library raises bare exceptions
            raise ValueError(f"no tokenizer ({error})") from error
        self._tokenizer.no_padding()
        self._tokenizer.no_truncation()
        known = self._tokenizer.get_vocab()
        lacking = sorted({*_MARKS, *ROLES.values(), SOMEONE} - set(known))
        if lacking:
            raise ValueError(f"a tokenizer without {lacking[0]!r}")
        self.start, self.end, self.pad, self.mask = (known[name] for name in _MARKS)
        self._roles = {role: known[word] for role, word in ROLES.items()}
        self._someone = known[SOMEONE]
        self._known: dict[str, tuple[int, ...]] = {}

    def opening(self, target: str) -> tuple[int, ...]:
        """What a window starts with."""
        return (self.start, *self._pieces(target)[:TARGET], self.end)

    def utterance(self, role: str, text: str) -> tuple[int, ...]:
        """An utterance between its role and the mark."""
        return (self._roles.get(role, self._someone), *self._pieces(text), self.end)

    def _pieces(self, text: str) -> tuple[int, ...]:
        if text not in self._known:
            found = self._tokenizer.encode(text, add_special_tokens=False).ids
            if len(found) > LONGEST:
                found = found[:START_OF_LONGEST] + found[START_OF_LONGEST - LONGEST :]
            self._known[text] = tuple(found)
        return self._known[text]


def windows(table: pd.DataFrame, reader: Reader) -> Iterator[Window]:
    """The windows of one or several transcripts; every row is coded in exactly one.

    Parameters
    ----------
    table: ``tape_id, role, text, target_behavior``; the rows of a tape are in speaking order.
    """
    roles, texts, targets = (table[name].to_numpy(dtype=object) for name in ("role", "text", "target_behavior"))
    for rows in map(np.asarray, table.groupby("tape_id", sort=False).indices.values()):
        opening = reader.opening(targets[rows[0]])
        said = [reader.utterance(roles[row], texts[row]) for row in rows]
        sizes = [len(pieces) for pieces in said]
        for first, last, coded in stretches(sizes, reader.size - len(opening), reader.before, reader.after):
            yield window(opening, said[first:last], rows[first:last], coded[0] - first, coded[1] - first)


def window(
    opening: tuple[int, ...],
    said: Sequence[tuple[int, ...]],
    rows: NDArray[np.intp],
    first: int = 0,
    last: int = 1 << 30,
) -> Window:
    """One window of some utterances, of which those from ``first`` to before ``last`` are to be coded."""
    pieces = list(opening)
    spans = []
    for number, (row, own) in enumerate(zip(rows, said, strict=True)):
        if first <= number < last:
            spans.append(Span(int(row), len(pieces), len(pieces) + len(own)))
        pieces += own
    return Window(tuple(pieces), tuple(spans))


def stretches(
    sizes: Sequence[int], room: int, seen_before: int = BEFORE, seen_after: int = AFTER
) -> Iterator[tuple[int, int, tuple[int, int]]]:
    """First and last utterance of each window, and of those that are coded in it; "last" is one beyond."""
    coded = 0
    while coded < len(sizes):
        first, before = coded, 0
        while first > 0 and before + sizes[first - 1] <= seen_before:
            first -= 1
            before += sizes[first]
        last, used = first, 0
        while last < len(sizes) and (used + sizes[last] <= room or last <= coded):
            used += sizes[last]
            last += 1
        end, after = last, 0
        if last < len(sizes):
            while end - 1 > coded and after < seen_after:
                end -= 1
                after += sizes[end]
        yield first, last, (coded, end)
        coded = end
