"""Texts that everyone in a group may change: notes, agreements, the names and terms to listen for.

A page holds the version of the text that it shows, and sends it along. Who saves while another changed the text writes
over nothing: the page comes back with both.
"""

from __future__ import annotations

import hashlib


def version(text: str) -> str:
    """Return what a page sends along of the text that it shows."""
    return hashlib.sha256(text.encode()).hexdigest()


def would_overwrite(stored: str, sent: str, was: str) -> bool:
    """Return whether a text that is saved would write over another's.

    Parameters
    ----------
    was: the version that the sender knew; "" where nothing is said of it, and the text replaces whatever is stored.
    """
    return stored not in ("", sent) and was not in ("", version(stored))
