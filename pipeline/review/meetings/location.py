"""Where a group meets: a place in words, or the address of a video call.

>>> link("https://meet.example.org/peers"), link("Room 3, Town Hall")
('https://meet.example.org/peers', '')
"""

from __future__ import annotations

import re
from urllib.parse import urlsplit

_SCHEME = re.compile(r"[a-z][a-z0-9+.-]*:(?=\S)", re.IGNORECASE)


class LocationError(ValueError):
    """It is an address that no page may link to; the text says so to whoever typed it."""


def checked(text: str) -> str:
    """Return the location, if it is a text in words, or a whole http or https address.

    Raises
    ------
    LocationError: an address of another kind, such as ``javascript:``, or one that names no host, or a password.
    """
    if _SCHEME.match(text) and not link(text):
        raise LocationError("Give a place in words, or a whole address that begins with https:// or http://.")
    return text


def link(text: str) -> str:
    """Return the address that a location is; "" where it is a place in words."""
    if not text.lower().startswith(("https://", "http://")) or re.search(r"[\s\"'<>\\^`{|}]", text):
        return ""
    try:
        parts = urlsplit(text)
        usable = bool(parts.hostname) and "@" not in parts.netloc and parts.port != 0
    except ValueError:
        return ""
    return text if usable else ""
