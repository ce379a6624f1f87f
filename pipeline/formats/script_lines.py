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
"""What is said, rather than written on top: an end of a sentence, or more than six words."""
_WITHIN = re.compile(r"(?<=[.?!…])\s+([^\W\d_]\w+(?: \w+)?):\s")
_NUMBERED = 0.9


def cleaned(lines: Sequence[str]) -> list[str]:
    """The lines without blanks at either end, a name's marks of bold, and numbers that count the lines or turns."""
    bare = []
    for line in lines:
        bold = _BOLD.match(line)
        bare.append((bold[2] + line[bold.end() :] if bold else line).strip().removeprefix(">>").lstrip())
    return [part for line in _joined(_unnumbered(bare)) for part in _apart(line)]


def _apart(line: str) -> list[str]:
    """A line in pieces, where somebody whose name says a role begins to speak within it."""
    parts, last = [], 0
    for match in _WITHIN.finditer(line):
        if speaker_prefix.is_certain(match[1]):
            parts.append(line[last : match.start()].strip())
            last = match.start(1)
    return [*parts, line[last:].strip()]


def _unnumbered(lines: list[str]) -> list[str]:
    heads = [(place, int(head[1]), head.end()) for place, line in enumerate(lines) if (head := _NUMBER.match(line))]
    filled = sum(bool(line) for line in lines)
    counts = all(after[1] == before[1] + 1 for before, after in pairwise(heads))
    if len(heads) < 2 or len(heads) < _NUMBERED * filled or not counts:
        return lines
    ends = {place: end for place, _, end in heads}
    return [line[ends.get(place, 0) :] for place, line in enumerate(lines)]


def _joined(lines: list[str]) -> list[str]:
    """Teams writes times, a name and the text each in a line of its own: times and name go together."""
    joined: list[str] = []
    for place, line in enumerate(lines):
        follows = next((later for later in lines[place + 1 :] if later), "")
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
    for place, line in enumerate(lines):
        name, colon, text = line.partition(":")
        if colon and name.strip().lower() in speaker_prefix.METADATA:
            last = place
        elif colon and _SENTENCE.search(text.strip()):
            break
    if last < 0:
        return 0
    for place in range(last + 1, len(lines)):
        if not lines[place]:
            return place
        if _SENTENCE.search(lines[place].partition(":")[2].strip()):
            break
    return last + 1
