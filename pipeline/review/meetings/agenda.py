"""How the time of a meeting goes: mostly listening and talking about one tape, some practice, little administration.

Based on recommendations of MINT for peer support groups (2009), and Miller and Rollnick (2013) on learning communities.
"""

from __future__ import annotations

from dataclasses import dataclass

LENGTHS = (60, 90, 120)
"""Minutes of a meeting."""


@dataclass(frozen=True)
class AgendaItem:
    """One part of a meeting: ``begin`` counts minutes from its start, ``uses`` is the kind of pages that it needs."""

    begin: int
    minutes: int
    name: str
    text: str
    uses: str = ""


_PARTS = (  # with the minutes of each part in meetings of those lengths; chosen here: a tape has 20 minutes
    ("Check-in", "One sentence each: how do you arrive? Then thank whoever brings the tape.", (5, 5, 10), ""),
    (
        "The tape",
        "Name the target behavior. Everyone takes a task. Then listen for about 20 minutes.",
        (20, 25, 25),
        "tape",
    ),
    (
        "The interviewer",
        "What it was like, what went well, what to try. In a real play, the client speaks next.",
        (5, 10, 10),
        "interviewer",
    ),
    (
        "The observers",
        "What you counted. Mostly strengths, and strengths first. At most one suggestion each.",
        (15, 20, 25),
        "feedback",
    ),
    ("Practice", "Real play in pairs or threes; no round longer than 10 minutes.", (10, 20, 30), "practice"),
    (
        "Something short to read or to listen to",
        "A page of a paper, or a piece of an expert's tape, if somebody brought one.",
        (0, 0, 10),
        "",
    ),
    ("Close", "What each person takes away. Whose tape is next, and who does what.", (5, 10, 10), "notes"),
)


def agenda(minutes: int) -> tuple[AgendaItem, ...]:
    """The parts of a meeting of one of the `LENGTHS`."""
    column, begin = LENGTHS.index(minutes), 0
    parts = []
    for name, text, lengths, uses in _PARTS:
        if lengths[column]:
            parts.append(AgendaItem(begin, lengths[column], name, text, uses))
            begin += lengths[column]
    return tuple(parts)
