"""The zero from which the times of a file count: a moment of the recording.

A tape is a segment of a recording, and its times count from the segment's start; a coach may code the whole recording.
So every file of ours says where its zero lies, in a sentence that people read as well as programs, wherever its format
has a place for a remark:

>>> sentence(30_000)
'time 0 is 30.000 s into the recording'
>>> parse("NOTE time 0 is 30.000 s into the recording")
30000
"""

from __future__ import annotations

import re

from pipeline.timeline import to_ms, to_seconds

_SENTENCE = re.compile(r"\btime 0 is (\d{1,6}\.\d{3}) s into the recording\b")


def sentence(zero: int) -> str:
    """The sentence for a zero, in milliseconds of the recording."""
    return f"time 0 is {to_seconds(zero)} s into the recording"


def parse(text: object) -> int | None:
    """The zero that a text names, in milliseconds of the recording; None where it names none."""
    match = _SENTENCE.search(text) if isinstance(text, str) else None
    return to_ms(float(match[1])) if match else None
