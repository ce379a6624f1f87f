"""The interviewer first: own answers before anybody else sees codes or measures, or the wish to go on without."""

from __future__ import annotations

from dataclasses import dataclass

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response
from sqlalchemy import select
from sqlalchemy.orm import Session
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException

from pipeline.review import authorization, form_answers
from pipeline.review.auth.current_user import SignedIn
from pipeline.review.authorization import Admitted
from pipeline.review.coding import transcripts
from pipeline.review.context import context_of
from pipeline.review.form_fields import Id, cleaned
from pipeline.review.reflection import questions
from pipeline.review.tapes import stored_measures, titles
from pipeline.review.tapes.moments import TapeMoments
from pipeline.review.templating import render, seeing
from pipeline.tapes import audit_log
from pipeline.tapes.db.records import Review

router = APIRouter()

_LONGEST = 4000  # characters of one answer: some 700 words


@dataclass(frozen=True)
class TapeLine:
    """An utterance beside the questions: its moment as a number, in words and as a link, its role, and what is said."""

    at: int
    moment: str
    link: str
    role: str
    words: str


@router.get("/tapes/{tape_id}/first")
def page(request: Request, viewer: SignedIn, tape_id: Id) -> Response:
    """Both forms, as far as they are filled in."""
    return _page(request, viewer, tape_id)


@router.post("/tapes/{tape_id}/first")
async def save(request: Request, viewer: SignedIn, tape_id: Id) -> Response:
    """Keep the answers; ``done`` opens the tape to the group, ``waive`` does so without them.

    ``keep`` is what the page sends by itself while somebody types; it is answered in JSON.
    """
    sent = await request.form()
    fields = {name: str(cleaned(value)) for name, value in sent.items() if isinstance(value, str)}
    step = fields.get("step", "save")
    if step not in ("save", "keep", "done", "waive") or any(len(value) > _LONGEST for value in fields.values()):
        raise HTTPException(422, "Go back and shorten what you wrote.")
    return await run_in_threadpool(_saved, request, viewer, tape_id, fields, step)


def _saved(request: Request, viewer: SignedIn, tape_id: str, fields: dict[str, str], step: str) -> Response:
    home, now = context_of(request).home, context_of(request).clock()
    review_answers: dict[str, str | bool] = {
        question.name: fields.get(question.name, "") for question in questions.REVIEW
    }
    review_answers |= {"well": fields.get("well", ""), "shown": fields.get("shown") == "yes"}
    appraisal = {
        item.name: {
            "rating": _rating(fields.get(f"rate-{item.name}")),
            "example": fields.get(f"example-{item.name}", ""),
        }
        for item in questions.APPRAISAL
    }
    with home.database.writing() as database:
        authorization.in_state(authorization.own_tape(database, viewer, tape_id, "show", now), "ready")
        review = reviewed(database, tape_id)
        for kind, answers in ((questions.SESSION_REVIEW, review_answers), (questions.SELF_APPRAISAL, appraisal)):
            form_answers.write(database, home, tape_id, viewer.person_id, kind, answers, now)
        lacking = step == "done" and not review_answers["well"]
        if step == "done" and not lacking and review.interviewer_done_at is None:
            review.interviewer_done_at, review.stage = now, "open"
            audit_log.record(database, now, viewer.person_id, "review.done", tape_id)
        if step == "waive" and review.waived_at is None:
            review.waived_at, review.stage = now, "open"
            audit_log.record(database, now, viewer.person_id, "review.waive", tape_id)
    if lacking:
        return _page(request, viewer, tape_id, "Write at least what went well. That comes first.")
    if step == "keep":
        return JSONResponse({})
    if step == "save":
        return seeing(f"/tapes/{tape_id}/first", "saved")
    return seeing(f"/tapes/{tape_id}", "thanks" if step == "done" else "waived")


def reviewed(database: Session, tape_id: str) -> Review:
    """The group's work on a tape; made where there is none yet."""
    review = database.scalar(select(Review).where(Review.tape_id == tape_id))
    if review is None:
        review = Review(tape_id=tape_id, stage="interviewer")
        database.add(review)
    return review


def _rating(text: str | None) -> int | None:
    return int(text) if text in {str(step) for step in questions.SCALE} else None


def _page(request: Request, viewer: SignedIn, tape_id: str, error: str = "") -> Response:
    home, now = context_of(request).home, context_of(request).clock()
    with home.database.writing() as database:
        tape = authorization.in_state(authorization.own_tape(database, viewer, tape_id, "show", now), "ready")
        authorization.read(database, viewer, tape_id, "forms", now)
        name = titles.title(database, tape)
        review = reviewed(database, tape_id)
        answers = form_answers.read(database, home, tape_id, viewer.person_id, questions.SESSION_REVIEW)
        appraisal = form_answers.read(database, home, tape_id, viewer.person_id, questions.SELF_APPRAISAL)
        is_open = review.interviewer_done_at is not None or review.waived_at is not None
        lines = _lines(authorization.admit(request, database, viewer, tape_id, "show"))
    return render(
        request,
        "reflection/first.html",
        422 if error else 200,
        tape=tape,
        title=name,
        screens=questions.SCREENS,
        scale=questions.SCALE,
        ends=questions.ENDS,
        answers=answers,
        appraisal=appraisal,
        is_open=is_open,
        lines=lines,
        no_sound=stored_measures.FROM_TEXT,
        error=error,
    )


def _lines(admitted: Admitted) -> list[TapeLine]:
    """The transcript to read beside the questions; empty where there is none."""
    try:
        utterances = transcripts.visible_transcript(admitted)
    except LookupError:
        return []
    admitted.record("tape.show", "first")
    moments, from_text = TapeMoments.of(admitted.tape), admitted.tape.from_text
    lines = []
    for number, utterance in enumerate(utterances, 1):
        at = number if from_text else utterance.start
        words = " ".join(word.text for word in utterance.words)
        lines.append(TapeLine(at, moments.words(at), moments.link(at), utterance.role, words))
    return lines
