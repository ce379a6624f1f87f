"""Transcripts as running text, in a text file or in Word: who speaks stands before what is said, or above it.

::

    Therapist: What would you like?          [00:01:05] Ann: What would you like?      Ann Lee  0:03
    Client - I want to walk.                 SPEAKER_01: I want to walk.               What would you like?

Marks of bold and numbers of lines are taken off before a line is read. Lines that name nobody go on with the utterance
before them. Lines before the first speaker, a heading, and the notice that Otter puts at the end are no speech; they
are skipped, and a note names them. Times of the day are counted from the first of them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from pipeline.formats import speaker_prefix, subtitles
from pipeline.formats.safe_reader import Source
from pipeline.timeline import Word, typed

_CLOCK = r"(?:\d{1,2}:\d{2}|\d{1,2}:\d{1,2}:\d{1,2})(?:[.,]\d{1,3})?(?:\s?[AaPp]\.?[Mm]\.?)?"
_STAMP = rf"(?P<box>[\[(])?(?P<start>{_CLOCK})(?:\s*(?:-->|->|[-–])\s*(?P<end>{_CLOCK}))?[\])]?"
_NAME = r"(?P<label>\[)?(?P<name>[^\W\d_](?:(?!\s[-–—]\s)[^:\n\t\[\]]){0,39}?)\]?"
_PATTERNS = tuple(
    re.compile(pattern)
    for pattern in (
        rf"{_NAME}(?P<apart>\s{{2,}}|\t|,)?\s*{_STAMP}\s*:?(?P<text>)",  # Ann Lee  0:03
        rf"{_STAMP}\s+(?:[-–]\s+)?{_NAME}(?P<text>)",  # 00:00:05 Ann
        rf"{_NAME}\s*{_STAMP}\s*:\s+(?P<before>)(?P<text>.+)",  # Ann (0:03): What would you like?
        rf"{_STAMP}\s*[-–]?\s*{_NAME}\s*:(?P<before>)(?:\s+(?P<text>.*))?",  # [0:03] Ann: What would you like?
        rf"(?:[*•–-]\s+)?{_NAME}\s*:(?:\s+(?:[\[(](?P<start>{_CLOCK})[\])]\s+)?(?P<text>.*))?",  # Ann: What next?
        rf"(?:[*•–-]\s+)?{_NAME}(?:\t|\s+[-–—]\s)\s*(?P<loose>)(?P<text>\S.*)",  # Ann - What next?
        r"[\[(<](?P<name>[^\W\d_][^\[\]()<>\n]{0,39}?)[\])>]\s+(?P<loose>)(?P<text>\S.*)",  # [T] What next?
        r"(?P<name>[^\W\d_a-z][\w ]{0,39})(?P<loose>)(?P<alone>)(?P<text>)",  # THERAPIST, and what is said below
    )
)
_NO_SPEECH = re.compile(r"Transcribed by https?://\S+|Transcription ended after [\d:]+.*", re.IGNORECASE)
_UNNAMED = re.compile(r"\[(?P<start>[\d:]+[.,]\d{3}) --> (?P<end>[\d:]+[.,]\d{3})\]\s*(?P<text>.*)")
"""A line of Whisper's, as it prints them: times, and nobody's name."""
_LATEST_START = 3 * 3_600_000
"""Milliseconds: whatever begins later than this is a time of the day, not of a recording."""
OF_THE_DAY = "The times are times of day. They were counted from the first one."


@dataclass(frozen=True)
class SpokenPassage:
    """One utterance: who, what, and when in ms where that is written, with its words where these have times."""

    speaker: str
    text: str
    start: int | None = None
    end: int | None = None
    words: tuple[Word, ...] = ()


@dataclass(frozen=True)
class Script:
    """The utterances in the order of the file; ``skipped`` are lines that nobody says, ``notes`` sentences on times."""

    speeches: tuple[SpokenPassage, ...]
    skipped: tuple[str, ...]
    notes: tuple[str, ...] = ()


def read(source: Source, lines: Iterable[str]) -> Script:
    """The utterances of lines of text.

    Raises
    ------
    FormatError: F03 no line says who speaks.
    """
    lines = _cleaned(list(lines))
    top = _heading_length(lines)
    speakers = _speakers(lines[top:])
    stamps = [stamp for line in lines[top:] for match in _matches(line) for stamp in _stamps(match, speakers)]
    unpadded = subtitles.counts_milliseconds(re.findall(r"[.,](\d{1,3})", " ".join(stamps)))
    speeches: list[SpokenPassage] = []
    skipped = [line for line in lines[:top] if line]
    clock: int | None = None
    for line in lines[top:]:
        if not line:
            continue
        speech = _speech(line, speakers, unpadded)
        if speech is not None:
            speeches.append(replace(speech, start=clock) if speech.start is None and clock is not None else speech)
            clock = None
        elif _CLOCK_LINE.fullmatch(line):
            clock = _ms(line.strip("[]()"), unpadded)  # Google Meet's, over what is said from then on
        elif _NO_SPEECH.fullmatch(line) or not speeches:
            skipped.append(line)
        else:
            last = speeches[-1]
            speeches[-1] = replace(last, text=f"{last.text} {line}".strip())
    if not speeches:
        speeches, skipped = _unnamed(lines)
    if not speeches:
        source.refuse("F03", "names no speaker", 'begin each turn with who speaks, such as "Therapist: "')
    first = next((speech.start for speech in speeches if speech.start is not None), 0)
    of_the_day = first >= _LATEST_START or any(stamp.rstrip(". ")[-1:].lower() == "m" for stamp in stamps)
    if of_the_day:
        speeches = [replace(each, start=_since(first, each.start), end=_since(first, each.end)) for each in speeches]
    notes = (OF_THE_DAY,) if of_the_day else ()
    return Script(tuple(speech for speech in speeches if speech.text), tuple(skipped), notes)


def _unnamed(lines: Sequence[str]) -> tuple[list[SpokenPassage], list[str]]:
    """The utterances of lines with times and without names, and the other lines."""
    matches = [(line, _UNNAMED.fullmatch(line)) for line in lines if line]
    timed = [match for _, match in matches if match]
    speeches = [
        SpokenPassage("", match["text"], _ms(match["start"], False), _ms(match["end"], False)) for match in timed
    ]
    return speeches, [line for line, match in matches if not match]


def _speakers(lines: Sequence[str]) -> frozenset[str]:
    """The names that a line of this text may begin with.

    Beside a time, what is written like a name is one; before a dash or a tab, only where a colon would make it one
    without being there twice ("I thought - well").
    """
    matches = [match for line in lines for match in _matches(line)]
    firm = [match for match in matches if "loose" not in match.groupdict()]
    loose = [match for match in matches if "loose" in match.groupdict() and _may_stand_alone(match)]
    number = sum(bool(line) for line in lines)
    names = speaker_prefix.certain_names((_name(match) for match in firm), number)
    names |= {_name(match) for match in firm if _is_stamped(match)}
    known = speaker_prefix.certain_names({_name(match) for match in loose}, len(loose))
    likely = {_name(match) for match in loose if _name(match) in known}
    certain = {_name(match) for match in loose if speaker_prefix.is_certain(_name(match))}
    return names | (likely | certain if 2 * len(loose) >= number else certain)


def _may_stand_alone(match: re.Match[str]) -> bool:
    """Whether a match has a mark behind the name, or a name that says a role."""
    return "alone" not in match.groupdict() or speaker_prefix.is_certain(_name(match))


def _is_stamped(match: re.Match[str]) -> bool:
    """Whether a time beside it makes sure that a name is one."""
    parts = match.groupdict()
    if not speaker_prefix.is_written_like_a_name(_name(match)) or not parts.get("start"):
        return False
    return any(parts.get(key) for key in ("apart", "box", "label", "end")) or parts.get("before") is not None


def _matches(line: str) -> Iterator[re.Match[str]]:
    for pattern in _PATTERNS:
        match = pattern.fullmatch(line)
        if match and speaker_prefix.is_name(_name(match)):
            yield match
            return


def _speech(line: str, speakers: frozenset[str], unpadded: bool) -> SpokenPassage | None:
    """The beginning of an utterance that a line is, or None where it names nobody."""
    for match in _matches(line):
        parts = match.groupdict()
        name = _name(match)
        if name in speakers or parts.get("apart"):
            start, end = (_ms(parts.get(side), unpadded) for side in ("start", "end"))
            return SpokenPassage(name, (parts["text"] or "").strip(), start, end)
    return None


def _name(match: re.Match[str]) -> str:
    return match["name"].strip()


def _stamps(match: re.Match[str], speakers: frozenset[str]) -> list[str]:
    if _name(match) not in speakers:
        return []
    return [stamp for side in ("start", "end") if (stamp := match.groupdict().get(side))]


def _ms(stamp: str | None, unpadded: bool) -> int | None:
    """Milliseconds of a clock time; of the day, where it says am or pm."""
    clock = re.match(r"([\d:]+)(?:[.,](\d+))?\s?([AaPp])?", stamp or "")
    if clock is None:
        return None
    time, fraction, half = clock[1], clock[2] or "", (clock[3] or "").lower()
    if half and time.count(":") == 1:
        time += ":00"
    whole = typed(time) or 0
    if half:
        whole = whole % (12 * 3_600_000) + (12 * 3_600_000 if half == "p" else 0)
    return whole + int(fraction.rjust(3, "0") if unpadded else fraction.ljust(3, "0"))


def _since(first: int, time: int | None) -> int | None:
    return None if time is None else max(0, time - first)


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
"""Share of the lines that begin with consecutive numbers where a program numbered them; some go on without one."""
_PLAIN_CLOCK = r"(?:\d{1,2}:)?\d{1,2}:\d{2}"
_CLOCK_LINE = re.compile(rf"\[{_PLAIN_CLOCK}\]|\({_PLAIN_CLOCK}\)|{_PLAIN_CLOCK}")
"""A line that is nothing but a time."""
_NAME_COLON = re.compile(r"\[?[^\W\d_][^:\n\t\[\]]{0,39}?\]?\s*:(?=\s|$)")
_NAME_CLOCK = re.compile(rf"([^\W\d_][^:\n\t\[\]]{{0,39}}?)\s*:\s*[\[(]?({_PLAIN_CLOCK})[\])]?")
_TIGHT = re.compile(r"([^\W\d_][^:\n\t\[\]/]{0,39}?):([^\s\d:/\\].*)")
_MARK = re.compile(r"#(\d{2}:\d{2}:\d{2})-(\d)#")


def _cleaned(lines: Sequence[str]) -> list[str]:
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
    below = [index for index, line in enumerate(lines) if index and _CLOCK_LINE.fullmatch(line) and lines[index - 1]]
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
    clocks = [index for index, line in enumerate(lines) if _CLOCK_LINE.fullmatch(line)]
    below = {index: next((at for at in range(index + 1, len(lines)) if lines[at]), 0) for index in clocks}
    speech = (next((line for line in lines[at + 1 :] if line), "") for at in below.values())
    named = all(at and _is_bare_name(lines[at]) for at in below.values())
    if len(clocks) < 2 or not named or any(not line or _CLOCK_LINE.fullmatch(line) for line in speech):
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


def _heading_length(lines: Sequence[str]) -> int:
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
