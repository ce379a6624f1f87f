"""The summary as lines of text, in one order and in the same words for every kind of paper."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from pipeline.review.coding.miti_summary import OPINION

if TYPE_CHECKING:
    from pipeline.review.reflection.feedback import Comment
    from pipeline.review.reflection.session_course import SessionCourse
    from pipeline.review.reflection.summary import Summary

TITLE = "Summary of a tape"
READINESS_ALT = "The line rises by one with each utterance of change talk, and falls by one with each of sustain talk."
_CONFIDENTIAL = (
    "Confidential. Keep and destroy it as the client's permission requires. The machine's codes are suggestions. "
    "Nothing here is a grade."
)


@dataclass(frozen=True)
class SummaryLine:
    """A paragraph, and how it is set; of the picture of the readiness line, what it shows."""

    text: str
    kind: Literal["title", "heading", "text", "note", "picture"] = "text"


def lines(summary: Summary) -> Iterator[SummaryLine]:
    """All that the summary says."""
    yield SummaryLine(summary.title, "title")
    yield SummaryLine(f"Target behavior: {summary.target}")
    yield SummaryLine(f"Interviewer: {summary.interviewer}. Submitted on {summary.came_in}.")
    yield SummaryLine("What went well", "heading")
    if summary.well:
        yield SummaryLine(f"{summary.interviewer}: {summary.well}")
    strengths = [comment for comment in summary.comments if comment.kind == "strength"]
    for strength in strengths:
        yield SummaryLine(f"{strength.name}{_at(summary, strength)}: {strength.text}")
    if not summary.well and not strengths:
        yield SummaryLine("Nothing has been written yet.")
    suggestions = [comment for comment in summary.comments if comment.kind == "suggestion"]
    if summary.next or suggestions:
        yield SummaryLine("To try next", "heading")
        if summary.next:
            yield SummaryLine(f"{summary.interviewer}: {summary.next}")
        for suggestion in suggestions:
            yield SummaryLine(f"{suggestion.name}{_at(summary, suggestion)}: {suggestion.text}")
    if summary.course:
        yield from _course(summary, summary.course)
    yield SummaryLine("Measures", "heading")
    yield SummaryLine(f"{summary.basis}.")
    if summary.note:
        yield SummaryLine(f"{summary.note}.")
    if summary.languages:
        yield SummaryLine(f"{summary.languages}.")
    for figure in summary.figures:
        spread = f" ({figure.spread})" if figure.spread else ""
        yield SummaryLine(f"{figure.label}: {figure.text}{spread}")
    for miti in summary.miti:
        yield SummaryLine(f"MITI summary ({miti.label})", "heading")
        yield SummaryLine(f"{miti.basis}.")
        for row in (*miti.ratings, *miti.rows):
            basis = f" ({row.basis})" if row.basis else ""
            yield SummaryLine(f"{row.label}: {row.text}{basis}")
            if row.thresholds:
                yield SummaryLine(f"Thresholds: {row.thresholds}", "note")
        yield SummaryLine(OPINION, "note")
    yield SummaryLine(_CONFIDENTIAL, "note")


def _course(summary: Summary, course: SessionCourse) -> Iterator[SummaryLine]:
    if course.readiness:
        yield SummaryLine("Readiness over the session", "heading")
        yield SummaryLine(course.readiness)
    if course.picture:
        yield SummaryLine(READINESS_ALT, "picture")
        for turn in course.picture.turns:
            yield SummaryLine(f"At {summary.moments.words(turn.moment)} it turned toward {turn.toward} talk.")
    if course.exchanges:
        yield SummaryLine("Exchanges to hear again", "heading")
        for exchange in course.exchanges:
            yield SummaryLine(f"{summary.moments.words(exchange.moment)}: {exchange.text}")
    if course.before or course.after:
        yield SummaryLine("Change talk in context", "heading")
        yield from (SummaryLine(sentence) for sentence in (course.before, course.after) if sentence)
    if course.corrected:
        yield SummaryLine("What the machine got wrong", "heading")
        yield SummaryLine(course.corrected)


def _at(summary: Summary, comment: Comment) -> str:
    return "" if comment.moment is None else f" (at {summary.moments.words(comment.moment)})"
