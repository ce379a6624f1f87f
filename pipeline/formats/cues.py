"""Cues: the blocks of lines between blank lines of which WebVTT and SRT consist.

webvtt-py passes over what it cannot read and escapes nothing that it writes, so that the tests use it and this module
does not: a line that is no cue is named, and a text never becomes one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from pipeline.formats.intake import Source
from pipeline.timeline import Span

_TIME = r"(?:(\d{1,6}):)?(\d{1,2}):(\d{1,2})[.,](\d{1,3})"
_TIMES = re.compile(rf"\s*{_TIME}\s*-->\s*{_TIME}(?:\s.*)?")


@dataclass(frozen=True)
class Cue:
    """A cue; ``name`` is the line before its times."""

    name: str
    span: Span
    lines: tuple[str, ...]


def blocks(text: str) -> Iterator[tuple[int, list[str]]]:
    """Runs of lines that are not blank, each with the number of its first line."""
    block: list[str] = []
    # Only these end a line; others that Python knows, such as U+2028, are text.
    for number, line in enumerate([*re.split(r"\r\n|\r|\n", text), ""], 1):
        if line.strip():
            block.append(line)
        elif block:
            yield number - len(block), block
            block = []


def cue(source: Source, number: int, block: list[str]) -> Cue:
    """The cue of a block: its name, if it has one, its times and its lines.

    Raises
    ------
    FormatError: F03 it has no times, F07 it ends before it starts.
    """
    place = 0 if "-->" in block[0] else 1
    found = _TIMES.fullmatch(block[place]) if place < len(block) else None
    if not found:
        source.refuse("F03", "has no times such as 00:00:01.000 --> 00:00:02.000", where=f"line {number} of")
    hours, minutes, seconds, fraction, *end = found.groups()
    span = [_time(hours, minutes, seconds, fraction), _time(*end)]
    if span[1] < span[0]:
        source.refuse("F07", "ends before it starts", where=f"line {number + place} of")
    for time in span:
        source.milliseconds(time, where=f"line {number + place} of")
    return Cue(block[0].strip() if place else "", Span(*span), tuple(block[place + 1 :]))


def clock(ms: int, point: str) -> str:
    """A time as cues have it: ``clock(61_500, ".")`` -> ``"00:01:01.500"``."""
    seconds, rest = divmod(ms, 1000)
    return f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}{point}{rest:03d}"


def _time(hours: str | None, minutes: str, seconds: str, fraction: str) -> int:
    return ((int(hours or 0) * 60 + int(minutes)) * 60 + int(seconds)) * 1000 + int(fraction.ljust(3, "0"))
