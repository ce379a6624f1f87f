"""Cues: the pieces of text with times of which WebVTT and SRT consist.

They are read as players read them (WebVTT, W3C, 2019, section 6.1): a cue's text ends at an empty line, and a line with
``-->`` always begins the next one. A cue that ends before it starts keeps its start; one whose times cannot be read is
passed over; either is told. webvtt-py passes over what it cannot read without a word, and escapes nothing that it
writes, so that the tests use it and this module does not.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from pipeline.formats.safe_reader import LONGEST_MS, Source
from pipeline.timeline import Span

_TIME = r"(?:(\d{1,6}):)?(\d{1,3}):(\d{1,2})(?:[.,](\d{1,3}))?"
_TIMES = re.compile(rf"\s*{_TIME}\s*-->\s*{_TIME}(?:\s.*)?")
_ASIDE = re.compile(r"(NOTE|STYLE|REGION)(?:\s|$)")
_INLINE_TIME = re.compile(r"<\d{1,3}(?::\d{2}){1,2}\.\d{3}>")
_FLASH = 50
"""Milliseconds of a cue that only shows again what was said, between two rolling captions."""

_Fields = tuple[str | None, ...]


@dataclass(frozen=True)
class Cue:
    """A cue; ``name`` is the line before its times, ``line`` where in the file it stands."""

    name: str
    span: Span
    lines: tuple[str, ...]
    line: int


def read(source: Source, text: str, *, asides: bool) -> tuple[tuple[Cue, ...], tuple[str, ...]]:
    """The cues of a text, and sentences on what was mended or passed over.

    Parameters
    ----------
    asides: whether blocks that begin with NOTE, STYLE or REGION are none (WebVTT).

    Raises
    ------
    FormatError: F03 or F07 where no cue can be read, though there is something.
    """
    lines = re.split(r"\r\n|\r|\n", text)  # other line ends that Python knows, such as U+2028, are text
    heads = [number for number, line in enumerate(lines) if "-->" in line]
    fractions = [part for number in heads for part in _fractions(lines[number])]
    unpadded = counts_milliseconds(fractions)
    cues: list[Cue] = []
    notes: list[str] = []
    names, bodies, loose = _parts(lines, heads, asides)
    for number in heads:
        where = f"Line {number + 1}"
        fields = _TIMES.fullmatch(lines[number])
        start, end = _span(fields.groups(), unpadded) if fields else (-1, -1)
        shown = " ".join(bodies[number]).strip()[:60]
        if not fields or max(start, end) >= LONGEST_MS:
            code, value = ("F07", "has an impossible time") if fields else ("F03", "has no readable times")
            if len(heads) == 1:
                source.refuse(code, value, _REMEDY, where=f"line {number + 1} of")
            notes.append(f'{where} {value}: "{shown}" was skipped.')
            continue
        if end < start:
            notes.append(f'{where} ends before it starts: "{shown}" has no length.')
        cues.append(Cue(names.get(number, ""), Span(start, max(start, end)), tuple(bodies[number]), number + 1))
    if loose and not cues:
        value = "has no times such as 00:00:01.000 --> 00:00:02.000"
        source.refuse("F03", value, _REMEDY, where=f"line {loose[0] + 1} of")
    notes += [f'Line {number + 1} belongs to no cue: "{lines[number].strip()[:60]}" was skipped.' for number in loose]
    return tuple(cues), tuple(notes)


_REMEDY = "fix the times by hand; if it has no subtitles, give it the right ending, such as .txt"


def _parts(
    lines: Sequence[str], heads: Sequence[int], asides: bool
) -> tuple[dict[int, str], dict[int, list[str]], list[int]]:
    """The name and the text of each cue, by the line of its times, and the lines that belong to none."""
    names: dict[int, str] = {}
    bodies: dict[int, list[str]] = {}
    loose: list[int] = []
    row, known = 0, set(heads)
    while row < len(lines):
        line = lines[row]
        if row in known:
            end = row + 1
            while end < len(lines) and lines[end] != "" and end not in known:
                end += 1
            body = list(lines[row + 1 : end])
            if end in known and body and body[-1].strip().isdecimal():  # the next cue's number, without a line between
                names[end] = body.pop().strip()
            bodies[row] = body
            row = end
        elif row + 1 in known:
            names[row + 1] = line.strip()
            row += 1
        elif asides and _ASIDE.match(line):
            while row < len(lines) and lines[row].strip() and row not in known:
                row += 1
        else:
            if line.strip():
                loose.append(row)
            row += 1
    return names, bodies, loose


def clock(ms: int, point: str) -> str:
    """A time as cues have it: ``clock(61_500, ".")`` -> ``"00:01:01.500"``."""
    seconds, rest = divmod(ms, 1000)
    return f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}{point}{rest:03d}"


def merge_rolling(cues: Iterable[Cue]) -> tuple[Cue, ...]:
    """Rolling captions, which show each line again while the next one is said, with each line once.

    A file rolls where times stand within its lines, as YouTube writes them, or where most cues begin with the line on
    which the one before ended and say more. Other files stay as they are: people do say things twice.
    """
    cues = tuple(cues)
    bare = [tuple(line for line in (_INLINE_TIME.sub("", line).strip() for line in cue.lines) if line) for cue in cues]
    again = [len(b) > 1 and bool(a) and _plain(b[0]) == _plain(a[-1]) for a, b in pairwise(bare)]
    timed = any(_INLINE_TIME.search(line) for cue in cues for line in cue.lines)
    if (not timed and 3 * sum(again) < 2 * len(again)) or not again:
        return cues
    merged: list[Cue] = []
    shown: tuple[str, ...] = ()
    for cue, lines in zip(cues, bare, strict=True):
        repeated = 0
        for number in range(min(len(shown), len(lines)), 0, -1):
            if [*map(_plain, shown[-number:])] == [*map(_plain, lines[:number])]:
                repeated = number
                break
        if repeated == len(lines) and merged and cue.span.duration <= _FLASH:
            merged[-1] = replace(merged[-1], span=merged[-1].span | cue.span)
        elif repeated < len(lines):
            merged.append(replace(cue, lines=lines[repeated:]))
        shown = lines or shown
    return tuple(merged)


def _plain(line: str) -> str:
    return " ".join(re.sub(r"<[^<>]*>", "", line).split())


def _fractions(line: str) -> list[str]:
    fields = _TIMES.fullmatch(line)
    return [part for part in (fields[4], fields[8]) if part] if fields else []


def counts_milliseconds(fractions: Sequence[str]) -> bool:
    """Whether a short fraction counts milliseconds, as in Teams, where ``5.80`` is 5.080 s.

    Fractions of one length are what they look like. Of several lengths, a writer who leaves out zeros at the front
    never begins one with a zero, and one who leaves out zeros at the end never ends one with a zero.
    """
    if len({len(fraction) for fraction in fractions}) < 2:
        return False
    if any(fraction.startswith("0") and len(fraction) > 1 for fraction in fractions):
        return False
    return any(fraction.endswith("0") for fraction in fractions)


def _span(fields: _Fields, unpadded: bool) -> tuple[int, int]:
    return _time(fields[:4], unpadded), _time(fields[4:], unpadded)


def _time(fields: _Fields, unpadded: bool) -> int:
    hours, minutes, seconds, fraction = (field or "0" for field in fields)
    whole = (int(hours) * 60 + int(minutes)) * 60 + int(seconds)
    return whole * 1000 + int(fraction.rjust(3, "0") if unpadded else fraction.ljust(3, "0"))
