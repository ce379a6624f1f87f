"""The consensus page: the coders' codes side by side, and the group's decisions."""

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
from pipeline.review.authorization import (
    LOCK_FIRST,
    SEEN,
    Admitted,
    admit,
    calibrating,
    note,
    require_codes,
    sees_codes,
)
from pipeline.review.coding import (
    codebooks,
    global_ratings,
    miti_summary,
    observer_tasks,
    page_state,
    passes,
    shortcuts,
    transcripts,
)
from pipeline.review.coding.change_requests import ChangeRequest, Identifier
from pipeline.review.consensus import consensus
from pipeline.review.context import context_of
from pipeline.review.errors import NotYetError
from pipeline.review.tapes import stored_measures
from pipeline.review.templating import render, seeing
from pipeline.tapes.consent import target_behavior

router = APIRouter(prefix="/tapes/{tape_id}/together")


class DecisionRequest(BaseModel):
    """The codes that the group settles on for an utterance, or an undo."""

    model_config = ConfigDict(extra="forbid")

    id: Identifier
    codebook: str
    utterance_id: Identifier
    action: Literal["set", "clear", "undo"] = "set"
    codes: list[Identifier] = []
    room: bool = False


@router.get("")
def consensus_page(
    request: Request, viewer: SignedIn, tape_id: str, codebook: str = "", room: bool = False
) -> Response:
    """Where the coders agree, where they do not, and what the group settles on; ``room``: for a wall that all see."""
    home = context_of(request).home
    with home.database.reading() as session:
        admitted = admit(request, session, viewer, tape_id, "show", "code", "play")
        if not sees_codes(admitted):
            own_passes = passes.own_passes(admitted)
            is_calibrating = bool(calibrating(session, viewer.person_id, [tape_id]))
            is_coding = is_calibrating or any(coding_pass.locked_at is None for coding_pass in own_passes)
            return render(
                request,
                "consensus/code_first.html",
                403 if is_coding else 200,
                tape_id=tape_id,
                own_passes=own_passes,
                calibrating=is_calibrating,
                why=LOCK_FIRST,
            )
        used_codebooks = consensus.used_codebooks(admitted) or [admitted.tape.codebook]
        chosen = consensus.group_codebook(admitted, codebook)
        page = render(
            request,
            "consensus/consensus_page.html",
            tape_id=tape_id,
            room=room,
            from_text=admitted.tape.from_text,
            no_sound=stored_measures.FROM_TEXT,
            codebook=chosen,
            books=[(name, codebooks.read(admitted, name).label) for name in used_codebooks],
            target_behavior=target_behavior.read(session, home.vault, tape_id),
            rated=(compared := global_ratings.compare_ratings(admitted, chosen)),
            settling=global_ratings.RATINGS if codebooks.read(admitted, chosen).is_miti else (),
            scores=miti_summary.score_rows(compared) if compared.counted else (),
            opinion=miti_summary.OPINION,
            scale=global_ratings.SCALE,
        )
    note(request, viewer, tape_id, SEEN, "together")
    return page


@router.post("/look")
def look_without_coding(request: Request, viewer: SignedIn, tape_id: str) -> Response:
    """See the others' codes without coding; later passes on this tape are not blind then."""
    with context_of(request).home.database.writing() as session:
        admitted = admit(request, session, viewer, tape_id, "show", "code")
        is_calibrating = bool(calibrating(session, viewer.person_id, [tape_id]))
        if is_calibrating or any(coding_pass.locked_at is None for coding_pass in passes.own_passes(admitted)):
            raise NotYetError(LOCK_FIRST, "blind")
        admitted.record(SEEN, "together")
    return seeing(f"/tapes/{tape_id}/together")


@router.get("/state")
def consensus_page_data(
    request: Request, viewer: SignedIn, tape_id: str, codebook: str, room: bool = False
) -> dict[str, Any]:
    """Return the state of the consensus page, as JSON; ``room``: names are masked for the interviewer, too."""
    home = context_of(request).home
    with home.database.reading() as session:
        admitted = admit(request, session, viewer, tape_id, "show", "code")
        require_codes(admitted)
        book = codebooks.read(admitted, codebook)
        own_keys = shortcuts.own_keys(session, viewer.person_id, codebook)
        board = consensus.consensus_board(admitted, transcripts.visible_transcript(admitted, room), book)
        fields = _board_fields(admitted, board) | {
            "tape": {"duration": admitted.tape.duration_ms, "from_text": admitted.tape.from_text},
            "codes": page_state.code_fields(book, observer_tasks.TASKS[0], own_keys),
            "sheet": page_state.sheet_address(tape_id, codebook),
            "talk": [asdict(Tags(book).of(name)) for name in consensus.machine_talk(book)],
            "bindings": page_state.binding_fields(book, own_keys, admitted.tape.from_text),
            "coders": board.coders,
            "places": [_utterance_fields(compared, book) for compared in board.utterances],
        }
    note(request, viewer, tape_id, SEEN, "together")
    return fields


@router.get("/mark")
def change_marker(request: Request, viewer: SignedIn, tape_id: str, codebook: str) -> dict[str, str]:
    """Return a marker that changes when others settle or correct something; the page polls it."""
    home = context_of(request).home
    with home.database.reading() as session:
        admitted = admit(request, session, viewer, tape_id, "show", "code")
        require_codes(admitted)
        return {"mark": consensus.change_marker(admitted, codebooks.read(admitted, codebook))}


@router.post("")
def settle_utterance(request: Request, viewer: SignedIn, tape_id: str, sent: DecisionRequest) -> dict[str, Any]:
    """Settle the codes of one utterance; return the measures after it."""
    home = context_of(request).home
    with home.database.writing() as session:
        admitted = admit(request, session, viewer, tape_id, "show", "code")
        require_codes(admitted)
        book = codebooks.read(admitted, sent.codebook)
        if sent.action == "undo":
            undone = consensus.undo_decision(admitted, book, sent.id)
            changed = undone or ""
        else:
            change = ChangeRequest(
                id=sent.id, kind="code", utterance_id=sent.utterance_id, action=sent.action, codes=sent.codes
            )
            refused = consensus.settle_codes(admitted, book, change)
            if refused:
                raise HTTPException(422, refused[0]["reason"])
            changed = sent.utterance_id
    with home.database.reading() as session:
        admitted = admit(request, session, viewer, tape_id, "show", "code")
        board = consensus.consensus_board(admitted, transcripts.visible_transcript(admitted, sent.room), book)
        utterances = [
            _utterance_fields(compared, book) for compared in board.utterances if compared.utterance.id == changed
        ]
        return _board_fields(admitted, board) | {"places": utterances}


@router.post("/ratings")
async def settle_ratings(request: Request, viewer: SignedIn, tape_id: str) -> Response:
    """Settle on MITI's global ratings, or leave some of them open again; everyone's own stay."""
    sent = await request.form()
    answers = global_ratings.parse_ratings(sent)
    return await run_in_threadpool(
        _store_settled_ratings, request, viewer, tape_id, str(sent.get("codebook", "")), answers
    )


def _store_settled_ratings(
    request: Request, viewer: SignedIn, tape_id: str, codebook: str, answers: dict[str, int]
) -> Response:
    home = context_of(request).home
    with home.database.writing() as session:
        admitted = admit(request, session, viewer, tape_id, "show", "code")
        require_codes(admitted)
        book = codebooks.read(admitted, codebook)
        if not book.is_miti:
            raise HTTPException(422, f"The codebook {book.label!r} has no global ratings. Choose MITI 4.2.")
        global_ratings.store_group_ratings(admitted, book.name, answers)
    return seeing(f"/tapes/{tape_id}/together?codebook={book.name}", "saved")


def _board_fields(admitted: Admitted, board: consensus.ConsensusBoard) -> dict[str, Any]:
    """Return the fields that change with every decision: the queue, the basis, the measures."""
    measures = consensus.group_measures(board)
    figures = stored_measures.ratios(measures.as_dict()) if board.is_measured else ()
    if board.by_hand:
        figures += tuple(map(stored_measures.of, miti_summary.adherence_totals(measures, board.book)))
    return {
        "queue": [compared.utterance.id for compared in board.queue],
        "basis": ". ".join(filter(None, (board.basis, board.languages))),
        "mark": consensus.change_marker(admitted, board.book),
        "measures": [
            {
                "label": figure.label,
                "unit": figure.unit,
                "value": figure.value,
                "low": figure.low,
                "high": figure.high,
                "undefined": figure.undefined,
                "text": figure.text if figure.value is not None else "undefined",
                "spread": figure.spread if figure.value is not None else figure.undefined,
            }
            for figure in figures
        ],
    }


def _utterance_fields(compared: consensus.ComparedUtterance, book: Codebook) -> dict[str, Any]:
    talk = consensus.machine_talk(book) if compared.utterance.role == CLIENT else ()
    return {
        **page_state.utterance_fields(compared.utterance, None),
        "opinions": [
            {"coder": opinion.coder, "codes": opinion.codes, "unsure": opinion.unsure, "task": opinion.task}
            for opinion in compared.shown_opinions
        ],
        "settled": compared.settled,
        "machine": compared.machine,
        "talk": [name for name in compared.pretags if name in talk],
        "probability": None if compared.probability is None else round(compared.probability, 2),
        "source": compared.source,
        "codes": compared.codes,
        "disputed": compared.disputed,
    }
