"""Names of speakers at the beginning of a line of text: "Ann: What next?", "[SPEAKER_00]: A walk."

Not every word before a colon is a name ("One thing: it rains"). A prefix is taken for a name where it says a role, is a
speaker's label, or stands before several lines.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable

from pipeline.formats.speaker_roles import role_of
from pipeline.timeline import UNKNOWN

LONGEST_NAME = 5
"""Words that a name may have."""

_PREFIX = re.compile(r"(?:(?:[-–—•*]|>>)\s*)?\[?(?P<name>[^\W\d_][^:\n\t\[\]]{0,39}?)\]?\s*:(?P<text>.*)", re.DOTALL)
_LABEL = re.compile(r"(?:speaker|spk|voice|s)[ _-]?\d+", re.IGNORECASE)
_PARTICLES = frozenset({"van", "von", "de", "der", "den", "del", "di", "da", "la", "le", "bin", "al", "of"})
_SENTENCE = re.compile(r"[.?!]\s+\S+\s+\S|[?!]$")
"""A mark of a sentence rather than a name: "Yes. I said" is no name, "Therapist A." is one."""
METADATA = frozenset(
    {"date", "time", "duration", "length", "session", "title", "location", "place", "site", "file", "file name"}
    | {"filename", "audio", "audio file", "audio source", "media", "recording", "transcript", "transcribed by"}
    | {"transcriber", "version", "language", "id", "subject id", "participant id", "client id", "study", "project"}
    | {"mark pause", "pause", "target behavior", "target behaviour", "keywords", "speakers", "attendees"}
    | {"participants", "codes", "legend", "key", "datum", "dauer", "fecha", "durée", "lieu", "ort"}
)
"""Headings of a transcript's own description, before a colon."""

_YEAR = re.compile(r"\b(?:19|20)\d\d\b")
_NO_NAMES = METADATA | {
    *("question", "answer", "note", "example", "okay", "ok", "so", "well", "yes", "no", "first", "second"),
    *("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"),
}


def is_name(text: str) -> bool:
    """Whether a text is short enough for a name, and no sentence."""
    if _SENTENCE.search(text) or _YEAR.search(text):
        return False
    return len(text.split()) <= LONGEST_NAME and text.lower() not in _NO_NAMES


def is_certain(name: str) -> bool:
    """Whether a name can be nothing else: it says a role, or is a speaker's label; "My therapist said" does neither."""
    if _LABEL.fullmatch(name):
        return True
    alone = len(re.findall(r"[^\W\d_]+", name)) == 1 or is_written_like_a_name(name)
    return alone and role_of(name) is not None


def split(line: str) -> tuple[str, str] | None:
    """Return the name before the colon and the text behind it; None where nothing there could be a name."""
    match = _PREFIX.fullmatch(line)
    name, text = (match["name"].strip(), match["text"]) if match else ("", "")
    if not name or not is_name(name) or (text[:1].strip() and (text[0] in "0123456789:/\\" or not is_certain(name))):
        return None
    return name, text.strip()


def is_written_like_a_name(text: str) -> bool:
    """Whether a text has capitals as a name has, "Lee, Bo (she/her)", what stands in parentheses aside."""
    words = re.findall(r"[^\s,]+", re.sub(r"\([^()]*\)", "", text))
    return bool(words) and words[0][0].isupper() and all(word[0].isupper() or word in _PARTICLES for word in words)


def names(lines: Iterable[str], *, captions: bool = False) -> frozenset[str]:
    """The names with which lines of one transcript begin; ``captions`` as in `certain_names`."""
    prefixes = [split(line) for line in lines]
    return certain_names((prefix[0] for prefix in prefixes if prefix), len(prefixes), captions=captions)


def certain_names(candidates: Iterable[str], lines: int, *, captions: bool = False) -> frozenset[str]:
    """Those of the prefixes of a transcript's ``lines`` that are names.

    Where at least half of all lines begin with something written like a name, and not all with the same, these are
    names. ``captions`` have no lines of other kinds ("Date: 3 March"): there, beside a sure name, what is written like
    one is one, too.
    """
    numbers = Counter(candidates)
    sure = {name for name, number in numbers.items() if number > 1 or is_certain(name)}
    like = {name for name in numbers if is_written_like_a_name(name)}
    most = len(like) > 1 and 2 * sum(numbers[name] for name in like) >= lines
    return frozenset(sure | like if most or (sure and captions) else sure)


def split_speaker(line: str, known: frozenset[str], last: str) -> tuple[str, str]:
    """Who says a line, and what: a line without a name goes on with the last speaker, where any line has a name."""
    prefix = split(line)
    if prefix and prefix[0] in known:
        return prefix
    return (last if known else UNKNOWN), line


def pieces(text: str, known: frozenset[str], last: str) -> list[tuple[str, str]]:
    """Who says what in a caption, whose lines may be of several: a line that begins with a sure name is another's."""
    spoken: list[tuple[str, list[str]]] = []
    for line in text.split("\n"):
        prefix = split(line.strip())
        if not spoken or (prefix and (prefix[0] in known or (len(prefix[0]) > 1 and is_certain(prefix[0])))):
            speaker, line = split_speaker(line.strip(), known | {prefix[0]} if spoken and prefix else known, last)
            spoken.append((speaker, [line]))
            last = speaker
        else:
            spoken[-1][1].append(line)
    return [(speaker, "\n".join(lines).strip()) for speaker, lines in spoken]
