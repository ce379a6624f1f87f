"""The words of mails. Providers read them on the way: no word of a client, no target, no pseudonym, no title of a tape.

A letter is made of nothing but what its function takes: the person's own name, the room's address, a date.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from pipeline.tapes.db.records import MailKind


@dataclass(frozen=True)
class Letter:
    """Subject and text of a mail."""

    subject: str
    text: str


def waiting(name: str, address: str) -> Letter:
    """A tape waits for its reader."""
    text = f"Hello {name},\n\na tape waits for you in the review room:\n{address}/\n"
    return Letter("A tape waits for you", text)


def ending(name: str, address: str, last_day: date) -> Letter:
    """A tape will be destroyed soon."""
    day = f"{last_day:%B} {last_day.day}, {last_day.year}"
    text = (
        f"Hello {name},\n\na tape that you can open will be destroyed after {day}, as its client's permission says.\n"
        f"If you still want to work with it:\n{address}/\n"
    )
    return Letter("A tape ends in 3 days", text)


def notice(kind: MailKind, name: str, address: str, last_day: date) -> Letter:
    """The letter of a kind."""
    return waiting(name, address) if kind == "waiting" else ending(name, address, last_day)
