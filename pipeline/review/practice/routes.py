"""The practice pages: calibration tapes, coding one blind, the comparison with the gold, and skill practice."""

from __future__ import annotations

import base64
import hashlib
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response
from sqlalchemy.orm import Session
from starlette.exceptions import HTTPException

from pipeline.formats import codebook_files
from pipeline.review import authorization, byte_ranges
from pipeline.review.auth.current_user import SignedIn, Viewer
from pipeline.review.authorization import SEEN, admit, note, require_codes, sees_codes
from pipeline.review.coach.sentences import family_label
from pipeline.review.coding import codebooks, observer_tasks, page_state, passes, shortcuts
from pipeline.review.coding.change_requests import ChangeBatch
from pipeline.review.coding.routes import SPEEDS, KeyRequest
from pipeline.review.context import context_of
from pipeline.review.form_fields import CodebookName
from pipeline.review.practice import calibration_passes, calibration_tapes, scripts, sources
from pipeline.review.practice.comparison import STRETCH, agreement
from pipeline.review.tapes import stored_measures, titles
from pipeline.review.templating import render, seeing
from pipeline.tapes import people
from pipeline.tapes.db.records import CalibrationPass, CalibrationTape, Person

router = APIRouter()

NOT_BLIND = "You have seen the codes of this tape. Choose one that you do not know."
NO_GOLD = "This role-play has no scripted codes in that codebook. Choose another codebook."
UNUSED = frozenset({"speaker", "merge", "split", "text", "mask", "accept", "check", "note"})
"""Commands that a calibration pass has no use for: its transcript is fixed, without suggestions or notes."""


@router.get("/practice")
def practice_page(request: Request, viewer: SignedIn) -> Response:
    """Calibration tapes to code, the own passes, and the way to skill practice."""
    home, now = context_of(request).home, context_of(request).clock()
    with home.database.reading() as session:
        person = session.get_one(Person, viewer.person_id)
        tapes, candidates = [], []
        for group, role in people.groups_of(session, person, now):
            for row, tape in calibration_tapes.offered(session, person, group, now):
                book = codebooks.read_for_group(session, home, group.id, row.codebook)
                tapes.append((tape.id, titles.title(session, tape), book.label, role == "coach"))
            if role == "coach":
                for tape, codebook in calibration_tapes.candidates(session, person, group, now):
                    book = codebooks.read_for_group(session, home, group.id, codebook)
                    candidates.append((tape.id, titles.title(session, tape), codebook, book.label))
        own_passes = [
            (calibration_pass, _title(session, calibration_pass, {tape[0]: tape[1] for tape in tapes}))
            for calibration_pass in calibration_passes.own_passes(session, viewer.person_id)
        ]
    return render(
        request,
        "practice/practice.html",
        role_plays=scripts.ROLE_PLAYS.values(),
        books=[(name, codebook_files.read(name).label) for name in scripts.CODEBOOKS],
        tapes=tapes,
        candidates=candidates,
        own_passes=[(calibration_pass, title) for calibration_pass, title in own_passes if title],
    )


def _title(session: Session, calibration_pass: CalibrationPass, tape_titles: dict[str, str]) -> str:
    """Return what a pass was on; empty for a tape that may no longer be used."""
    if calibration_pass.calibration_id is None:
        role_play = scripts.ROLE_PLAYS.get(calibration_pass.script)
        return f"Role-play: {role_play.title}" if role_play else ""
    return tape_titles.get(session.get_one(CalibrationTape, calibration_pass.calibration_id).tape_id, "")


@router.get("/practice/skills")
def skill_practice_page(request: Request, viewer: SignedIn) -> Response:
    """The page for a real play of ten minutes; nothing that happens on it leaves the browser."""
    return render(request, "practice/skills.html", tasks=observer_tasks.TASKS[1:])


@router.post("/practice/role-plays/{script}")
def begin_role_play(request: Request, viewer: SignedIn, script: str, codebook: CodebookName) -> Response:
    """Begin a pass on a role-play, or go on with it."""
    if script not in scripts.ROLE_PLAYS:
        raise HTTPException(404)
    if codebook not in scripts.CODEBOOKS:
        raise HTTPException(422, NO_GOLD)
    home, now = context_of(request).home, context_of(request).clock()
    with home.database.writing() as session:
        book = codebook_files.read(codebook)
        started = calibration_passes.start(session, viewer.person_id, book, now, script=script)
    return seeing(f"/practice/passes/{started.id}")


@router.post("/tapes/{tape_id}/calibration/passes")
def begin_tape(request: Request, viewer: SignedIn, tape_id: str) -> Response:
    """Begin a pass on a calibration tape of the group, or go on with it; only for who has not seen its codes."""
    home = context_of(request).home
    with home.database.writing() as session:
        admitted = admit(request, session, viewer, tape_id, *calibration_tapes.USES)
        chosen = calibration_tapes.current(session, [tape_id])
        if not chosen:
            raise HTTPException(404)
        if sees_codes(admitted) or passes.own_passes(admitted):
            raise HTTPException(409, NOT_BLIND)
        book = codebooks.read(admitted, chosen[0].codebook)
        started = calibration_passes.start(session, viewer.person_id, book, admitted.now, calibration_id=chosen[0].id)
        admitted.record("calibration.start", started.id)
    return seeing(f"/practice/passes/{started.id}")


@router.post("/tapes/{tape_id}/calibration")
def choose_tape(request: Request, viewer: SignedIn, tape_id: str, codebook: CodebookName) -> Response:
    """The coach makes a tape a calibration tape."""
    with context_of(request).home.database.writing() as session:
        admitted = admit(request, session, viewer, tape_id, *calibration_tapes.USES)
        authorization.group(session, viewer, admitted.tape.group_id, admitted.now, "coach")
        require_codes(admitted)
        book = codebooks.read(admitted, codebook)
        refusal = calibration_tapes.refusal(admitted, book)
        if refusal:
            raise HTTPException(422, refusal)
        calibration_tapes.choose(admitted, book)
    return seeing("/practice", "saved")


@router.post("/tapes/{tape_id}/calibration/end")
def end_tape(request: Request, viewer: SignedIn, tape_id: str) -> Response:
    """The coach ends a calibration tape; the passes on it stay with those who made them."""
    with context_of(request).home.database.writing() as session:
        admitted = admit(request, session, viewer, tape_id, *calibration_tapes.USES)
        authorization.group(session, viewer, admitted.tape.group_id, admitted.now, "coach")
        calibration_tapes.end(admitted)
    return seeing("/practice", "saved")


@router.get("/practice/passes/{calibration_pass_id}")
def calibration_page(request: Request, viewer: SignedIn, calibration_pass_id: str) -> Response:
    """The coding page of a calibration pass; once it is locked, the comparison with the gold."""
    with context_of(request).home.database.reading() as session:
        calibration_pass = sources.own_pass(session, viewer, calibration_pass_id)
        source = sources.open_source(request, session, viewer, calibration_pass)
        if calibration_pass.locked_at is not None:
            page = _comparison(request, session, calibration_pass, source)
        else:
            page = _coding_page(request, calibration_pass, source)
    if source.admitted is not None:
        if calibration_pass.locked_at is None:
            note(request, viewer, source.admitted.tape.id, "tape.show", "transcript")
        else:
            note(request, viewer, source.admitted.tape.id, SEEN, "calibration")
    return page


def _coding_page(request: Request, calibration_pass: CalibrationPass, source: sources.Source) -> Response:
    path = f"/practice/passes/{calibration_pass.id}"
    return render(
        request,
        "practice/coding.html",
        urls={"state": f"{path}/state", "peaks": source.peaks, "audio": source.sound, "lock": f"{path}/lock"},
        links=[("/practice", "Back to practice")],
        from_text=source.from_text,
        no_sound=stored_measures.FROM_TEXT,
        task=observer_tasks.TASKS[0],
        target_behavior=source.target_behavior,
        speeds=SPEEDS,
        locked=False,
        rates=False,
        rated=[],
        title=source.title,
    )


def _comparison(
    request: Request, session: Session, calibration_pass: CalibrationPass, source: sources.Source
) -> Response:
    codes = {name: state.codes for name, state in calibration_passes.codes(session, calibration_pass).items()}
    lines = sources.compared_lines(source, calibration_pass, codes)
    return render(
        request,
        "practice/comparison.html",
        source=source,
        blind=calibration_pass.blind,
        lines=lines,
        figures=agreement(lines, source.book),
        labels={code.name: code.label for code in source.book.codes},
        stretch=STRETCH,
        family=family_label,
    )


@router.get("/practice/passes/{calibration_pass_id}/state")
def calibration_page_data(request: Request, viewer: SignedIn, calibration_pass_id: str) -> Response:
    """Return the state of the coding page, as JSON; nothing in it follows from the gold."""
    with context_of(request).home.database.reading() as session:
        calibration_pass = sources.own_pass(session, viewer, calibration_pass_id)
        source = sources.open_source(request, session, viewer, calibration_pass)
        own_keys = shortcuts.own_keys(session, viewer.person_id, calibration_pass.codebook)
        events = calibration_passes.events(session, calibration_pass)
    path = f"/practice/passes/{calibration_pass_id}"
    bindings = page_state.binding_fields(source.book, own_keys, source.from_text)
    fields: dict[str, Any] = {
        "tape": {"duration": source.duration, "from_text": source.from_text},
        "pass": {
            "id": calibration_pass_id,
            "tape": source.admitted.tape.id if source.admitted else calibration_pass.script,
            "locked": calibration_pass.locked_at is not None,
            "task": observer_tasks.TASKS[0].name,
            "key": _waiting_key(request, calibration_pass, source),
        },
        "codes": page_state.code_fields(source.book, observer_tasks.TASKS[0], own_keys),
        "sheet": source.sheet,
        "bindings": [binding for binding in bindings if binding["action"] not in UNUSED],
        "utterances": [page_state.utterance_fields(utterance, None) for utterance in source.utterances],
        "unclear": [],
        "events": [
            {name: getattr(event, name) for name in ("id", "utterance_id", "action", "codes", "undoes")}
            for event in events
        ],
        "corrections": [],
        "notes": [],
        "masked": [],
        "sees_names": False,
        "mark": 0,
        "order": [event.id for event in events],
        "urls": {name: f"{path}/{name}" for name in ("changes", "keys", "mark")},
    }
    return JSONResponse(fields)


def _waiting_key(request: Request, calibration_pass: CalibrationPass, source: sources.Source) -> str:
    """Return the key, in base64, that encrypts the changes waiting in the browser: the tape's, or for an invented
    role-play one of the pass."""
    purpose = f"changes in calibration pass {calibration_pass.id}"
    if source.admitted is not None:
        return base64.b64encode(context_of(request).home.vault.derive(source.admitted.tape.id, purpose)).decode()
    return base64.b64encode(hashlib.sha256(purpose.encode()).digest()).decode()


@router.get("/practice/passes/{calibration_pass_id}/mark")
def change_marker(request: Request, viewer: SignedIn, calibration_pass_id: str) -> dict[str, int]:
    """Return the marker that the page polls: it never changes, but 404 says that the tape is gone."""
    with context_of(request).home.database.reading() as session:
        sources.open_source(request, session, viewer, sources.own_pass(session, viewer, calibration_pass_id))
    return {"mark": 0}


@router.post("/practice/passes/{calibration_pass_id}/changes")
def store_changes(request: Request, viewer: SignedIn, calibration_pass_id: str, sent: ChangeBatch) -> dict[str, Any]:
    """Store codes, each once; return those that were refused, each with the reason."""
    home, now = context_of(request).home, context_of(request).clock()
    with home.database.writing() as session:
        calibration_pass = sources.own_pass(session, viewer, calibration_pass_id)
        source = sources.open_source(request, session, viewer, calibration_pass)
        if calibration_pass.locked_at is not None:
            raise HTTPException(409, "This pass is locked. Its codes cannot change.")
        return {"refused": calibration_passes.store(session, calibration_pass, source.book, sent.changes, now)}


@router.post("/practice/passes/{calibration_pass_id}/keys")
def choose_key(request: Request, viewer: SignedIn, calibration_pass_id: str, wanted: KeyRequest) -> Response:
    """Choose another key for an action; it stays for this person and codebook."""
    with context_of(request).home.database.writing() as session:
        calibration_pass = sources.own_pass(session, viewer, calibration_pass_id)
        book = sources.open_source(request, session, viewer, calibration_pass).book
        name = calibration_pass.codebook
        problem = shortcuts.choose(session, viewer.person_id, name, book, wanted.action, wanted.key)
    return JSONResponse({"detail": problem}, 422) if problem else Response(status_code=204)


@router.post("/practice/passes/{calibration_pass_id}/lock")
def lock(request: Request, viewer: SignedIn, calibration_pass_id: str) -> Response:
    """Lock a pass, and see the gold."""
    home, now = context_of(request).home, context_of(request).clock()
    with home.database.writing() as session:
        calibration_pass = sources.own_pass(session, viewer, calibration_pass_id)
        sources.open_source(request, session, viewer, calibration_pass)
        calibration_passes.lock(session, calibration_pass, now)
    return seeing(f"/practice/passes/{calibration_pass_id}")


@router.get("/practice/passes/{calibration_pass_id}/peaks")
def peaks(request: Request, viewer: SignedIn, calibration_pass_id: str) -> Response:
    """Return the largest magnitude per 50 ms of a role-play, one byte each."""
    return Response(
        scripts.peaks(_role_play(request, viewer, calibration_pass_id)), media_type="application/octet-stream"
    )


@router.api_route("/practice/passes/{calibration_pass_id}/sound", methods=["GET", "HEAD"])
def sound(request: Request, viewer: SignedIn, calibration_pass_id: str) -> Response:
    """Return a piece of a role-play's sound."""
    with scripts.sound(_role_play(request, viewer, calibration_pass_id)) as wav:
        return byte_ranges.answer(request, wav.size, wav.max_bytes, "audio/wav", wav.read)


def _role_play(request: Request, viewer: Viewer, calibration_pass_id: str) -> str:
    """Return the role-play of an own pass; a tape of the group has its own addresses, and here nothing (404)."""
    with context_of(request).home.database.reading() as session:
        calibration_pass = sources.own_pass(session, viewer, calibration_pass_id)
        if calibration_pass.script not in scripts.ROLE_PLAYS:
            raise HTTPException(404)
        return calibration_pass.script
