"""The summary as lines of text, in one order and in the same words for every kind of paper."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from pipeline.review.coding.miti_summary import OPINION

if TYPE_CHECKING:
    from pipeline.review.reflection.summary import Summary

TITLE = "Summary of a tape"
_CONFIDENTIAL = (
    "Confidential. Keep and destroy it as the client's permission requires. The machine's codes are suggestions. "
    "Nothing here is a grade."
)


@dataclass(frozen=True)
class Line:
    """A paragraph, and how it is set."""

    text: str
    kind: Literal["title", "heading", "text", "note"] = "text"


def lines(summary: Summary) -> Iterator[Line]:
    """All that the summary says."""
    yield Line(summary.title, "title")
    yield Line(f"Target behavior: {summary.target}")
    yield Line(f"Interviewer: {summary.interviewer}. Submitted on {summary.came_in}.")
    yield Line("What went well", "heading")
    if summary.well:
        yield Line(f"{summary.interviewer}: {summary.well}")
    strengths = [comment for comment in summary.comments if comment.kind == "strength"]
    for strength in strengths:
        yield Line(f"{strength.name}: {strength.text}")
    if not summary.well and not strengths:
        yield Line("Nothing has been written yet.")
    suggestions = [comment for comment in summary.comments if comment.kind == "suggestion"]
    if summary.next or suggestions:
        yield Line("To try next", "heading")
        if summary.next:
            yield Line(f"{summary.interviewer}: {summary.next}")
        for suggestion in suggestions:
            yield Line(f"{suggestion.name}: {suggestion.text}")
    yield Line("Measures", "heading")
    yield Line(f"{summary.basis}.")
    if summary.note:
        yield Line(f"{summary.note}.")
    for figure in summary.figures:
        spread = f" ({figure.spread})" if figure.spread else ""
        yield Line(f"{figure.label}: {figure.text}{spread}")
    for miti in summary.miti:
        yield Line(f"MITI summary ({miti.label})", "heading")
        yield Line(f"{miti.basis}.")
        for row in (*miti.ratings, *miti.rows):
            basis = f" ({row.basis})" if row.basis else ""
            yield Line(f"{row.label}: {row.text}{basis}")
            if row.thresholds:
                yield Line(f"Thresholds: {row.thresholds}", "note")
        yield Line(OPINION, "note")
    yield Line(_CONFIDENTIAL, "note")
