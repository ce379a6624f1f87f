"""A summary by hand, for every kind of paper."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from pipeline.review.tapes.moments import TapeMoments


def summary(**changes: Any) -> Any:
    """A summary with a strength, a suggestion and a figure; no other part of the room is needed for it."""
    comments = [
        SimpleNamespace(kind="strength", name="Ben", text="You waited.", moment=190_000),
        SimpleNamespace(kind="suggestion", name="Eve", text="Ask for more.", moment=None),
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
        "languages": "",
        "figures": [SimpleNamespace(label="Reflections per question", text="1.3", spread="0.9 to 1.6")],
        "miti": [],
        "course": None,
        "moments": TapeMoments("0123456789abcdef", 600_000, from_text=False),
        "at": 1_760_000_000_000,
    }
    return SimpleNamespace(**(given | changes))
