"""A tape's own page: what it is about, how far it is, what comes next; and its end, when the client wants it back."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Literal

from fastapi import APIRouter, Request
from fastapi.responses import Response
from sqlalchemy import select
from sqlalchemy.orm import Session

from pipeline.errors import JobError, VaultError
from pipeline.review import authorization, errors
from pipeline.review.auth.current_user import SignedIn, Viewer
from pipeline.review.context import context_of
from pipeline.review.form_fields import Id
from pipeline.review.tapes import stored_measures, titles
from pipeline.review.tapes.tape_steps import progress_of, steps
from pipeline.review.templating import render, seeing
from pipeline.run.output import PROVENANCE
from pipeline.run.text_run import NO_SOUND
from pipeline.speech import role_notes
from pipeline.stages import STEP_LABELS
from pipeline.tapes import named_roles
from pipeline.tapes.consent import consent, consent_form, target_behavior
from pipeline.tapes.db.records import Item, Person
from pipeline.tapes.home import Home
from pipeline.tapes.intake import submission
from pipeline.tapes.jobs import job_state
from pipeline.tapes.retention import destruction

router = APIRouter()

_TEXT: Mapping[str | None, str] = {None: "Waiting for its turn", **dict.fromkeys(STEP_LABELS, "Coding the transcript")}
"""The same for a tape that has no sound."""

_WORK: Mapping[str | None, str] = {None: "Waiting for its turn", **{step: STEP_LABELS[step] for step in STEP_LABELS}}
"""Step of a job -> what its page says."""


@router.get("/tapes/{tape_id}")
def page(request: Request, viewer: SignedIn, tape_id: Id) -> Response:
    """The page."""
    home, now = context_of(request).home, context_of(request).clock()
    with home.database.reading() as database:
        tape = authorization.tape(database, viewer, tape_id, "show", now)
        if tape.state == "draft":
            return seeing(f"/tapes/{tape_id}/recording")
        permission = consent_form.latest(database, tape_id)
        shown = render(
            request,
            "tapes/page.html",
            tape=tape,
            title=titles.title(database, tape),
            interviewer=database.get_one(Person, tape.interviewer_id).name,
            is_mine=tape.interviewer_id == viewer.person_id,
            target=target_behavior.read(database, home.vault, tape_id),
            consent=permission,
            job=_job(database, tape_id),
            stages=_TEXT if tape.from_text else _WORK,
            from_text=stored_measures.FROM_TEXT,
            failed=errors.sentence_for,
            warnings=_warnings(database, home, tape_id),
            steps=steps(viewer.person_id, tape, progress_of(database, viewer.person_id, [tape])[tape.id]),
        )
    authorization.note(request, viewer, tape_id, "read", "tape")
    return shown


def _warnings(database: Session, home: Home, tape_id: str) -> list[str]:
    """Return the warnings about the recording, in sentences; nothing before it is processed.

    What is uncertain in the machine's roles is no warning once somebody said who is who.
    """
    item = database.scalars(select(Item).where(Item.tape_id == tape_id, Item.kind == PROVENANCE)).first()
    if item is None:
        return []
    later = named_roles.files(database, home, tape_id).get(PROVENANCE)
    warnings = json.loads(later or home.vault.read(item)).get("warnings", [])
    if named_roles.confirmed(database, home, tape_id):
        warnings = [note for note in warnings if not role_notes.is_of_decision(note)]
    # that there is no sound stands among the facts of the page
    return [errors.without_options(warning) for warning in warnings if warning != NO_SOUND]


@router.get("/tapes/{tape_id}/progress")
def progress(request: Request, viewer: SignedIn, tape_id: Id) -> Response:
    """The part of the page that follows the job; once that has ended, there is no box to follow."""
    home, now = context_of(request).home, context_of(request).clock()
    with home.database.reading() as database:
        tape = authorization.tape(database, viewer, tape_id, "show", now)
        job = _job(database, tape_id)
        mine = tape.interviewer_id == viewer.person_id
        return render(
            request,
            "tapes/progress.html",
            tape=tape,
            job=job,
            stages=_TEXT if tape.from_text else _WORK,
            is_mine=mine,
            failed=errors.sentence_for,
        )


@router.post("/tapes/{tape_id}/cancel")
def cancel(request: Request, viewer: SignedIn, tape_id: Id) -> Response:
    """Stop the work on a tape."""
    return _of_the_job(request, viewer, tape_id, job_state.cancel)


@router.post("/tapes/{tape_id}/retry")
def retry(request: Request, viewer: SignedIn, tape_id: Id) -> Response:
    """Try a tape again; finished stages are not repeated."""
    return _of_the_job(request, viewer, tape_id, job_state.retry)


@router.get("/tapes/{tape_id}/withdraw")
def withdraw_page(request: Request, viewer: SignedIn, tape_id: Id) -> Response:
    """The page that says what a withdrawal ends, and asks."""
    return _confirmation(request, viewer, tape_id, "withdraw")


@router.post("/tapes/{tape_id}/withdraw")
def withdraw(request: Request, viewer: SignedIn, tape_id: Id) -> Response:
    """The client wants the tape back: from this moment on nobody reaches it; it is destroyed within the hour."""
    home, now = context_of(request).home, context_of(request).clock()
    with home.database.reading() as database:
        authorization.tape(database, viewer, tape_id, "withdraw", now)
        person = database.get_one(Person, viewer.person_id)
    submission.withdraw(home, tape_id, person, clock=context_of(request).clock)
    return seeing("/", "withdrawn")


@router.get("/tapes/{tape_id}/destroy")
def destroy_page(request: Request, viewer: SignedIn, tape_id: Id) -> Response:
    """The page that says what is destroyed, and asks."""
    return _confirmation(request, viewer, tape_id, "destroy")


@router.post("/tapes/{tape_id}/destroy")
def destroy(request: Request, viewer: SignedIn, tape_id: Id) -> Response:
    """Destroy the tape now, with a certificate."""
    home, now = context_of(request).home, context_of(request).clock()
    with home.database.reading() as database:
        authorization.tape(database, viewer, tape_id, "destroy", now)
    try:
        destruction.destroy(home, tape_id, "by hand", now, viewer.person_id)
    except VaultError as error:
        if error.code not in ("TR-V14", "TR-V18"):
            raise
        return seeing("/", "ending")  # it is dead for everybody, and whoever still works on it is waited for
    return seeing("/", "destroyed")


def _job(database: Session, tape_id: str) -> job_state.View | None:
    return next(iter(job_state.views(database, [tape_id])), None)


def _confirmation(request: Request, viewer: Viewer, tape_id: str, ending: Literal["withdraw", "destroy"]) -> Response:
    """The page before a tape's end.

    Whoever may end a tape without seeing it, such as an administrator, is told its interviewer and its day alone.
    """
    now = context_of(request).clock()
    with context_of(request).home.database.reading() as database:
        tape = authorization.tape(database, viewer, tape_id, ending, now)
        shown = bool(consent.allows(database, database.get_one(Person, viewer.person_id), "show", tape, now))
        title = titles.title(database, tape) if shown else database.get_one(Person, tape.interviewer_id).name
    return render(request, "tapes/ending.html", tape=tape, title=title, ending=ending, shown=shown)


def _of_the_job(request: Request, viewer: Viewer, tape_id: str, change: object) -> Response:
    home: Home = context_of(request).home
    with home.database.reading() as database:
        authorization.own_tape(database, viewer, tape_id, "process", context_of(request).clock())
    try:
        change(home, tape_id, viewer.person_id, context_of(request).clock)  # type: ignore[operator]
    except JobError as error:
        if error.code != "TR-J02":  # it came to its end meanwhile
            raise
    return seeing(f"/tapes/{tape_id}")
