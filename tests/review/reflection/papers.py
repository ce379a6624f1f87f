"""A summary by hand, for every kind of paper."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any


def summary(**changes: Any) -> Any:
    """A summary with a strength, a suggestion and a figure; no other part of the room is needed for it."""
    comments = [
        SimpleNamespace(kind="strength", name="Ben", text="You waited."),
        SimpleNamespace(kind="suggestion", name="Eve", text="Ask for more."),
    ]
    given = {
        "title": "Robin, November 24",
        "target": "drinking less",
        "interviewer": "Ada",
        "came_in": "November 24, 2026",
        "well": "I listened.",
        "next": "",
        "comments": comments,
        "basis": "Codes: the group's",
        "note": "",
        "figures": [SimpleNamespace(label="Reflections per question", text="1.3", spread="0.9 to 1.6")],
        "miti": [],
        "at": 1_760_000_000_000,
    }
    return SimpleNamespace(**(given | changes))
