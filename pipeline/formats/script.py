"""Transcripts as running text, in a text file or in Word: who speaks stands before what is said, or above it.

::

    Therapist: What would you like?          [00:01:05] Ann: What would you like?      Ann Lee  0:03
    Client - I want to walk.                 SPEAKER_01: I want to walk.               What would you like?

Lines that name nobody go on with the utterance before them. Lines before the first speaker and the notice that Otter
puts at the end are no speech; they are passed over, and told. Times of the day are counted from the first of them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from pipeline.formats import cues, script_lines, speaker_prefix
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
    lines = script_lines.cleaned(list(lines))
    top = script_lines.heading(lines)
    speakers = _speakers(lines[top:])
    stamps = [stamp for line in lines[top:] for match in _matches(line) for stamp in _stamps(match, speakers)]
    unpadded = cues.counts_milliseconds(re.findall(r"[.,](\d{1,3})", " ".join(stamps)))
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
        elif script_lines.CLOCK_LINE.fullmatch(line):
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
