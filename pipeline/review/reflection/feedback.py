"""Feedback: the interviewer speaks first, then the client of a real play, then the others; strengths come first.

The server keeps the order and the measure: nobody adds a suggestion before a strength, nobody more than one, and nobody
before the interviewer has spoken.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Annotated, Literal

from fastapi import APIRouter, Form, Request
from fastapi.responses import JSONResponse, Response
from sqlalchemy import func, select
from sqlalchemy.orm import Session
from starlette.exceptions import HTTPException

from pipeline.errors import ReviewError
from pipeline.review import authorization, errors, form_answers
from pipeline.review.auth.current_user import SignedIn
from pipeline.review.context import context_of
from pipeline.review.form_fields import Id, OptionalLineOfText, OptionalText, Text
from pipeline.review.reflection import questions
from pipeline.review.reflection.interviewer_first import reviewed
from pipeline.review.tapes import titles
from pipeline.review.tapes.moments import TapeMoments
from pipeline.review.templating import render, seeing
from pipeline.tapes import audit_log, people
from pipeline.tapes.db.records import Feedback, Group, Person, Review, Tape
from pipeline.tapes.home import Home

router = APIRouter()

REAL_PLAY = "real_play"
"""The kind of the form that says who was the client of a real play; the interviewer's."""

DRAFT = "feedback_draft"
"""The kind of the form that holds what somebody has typed and not said yet; nobody else sees it."""

MOST = 20
"""Strengths from one person: enough, and no flood."""

_COLUMN = "feedback.text"
_REMEDY = "many small points are discouraging"


@dataclass(frozen=True)
class Comment:
    """One piece of feedback, readable."""

    id: str
    person_id: str
    name: str
    kind: str
    text: str
    moment: int | None = None


@router.get("/tapes/{tape_id}/feedback")
def page(request: Request, viewer: SignedIn, tape_id: Id) -> Response:
    """The page with the comments so far, whose turn it is, and the form."""
    return _page(request, viewer, tape_id)


@router.post("/tapes/{tape_id}/feedback")
def add(
    request: Request,
    viewer: SignedIn,
    tape_id: Id,
    kind: Annotated[Literal["strength", "suggestion"], Form()],
    text: Text,
    moment: OptionalLineOfText = "",
) -> Response:
    """Add a strength or the one suggestion; it can carry one moment of the tape."""
    home, now = context_of(request).home, context_of(request).clock()
    try:
        with home.database.writing() as database:
            tape = _open_tape(database, viewer, tape_id, now)
            _may_add(database, home, tape, viewer.person_id, kind)
            last = database.scalar(select(func.max(Feedback.position)).where(Feedback.tape_id == tape_id))
            sealed = home.vault.seal(tape_id, text.encode(), _COLUMN)
            row = Feedback(
                tape_id=tape_id,
                person_id=viewer.person_id,
                kind=kind,
                sealed_text=sealed,
                position=0 if last is None else last + 1,
                at=now,
                moment=_moment(tape, moment),
            )
            database.add(row)
            reviewed(database, tape_id).stage = "feedback"
            _draft(database, home, viewer, tape_id, kind, "", now)
            audit_log.record(database, now, viewer.person_id, "feedback.add", tape_id, thing=row.id, why=kind)
    except ReviewError as error:
        return _refused(request, viewer, tape_id, error, {kind: text, "moment": moment})
    return seeing(f"/tapes/{tape_id}/feedback", "saved")


@router.post("/tapes/{tape_id}/feedback/draft")
def keep(
    request: Request,
    viewer: SignedIn,
    tape_id: Id,
    kind: Annotated[Literal["strength", "suggestion"], Form()],
    text: OptionalText = "",
) -> Response:
    """Keep what the page sends by itself while somebody types, for that person alone; it is not said yet."""
    home, now = context_of(request).home, context_of(request).clock()
    with home.database.writing() as database:
        tape = _open_tape(database, viewer, tape_id, now)
        _refuse_closed(database, tape)
        _draft(database, home, viewer, tape_id, kind, text, now)
    return JSONResponse({})


@router.post("/tapes/{tape_id}/feedback/{feedback_id}/remove")
def remove(request: Request, viewer: SignedIn, tape_id: Id, feedback_id: Id) -> Response:
    """Take the own words back."""
    home, now = context_of(request).home, context_of(request).clock()
    try:
        with home.database.writing() as database:
            tape = _open_tape(database, viewer, tape_id, now)
            row = database.get(Feedback, feedback_id)
            if row is None or row.tape_id != tape_id or row.person_id != viewer.person_id:
                raise HTTPException(404)
            _may_remove(database, tape, row)
            database.delete(row)
            audit_log.record(database, now, viewer.person_id, "feedback.remove", tape_id, thing=feedback_id)
    except ReviewError as error:
        return _refused(request, viewer, tape_id, error)
    return seeing(f"/tapes/{tape_id}/feedback", "saved")


@router.post("/tapes/{tape_id}/feedback/play")
def play(request: Request, viewer: SignedIn, tape_id: Id, person_id: Annotated[str, Form()] = "") -> Response:
    """Say that it was a real play and who was the client, or that it was none."""
    home, now = context_of(request).home, context_of(request).clock()
    with home.database.writing() as database:
        tape = _own_tape(database, viewer, tape_id, now)
        if person_id and person_id not in _others(database, tape, now):
            raise HTTPException(404)
        form_answers.write(database, home, tape_id, viewer.person_id, REAL_PLAY, {"client": person_id}, now)
    return seeing(f"/tapes/{tape_id}/feedback", "saved")


@router.post("/tapes/{tape_id}/feedback/close")
def close(request: Request, viewer: SignedIn, tape_id: Id) -> Response:
    """The interviewer ends the round; the summary stands."""
    with _own_review(request, viewer, tape_id) as (database, review, now):
        review.stage, review.closed_at = "closed", review.closed_at or now
        audit_log.record(database, now, viewer.person_id, "review.close", tape_id)
    return seeing(f"/tapes/{tape_id}/summary", "closed")


@router.post("/tapes/{tape_id}/feedback/reopen")
def reopen(request: Request, viewer: SignedIn, tape_id: Id) -> Response:
    """The interviewer opens a closed round again: it was closed too early."""
    with _own_review(request, viewer, tape_id) as (database, review, now):
        if review.closed_at is not None:
            review.stage, review.closed_at = "feedback", None
            audit_log.record(database, now, viewer.person_id, "review.reopen", tape_id)
    return seeing(f"/tapes/{tape_id}/feedback", "reopened")


def comments(database: Session, home: Home, tape_id: str) -> list[Comment]:
    """All feedback on a tape: the strengths first, each kind in the order in which it was given."""
    rows = database.execute(
        select(Feedback, Person.name)
        .join(Person, Person.id == Feedback.person_id)
        .where(Feedback.tape_id == tape_id)
        .order_by(Feedback.kind, Feedback.position, Feedback.at)
    ).all()
    return [
        Comment(
            row.id,
            row.person_id,
            name,
            row.kind,
            home.vault.unseal(tape_id, row.sealed_text, _COLUMN).decode(),
            row.moment,
        )
        for row, name in rows
    ]


def waits_for(database: Session, home: Home, tape: Tape, person_id: str) -> str:
    """Whom a person waits for before speaking: "interviewer", "client", or nobody."""
    spoken = set(database.scalars(select(Feedback.person_id).where(Feedback.tape_id == tape.id)))
    if person_id == tape.interviewer_id or person_id in spoken:
        return ""
    if tape.interviewer_id not in spoken:
        return "interviewer"
    client = form_answers.read(database, home, tape.id, tape.interviewer_id, REAL_PLAY).get("client", "")
    return "client" if client and person_id != client and client not in spoken else ""


def _may_add(database: Session, home: Home, tape: Tape, person_id: str, kind: str) -> None:
    """Keep the order and the measure.

    Raises
    ------
    ReviewError: R04.
    """
    _refuse_closed(database, tape)
    first = waits_for(database, home, tape, person_id)
    if first:
        raise ReviewError("R04", "feedback", f"the {first} speaks first", "wait a moment, and reload the page")
    mine = _kinds(database, tape, person_id)
    if kind == "suggestion" and "strength" not in mine:
        raise ReviewError("R04", "feedback", "strengths come first", "name a strength, then what to try")
    if kind == "suggestion" and "suggestion" in mine:
        raise ReviewError("R04", "feedback", "you have already given one suggestion", _REMEDY)
    if len(mine) >= MOST:
        raise ReviewError(
            "R04", "feedback", f"you have already given {MOST} pieces of feedback", "leave room for the others"
        )


def _moment(tape: Tape, text: str) -> int | None:
    """Return the moment that was typed; None where none was.

    Raises
    ------
    ReviewError: R04.
    """
    moment = TapeMoments.of(tape).parse(text)
    if text and moment is None:
        example = "#12" if tape.from_text else "3:10"
        raise ReviewError("R04", "feedback", f"“{text}” is no moment of this tape", f"type it like {example}")
    return moment


def _refused(
    request: Request, viewer: SignedIn, tape_id: str, error: ReviewError, typed: Mapping[str, str] | None = None
) -> Response:
    """The page, with what was wrong as a sentence, and what was typed."""
    return _page(request, viewer, tape_id, errors.member_text(error).words, typed)


def _may_remove(database: Session, tape: Tape, row: Feedback) -> None:
    """Leave no suggestion without a strength, and a closed round as it is.

    Raises
    ------
    ReviewError: R04.
    """
    _refuse_closed(database, tape)
    mine = _kinds(database, tape, row.person_id)
    if row.kind == "strength" and mine.count("strength") == 1 and "suggestion" in mine:
        raise ReviewError("R04", "feedback", "a suggestion needs a strength beside it", "remove the suggestion first")


def _refuse_closed(database: Session, tape: Tape) -> None:
    review = database.scalar(select(Review).where(Review.tape_id == tape.id))
    if review is not None and review.closed_at is not None:
        raise ReviewError("R04", "feedback", "the round is closed", "the interviewer can reopen it")


def _draft(database: Session, home: Home, viewer: SignedIn, tape_id: str, kind: str, text: str, now: int) -> None:
    """Keep what the viewer has typed of one kind, or forget it."""
    before = form_answers.read(database, home, tape_id, viewer.person_id, DRAFT)
    if before.get(kind, "") != text:
        form_answers.write(database, home, tape_id, viewer.person_id, DRAFT, before | {kind: text}, now)


def _kinds(database: Session, tape: Tape, person_id: str) -> list[str]:
    """Return a person's comments on a tape so far."""
    query = select(Feedback.kind).where(Feedback.tape_id == tape.id, Feedback.person_id == person_id)
    return list(database.scalars(query))


def _open_tape(database: Session, viewer: SignedIn, tape_id: str, now: int) -> Tape:
    return authorization.opened(database, viewer, tape_id, "show", now)


def _own_tape(database: Session, viewer: SignedIn, tape_id: str, now: int) -> Tape:
    return authorization.in_state(authorization.own_tape(database, viewer, tape_id, "show", now), "ready")


@contextmanager
def _own_review(request: Request, viewer: SignedIn, tape_id: str) -> Iterator[tuple[Session, Review, int]]:
    """A transaction on the review of the viewer's own tape, and its time in ms; 404 for anybody else's tape."""
    home, now = context_of(request).home, context_of(request).clock()
    with home.database.writing() as database:
        _own_tape(database, viewer, tape_id, now)
        yield database, reviewed(database, tape_id), now


def _others(database: Session, tape: Tape, now: int) -> dict[str, str]:
    group = database.get_one(Group, tape.group_id)
    members = people.members(database, group, now)
    return {member.person.id: member.person.name for member in members if member.person.id != tape.interviewer_id}


def _page(
    request: Request, viewer: SignedIn, tape_id: str, error: str = "", typed: Mapping[str, str] | None = None
) -> Response:
    home, now = context_of(request).home, context_of(request).clock()
    with home.database.writing() as database:
        tape = _open_tape(database, viewer, tape_id, now)
        authorization.read(database, viewer, tape_id, "feedback", now)
        everything = comments(database, home, tape_id)
        first = waits_for(database, home, tape, viewer.person_id)
        answers = form_answers.read(database, home, tape_id, tape.interviewer_id, questions.SESSION_REVIEW)
        others = _others(database, tape, now)
        client = form_answers.read(database, home, tape_id, tape.interviewer_id, REAL_PLAY).get("client", "")
        review = reviewed(database, tape_id)
        closed = review.closed_at is not None
        drafts = form_answers.read(database, home, tape_id, viewer.person_id, DRAFT)
        name = titles.title(database, tape)
        interviewer = database.get_one(Person, tape.interviewer_id).name
    mine = [comment for comment in everything if comment.person_id == viewer.person_id]
    return render(
        request,
        "reflection/feedback.html",
        422 if error else 200,
        tape=tape,
        title=name,
        interviewer=interviewer,
        comments=everything,
        mine=mine,
        first=first,
        is_mine=tape.interviewer_id == viewer.person_id,
        has_strength=any(comment.kind == "strength" for comment in mine),
        has_suggestion=any(comment.kind == "suggestion" for comment in mine),
        shown=answers if answers.get("shown") else {},
        others=others,
        client=client,
        closed=closed,
        drafts=drafts | dict(typed or {}),
        moments=TapeMoments.of(tape),
        moment=(typed or {}).get("moment", request.query_params.get("moment", ""))[:20],
        error=error,
    )
