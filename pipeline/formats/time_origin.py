"""The zero from which the times of a file count: a moment of the recording.

A tape is a segment of a recording, and its times count from the segment's start; a coach may code the whole recording.
So every file of ours says where its zero lies, in a sentence that people read as well as programs, wherever its format
has a place for a remark. Where the recording is made of several files, the sentence says where each of them begins:

>>> sentence(30_000)
'time 0 is 30.000 s into the recording'
>>> parse("NOTE time 0 is 30.000 s into the recording")
30000
>>> sentence(Zero(30_000, (0, 754_200)))
'time 0 is 30.000 s into the recording, in which file 1 begins at 0.000 s and file 2 at 754.200 s'
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from pipeline.timeline import to_ms, to_seconds

_SENTENCE = re.compile(r"\btime 0 is (\d{1,6}\.\d{3}) s into the recording\b(, in which file 1 begins at [^;\n]*)?")
_BEGINS = re.compile(r"\bfile \d+ (?:begins )?at (\d{1,6}\.\d{3}) s")


class Zero(int):
    """A zero in milliseconds of a recording that is made of several files; ``begins`` says where each begins in it."""

    begins: tuple[int, ...]

    def __new__(cls, at: int, begins: Sequence[int] = ()) -> Zero:
        """Return the zero; it counts like any other number of milliseconds."""
        zero = super().__new__(cls, at)
        zero.begins = tuple(begins)
        return zero


def sentence(zero: int) -> str:
    """The sentence for a zero, in milliseconds of the recording."""
    counted = f"time 0 is {to_seconds(zero)} s into the recording"
    begins = zero.begins if isinstance(zero, Zero) else ()
    if len(begins) < 2:
        return counted
    first, *middle, last = (f"file {number} at {to_seconds(at)} s" for number, at in enumerate(begins, 1))
    listed = ", ".join([first.replace(" at ", " begins at "), *middle])
    return f"{counted}, in which {listed} and {last}"


def parse(text: object) -> int | None:
    """The zero that a text names, in milliseconds of the recording, a `Zero` where it names files; None without one."""
    match = _SENTENCE.search(text) if isinstance(text, str) else None
    if match is None:
        return None
    at, begins = to_ms(float(match[1])), [to_ms(float(begin)) for begin in _BEGINS.findall(match[2] or "")]
    return Zero(at, begins) if begins else at
