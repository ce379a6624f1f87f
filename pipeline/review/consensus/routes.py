"""The page on which a group goes on together."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any, Literal

from fastapi import APIRouter, Request
from fastapi.responses import Response
from pydantic import BaseModel, ConfigDict
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException

from pipeline.coding.codebook import Codebook
from pipeline.measures.session.coded_table import CLIENT
from pipeline.report.transcript_view import Tags
from pipeline.review.auth.current_user import SignedIn
from pipeline.review.authorization import LOCK_FIRST, SEEN, Admitted, admit, note, require_codes, sees_codes
from pipeline.review.coding import (
    codebooks,
    global_ratings,
    miti_summary,
    observer_tasks,
    own_shortcuts,
    page_state,
    passes,
    transcripts,
)
from pipeline.review.coding.change_requests import Change, Name
from pipeline.review.consensus import consensus
from pipeline.review.context import context_of
from pipeline.review.errors import NotYetError
from pipeline.review.tapes import stored_measures
from pipeline.review.templating import render, seeing
from pipeline.tapes.consent import target_behavior

router = APIRouter(prefix="/tapes/{tape_id}/together")


class Settled(BaseModel):
    """What the group settles on for an utterance, or takes back."""

    model_config = ConfigDict(extra="forbid")

    id: Name
    codebook: str
    utterance_id: Name
    action: Literal["set", "clear", "undo"] = "set"
    codes: list[Name] = []


@router.get("")
def page(request: Request, viewer: SignedIn, tape_id: str, codebook: str = "") -> Response:
    """Where the coders agree, where they do not, and what the group settles on."""
    home = context_of(request).home
    with home.database.reading() as session:
        admitted = admit(request, session, viewer, tape_id, "show", "code", "play")
        if not sees_codes(admitted):
            own = passes.own(admitted)
            status = 403 if any(one.locked_at is None for one in own) else 200
            return render(request, "coding/first.html", status, tape_id=tape_id, own=own, why=LOCK_FIRST)
        used = consensus.codebooks(admitted) or [admitted.tape.codebook]
        chosen = consensus.codebook(admitted, codebook)
        found = render(
            request,
            "coding/together.html",
            tape_id=tape_id,
            codebook=chosen,
            books=[(name, codebooks.read(admitted, name).label) for name in used],
            target_behavior=target_behavior.read(session, home.vault, tape_id),
            rated=(compared := global_ratings.side_by_side(admitted, chosen)),
            settling=global_ratings.RATINGS if codebooks.read(admitted, chosen).is_miti else (),
            scores=miti_summary.scores(compared) if compared.counted else (),
            opinion=miti_summary.OPINION,
            scale=global_ratings.SCALE,
        )
    note(request, viewer, tape_id, SEEN, "together")
    return found


@router.post("/look")
def look(request: Request, viewer: SignedIn, tape_id: str) -> Response:
    """See the others' codes without coding; later passes on this tape are not blind then."""
    with context_of(request).home.database.writing() as session:
        admitted = admit(request, session, viewer, tape_id, "show", "code")
        if any(one.locked_at is None for one in passes.own(admitted)):
            raise NotYetError(LOCK_FIRST, "blind")
        admitted.record(SEEN, "together")
    return seeing(f"/tapes/{tape_id}/together")


@router.get("/state")
def filled(request: Request, viewer: SignedIn, tape_id: str, codebook: str) -> dict[str, Any]:
    """What the page shows."""
    home = context_of(request).home
    with home.database.reading() as session:
        admitted = admit(request, session, viewer, tape_id, "show", "code")
        require_codes(admitted)
        book = codebooks.read(admitted, codebook)
        chosen = own_shortcuts.chosen(session, viewer.person_id, codebook)
        found = consensus.board(admitted, transcripts.shown(admitted), book)
        shown = _shown(admitted, found) | {
            "tape": {"duration": admitted.tape.duration_ms},
            "codes": page_state.codes(book, observer_tasks.TASKS[0], chosen),
            "talk": [asdict(Tags(book).of(name)) for name in consensus.machine_talk(book)],
            "bindings": page_state.bound(book, chosen),
            "coders": found.coders,
            "places": [_place(place, book) for place in found.places],
        }
    note(request, viewer, tape_id, SEEN, "together")
    return shown


@router.get("/mark")
def mark(request: Request, viewer: SignedIn, tape_id: str, codebook: str) -> dict[str, str]:
    """What the page asks every few seconds: whether others settled or corrected something."""
    home = context_of(request).home
    with home.database.reading() as session:
        admitted = admit(request, session, viewer, tape_id, "show", "code")
        require_codes(admitted)
        return {"mark": consensus.mark(admitted, codebooks.read(admitted, codebook))}


@router.post("")
def settle(request: Request, viewer: SignedIn, tape_id: str, sent: Settled) -> dict[str, Any]:
    """Settle on the codes of one utterance; the measures as they are then."""
    home = context_of(request).home
    with home.database.writing() as session:
        admitted = admit(request, session, viewer, tape_id, "show", "code")
        require_codes(admitted)
        book = codebooks.read(admitted, sent.codebook)
        if sent.action == "undo":
            undone = consensus.undo(admitted, book, sent.id)
            changed = undone or ""
        else:
            change = Change(
                id=sent.id, kind="code", utterance_id=sent.utterance_id, action=sent.action, codes=sent.codes
            )
            refused = consensus.settle(admitted, book, change)
            if refused:
                raise HTTPException(422, refused[0]["reason"])
            changed = sent.utterance_id
    with home.database.reading() as session:
        admitted = admit(request, session, viewer, tape_id, "show", "code")
        found = consensus.board(admitted, transcripts.shown(admitted), book)
        places = [_place(place, book) for place in found.places if place.utterance.id == changed]
        return _shown(admitted, found) | {"places": places}


@router.post("/ratings")
async def settle_ratings(request: Request, viewer: SignedIn, tape_id: str) -> Response:
    """Settle on MITI's global ratings, or leave some of them open again; everyone's own stay."""
    sent = await request.form()
    answers = global_ratings.answered(sent)
    return await run_in_threadpool(_settled_ratings, request, viewer, tape_id, str(sent.get("codebook", "")), answers)


def _settled_ratings(
    request: Request, viewer: SignedIn, tape_id: str, codebook: str, answers: dict[str, int]
) -> Response:
    home = context_of(request).home
    with home.database.writing() as session:
        admitted = admit(request, session, viewer, tape_id, "show", "code")
        require_codes(admitted)
        book = codebooks.read(admitted, codebook)
        if not book.is_miti:
            raise HTTPException(422, f"The codebook {book.label!r} has no global ratings. Choose MITI 4.2.")
        global_ratings.settle(admitted, book.name, answers)
    return seeing(f"/tapes/{tape_id}/together?codebook={book.name}", "saved")


def _shown(admitted: Admitted, found: consensus.Board) -> dict[str, Any]:
    """What changes with every decision: the queue, the counts, the measures."""
    measured = consensus.measured(found)
    shown = stored_measures.ratios(measured.as_dict())
    if found.by_hand:
        shown += tuple(map(stored_measures.of, miti_summary.behaviors(measured, found.book)))
    return {
        "queue": [place.utterance.id for place in found.queue],
        "basis": found.basis,
        "mark": consensus.mark(admitted, found.book),
        "measures": [
            {
                "label": one.label,
                "unit": one.unit,
                "value": one.value,
                "low": one.low,
                "high": one.high,
                "undefined": one.undefined,
                "text": one.text if one.value is not None else "undefined",
                "spread": one.spread if one.value is not None else one.undefined,
            }
            for one in shown
        ],
    }


def _place(place: consensus.Place, book: Codebook) -> dict[str, Any]:
    talk = consensus.machine_talk(book) if place.utterance.role == CLIENT else ()
    return {
        **page_state.utterance(place.utterance, None),
        "opinions": [
            {"coder": one.coder, "codes": one.codes, "unsure": one.unsure, "task": one.task} for one in place.spoken
        ],
        "settled": place.settled,
        "machine": place.machine,
        "talk": [name for name in place.pretags if name in talk],
        "probability": None if place.probability is None else round(place.probability, 2),
        "source": place.source,
        "codes": place.codes,
        "disputed": place.disputed,
    }
