"""The lines of a transcript in running text, without what is not said: marks of type, line numbers, a heading."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise

from pipeline.formats import speaker_prefix

_BOLD = re.compile(r"\s*(\*\*|__)(?=\S)([^*_\n]{1,60}?)(?<=\S)\1(?=[\s:]|$)")
"""Markdown's bold at the beginning of a line, where who speaks stands; in what is said, the marks stay."""
_NUMBER = re.compile(r"(\d{1,5})[.):]?\s+(?=\S)")
_RANGE = re.compile(
    r"\[?\d{1,2}:\d{1,2}:\d{1,2}(?:[.,]\d{1,3})?\]?\s*-->\s*\[?\d{1,2}:\d{1,2}:\d{1,2}(?:[.,]\d{1,3})?\]?"
)
_SENTENCE = re.compile(r"[.?!…]$|(?<!\S)(?:\S+\s+){6}")
"""A mark of speech rather than of a heading: an end of a sentence, or more than six words."""
_WITHIN = re.compile(r"(?<=[.?!…])\s+([^\W\d_]\w+(?: \w+)?):\s")
_NUMBERED = 0.9
_CLOCK = r"(?:\d{1,2}:)?\d{1,2}:\d{2}"
CLOCK_LINE = re.compile(rf"\[{_CLOCK}\]|\({_CLOCK}\)|{_CLOCK}")
"""A line that is nothing but a time."""
_NAME_COLON = re.compile(r"\[?[^\W\d_][^:\n\t\[\]]{0,39}?\]?\s*:(?=\s|$)")
_NAME_CLOCK = re.compile(rf"([^\W\d_][^:\n\t\[\]]{{0,39}}?)\s*:\s*[\[(]?({_CLOCK})[\])]?")
_TIGHT = re.compile(r"([^\W\d_][^:\n\t\[\]/]{0,39}?):([^\s\d:/\\].*)")
_MARK = re.compile(r"#(\d{2}:\d{2}:\d{2})-(\d)#")


def cleaned(lines: Sequence[str]) -> list[str]:
    """The lines without blanks at either end, a name's marks of bold, and numbers that count the lines or turns."""
    bare = []
    for line in lines:
        bold = _BOLD.match(line)
        bare.append((bold[2] + line[bold.end() :] if bold else line).strip().removeprefix(">>").lstrip())
    joined = _with_marks(_with_clocks(_joined(_unnumbered([_spaced(line) for line in bare]))))
    return [part for line in joined for part in _apart(line)]


def _spaced(line: str) -> str:
    """A line with a blank behind the colon of a sure name: "T:What next?"."""
    tight = _TIGHT.fullmatch(line)
    return f"{tight[1]}: {tight[2]}" if tight and speaker_prefix.is_certain(tight[1]) else line


def _with_clocks(lines: list[str]) -> list[str]:
    """Lines where names go together with their times: "Ann: 0:03", or "Ann" with "0:03" in the line below."""
    colons = [line for line in lines if _NAME_COLON.match(line)]
    timed = [line for line in colons if _NAME_CLOCK.fullmatch(line)]
    if len(timed) > 1 and 2 * len(timed) >= len(colons):
        lines = [f"{match[1]}  {match[2]}" if (match := _NAME_CLOCK.fullmatch(line)) else line for line in lines]
    lines = _clocks_behind(lines)
    below = [index for index, line in enumerate(lines) if index and CLOCK_LINE.fullmatch(line) and lines[index - 1]]
    if len(below) < 2 or not all(_is_bare_name(lines[index - 1]) for index in below):
        return lines
    names = {index - 1: lines[index] for index in below}
    return [
        f"{line}  {names[index].strip('[]()')}" if index in names else line
        for index, line in enumerate(lines)
        if index not in below
    ]


def _clocks_behind(lines: list[str]) -> list[str]:
    """Lines where a name goes together with the time in the line above it, if every such time has a name below it."""
    clocks = [index for index, line in enumerate(lines) if CLOCK_LINE.fullmatch(line)]
    below = {index: next((at for at in range(index + 1, len(lines)) if lines[at]), 0) for index in clocks}
    speech = (next((line for line in lines[at + 1 :] if line), "") for at in below.values())
    named = all(at and _is_bare_name(lines[at]) for at in below.values())
    if len(clocks) < 2 or not named or any(not line or CLOCK_LINE.fullmatch(line) for line in speech):
        return lines
    names = {at: index for index, at in below.items()}
    return [
        f"{line}  {lines[names[index]].strip('[]()')}" if index in names else line
        for index, line in enumerate(lines)
        if index not in below
    ]


def _is_bare_name(line: str) -> bool:
    return speaker_prefix.is_name(line) and speaker_prefix.is_written_like_a_name(line) and ":" not in line


def _with_marks(lines: list[str]) -> list[str]:
    """Lines whose turns have the times of f4's marks, "#00:00:06-5#", which stand where a turn ends, or also begins."""
    if sum(bool(_MARK.search(line)) for line in lines) < 2:
        return lines
    last, marked = "00:00:00.0", []
    for line in lines:
        marks = [f"{mark[1]}.{mark[2]}" for mark in _MARK.finditer(line)]
        begins = _MARK.match(line) is not None
        bare = " ".join(_MARK.sub(" ", line).split())
        end = f" --> {marks[-1]}" if len(marks) > begins else ""
        marked.append(f"[{marks[0] if begins else last}{end}] {bare}" if _NAME_COLON.match(bare) else bare)
        last = marks[-1] if marks else last
    return marked


def _apart(line: str) -> list[str]:
    """A line in pieces, where somebody whose name says a role begins to speak within it."""
    parts, last = [], 0
    for match in _WITHIN.finditer(line):
        if speaker_prefix.is_certain(match[1]):
            parts.append(line[last : match.start()].strip())
            last = match.start(1)
    return [*parts, line[last:].strip()]


def _unnumbered(lines: list[str]) -> list[str]:
    heads = [(index, int(head[1]), head.end()) for index, line in enumerate(lines) if (head := _NUMBER.match(line))]
    filled = sum(bool(line) for line in lines)
    counts = all(after[1] == before[1] + 1 for before, after in pairwise(heads))
    if len(heads) < 2 or len(heads) < _NUMBERED * filled or not counts:
        return lines
    ends = {index: end for index, _, end in heads}
    return [line[ends.get(index, 0) :] for index, line in enumerate(lines)]


def _joined(lines: list[str]) -> list[str]:
    """Teams writes times, a name and the text each in a line of its own: times and name go together."""
    joined: list[str] = []
    for index, line in enumerate(lines):
        follows = next((later for later in lines[index + 1 :] if later), "")
        if joined and _RANGE.fullmatch(joined[-1]) and speaker_prefix.is_name(line) and not _RANGE.fullmatch(follows):
            joined[-1] += f" {line}"
        else:
            joined.append(line)
    return joined


def heading(lines: Sequence[str]) -> int:
    """How many lines at the top say what the transcript is of, and are said by nobody.

    They reach to the last line such as "Date: 3 March" before anybody has said a sentence, and on to the end of its
    paragraph, as in "Client: P07", "Therapist: Ann".
    """
    last = -1
    for index, line in enumerate(lines):
        name, colon, text = line.partition(":")
        if colon and name.strip().lower() in speaker_prefix.METADATA:
            last = index
        elif colon and _SENTENCE.search(text.strip()):
            break
    if last < 0:
        return 0
    for index in range(last + 1, len(lines)):
        if not lines[index]:
            return index
        if _SENTENCE.search(lines[index].partition(":")[2].strip()):
            break
    return last + 1
