"""Text that formats write: what they can hold, and names packed into one word."""

from __future__ import annotations

import re
from urllib.parse import quote, unquote

from pipeline.errors import FormatError

_CONTROLS = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\ufffe\uffff]|[\r\n\t]")
_BREAKS = frozenset("\n\t")
_UNPRINTABLE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff\ufffe\uffff]")


def without_controls(text: str, instead: str = "\ufffd") -> str:
    """A text without what a page or a file cannot hold: control characters and halves of characters."""
    return _UNPRINTABLE.sub(instead, text)


def printable(text: str, thing: str, *, breaks: bool = False) -> str:
    """The text itself, where no format trips over it: no control characters, and line breaks and tabs only if asked.

    Raises
    ------
    FormatError: F08 it holds a character that the format cannot hold.
    """
    for match in _CONTROLS.finditer(text):
        if not (breaks and match[0] in _BREAKS):
            value = f"holds the character {match[0]!r}, which the format cannot store"
            raise FormatError("F08", f"{thing} {text[:40]!r}", value, "remove it from the transcript, and try again")
    return text


def percent_encoded(text: str) -> str:
    """A name as one word of letters, digits and ``+-/()*_~``; all else percent-encoded: ``"a b"`` -> ``"a%20b"``.

    Raises
    ------
    FormatError: F08 as `printable`.
    """
    return quote(printable(text, "name"), safe="+/()*", errors="strict").replace(".", "%2E")


def percent_decoded(word: str) -> str:
    """Return the name that `percent_encoded` encoded; a word that is not percent-encoded stays as it is."""
    try:
        return unquote(word, errors="strict")
    except UnicodeDecodeError:
        return word
