"""Times of day as people write them: "10:30" where the recognizer wrote "10.30" or "1030"."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from pipeline.lexicon import plain
from pipeline.timeline import Word

_DIGITS = re.compile(r"(1[0-2]|[1-9])\.?([0-5][0-9])([.,;:?!]*)")
_BEFORE = frozenset({"at", "by", "until", "till", "around", "from", "after", "before", "past", "about"})
_AFTER = re.compile(
    r"(a\.?m|p\.?m)\b|o'clock|tonight|in the (morning|afternoon|evening)|at (night|noon)", re.IGNORECASE
)


def written_as_times(words: Sequence[Word]) -> tuple[Word, ...]:
    """Return the words with times of day in their usual form; all others as they are.

    A number is a time only where the words around it say so: "at 10.30 in the morning", "until 1030 p.m.".
    """
    texts = [word.text for word in words]
    return tuple(replace(word, text=_time(texts, at)) for at, word in enumerate(words))


def _time(texts: Sequence[str], at: int) -> str:
    match = _DIGITS.fullmatch(texts[at])
    if (
        not match
        or at == 0
        or plain(texts[at - 1]) not in _BEFORE
        or not _AFTER.match(" ".join(texts[at + 1 : at + 4]))
    ):
        return texts[at]
    hour, minute, marks = match.groups()
    return f"{hour}:{minute}{marks}"
