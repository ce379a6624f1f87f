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

_PREFIX = re.compile(r"\[?(?P<name>[^\W\d_][^:\n\t\[\]]{0,39}?)\]?\s*:(?:\s+(?P<text>.*))?", re.DOTALL)
_LABEL = re.compile(r"(?:speaker|spk|voice)[ _-]?\d+", re.IGNORECASE)
_WRITTEN_LIKE_A_NAME = re.compile(r"[A-Z][\w.'’-]*(?:,? [A-Z][\w.'’-]*)*")
_SENTENCE = re.compile(r"[.?!]\s+\S+\s+\S|[?!]$")
"""What makes of a name a sentence: "Yes. I said" is none, "Therapist A." is one."""
_NO_NAMES = frozenset(
    {"question", "answer", "note", "example", "okay", "ok", "so", "well", "yes", "no", "first", "second"}
)


def is_name(text: str) -> bool:
    """Whether a text is short enough for a name, and no sentence."""
    return not _SENTENCE.search(text) and len(text.split()) <= LONGEST_NAME and text.lower() not in _NO_NAMES


def is_certain(name: str) -> bool:
    """Whether a name can be nothing else: it says a role, or is a speaker's label."""
    return role_of(name) is not None or _LABEL.fullmatch(name) is not None


def split(line: str) -> tuple[str, str] | None:
    """What stands before the colon, and the text behind it; None where nothing does that could be a name."""
    match = _PREFIX.fullmatch(line)
    if match is None or not is_name(match["name"].strip()):
        return None
    return match["name"].strip(), (match["text"] or "").strip()


def names(lines: Iterable[str], *, captions: bool = False) -> frozenset[str]:
    """The names with which lines of one transcript begin; ``captions`` as in `settled`."""
    return settled((prefix[0] for line in lines if (prefix := split(line))), captions=captions)


def settled(candidates: Iterable[str], *, captions: bool = False) -> frozenset[str]:
    """Those of the prefixes of a transcript that are names.

    ``captions`` have no lines of other kinds ("Date: 3 March"): there, beside a sure name, what is written like one is
    one, too.
    """
    numbers = Counter(candidates)
    sure = {name for name, number in numbers.items() if number > 1 or is_certain(name)}
    if not sure or not captions:
        return frozenset(sure)
    return frozenset(sure | {name for name in numbers if _WRITTEN_LIKE_A_NAME.fullmatch(name)})


def said(line: str, known: frozenset[str], last: str) -> tuple[str, str]:
    """Who says a line, and what: a line without a name goes on with the last speaker, where any line has a name."""
    prefix = split(line)
    if prefix and prefix[0] in known:
        return prefix
    return (last if known else UNKNOWN), line
