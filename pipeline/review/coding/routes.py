"""The coding page and its requests: its state, the sound, the peaks, and storing changes."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Form, Request, UploadFile
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel
from starlette.exceptions import HTTPException

from pipeline.review import byte_ranges
from pipeline.review.auth.current_user import SignedIn, Viewer
from pipeline.review.authorization import admit, is_of_group, note, own_pass, require_group, sees_codes
from pipeline.review.byte_ranges import ByteRange
from pipeline.review.coding import (
    codebooks,
    correction_store,
    downloads,
    global_ratings,
    notes,
    observer_tasks,
    passes,
    shortcuts,
    transcripts,
)
from pipeline.review.coding.change_requests import ChangeBatch, ChangeRequest
from pipeline.review.coding.page_state import coding_page_state
from pipeline.review.coding.sound import WavSound
from pipeline.review.context import context_of
from pipeline.review.form_fields import Id, OptionalLineOfText
from pipeline.review.tapes import stored_measures
from pipeline.review.templating import render, seeing
from pipeline.tapes import simulated
from pipeline.tapes.consent import target_behavior

router = APIRouter(prefix="/tapes/{tape_id}")

BATCH_SIZE = 20
"""Changes per transaction: while one runs, nobody else can write, not even withdraw a tape."""

SPEEDS = ("0.5", "0.75", "1", "1.25", "1.5", "1.75", "2")


@router.get("/coding")
def start_page(request: Request, viewer: SignedIn, tape_id: str) -> Response:
    """Choose a task and a codebook, or go on with a pass."""
    home = context_of(request).home
    with home.database.reading() as session:
        admitted = admit(request, session, viewer, tape_id, "show", "code")
        own_passes = passes.own_passes(admitted)
        return render(
            request,
            "coding/start_page.html",
            tape_id=tape_id,
            from_text=admitted.tape.from_text,
            no_sound=stored_measures.FROM_TEXT,
            target_behavior=target_behavior.read(session, home.vault, tape_id),
            own_passes=[
                (
                    coding_pass,
                    observer_tasks.find_task(coding_pass.task),
                    codebooks.read(admitted, coding_pass.codebook).label,
                )
                for coding_pass in own_passes
            ],
            tasks=observer_tasks.TASKS,
            books=codebooks.codebook_labels(admitted),
            of_group=is_of_group(admitted),
            group_books=codebooks.group_codebook_labels(admitted),
            chosen=admitted.tape.codebook,
            sees=sees_codes(admitted),
        )


@router.post("/coding")
def begin_pass(
    request: Request,
    viewer: SignedIn,
    tape_id: str,
    task: Annotated[str, Form(max_length=40)],
    codebook: Annotated[str, Form(max_length=80)],
) -> Response:
    """Start a pass."""
    home = context_of(request).home
    with home.database.writing() as session:
        admitted = admit(request, session, viewer, tape_id, "show", "code")
        book = codebooks.for_new_pass(admitted, codebook)
        observer_task = (
            observer_tasks.random_task(book, tape_id, viewer.person_id)
            if task == "deal"
            else observer_tasks.find_task(task)
        )
        if not observer_task.codes_in(book):
            raise HTTPException(422, f"The codebook {book.label!r} has no codes for this task. Choose another.")
        new_pass = passes.start_pass(admitted, book, codebook, observer_task.name)
    return seeing(f"/tapes/{tape_id}/passes/{new_pass.id}")


@router.post("/codebooks")
def add_codebook(
    request: Request, viewer: SignedIn, tape_id: str, file: UploadFile, label: OptionalLineOfText = ""
) -> Response:
    """Add a codebook of CACTI for the tape's group, under a label."""
    home = context_of(request).home
    content = file.file.read()
    with home.database.writing() as session:
        admitted = require_group(admit(request, session, viewer, tape_id, "code"))
        admitted.record("codebook.add", codebooks.add_to_group(admitted, label, content))
    return seeing(f"/tapes/{tape_id}/coding", "saved")


@router.post("/codebooks/{codebook_id}/remove")
def remove_codebook(request: Request, viewer: SignedIn, tape_id: str, codebook_id: Id) -> Response:
    """Remove a codebook of the tape's group; passes that use it keep it."""
    with context_of(request).home.database.writing() as session:
        admitted = require_group(admit(request, session, viewer, tape_id, "code"))
        codebooks.remove_from_group(admitted, codebook_id)
        admitted.record("codebook.remove", codebook_id)
    return seeing(f"/tapes/{tape_id}/coding", "saved")


@router.get("/passes/{pass_id}")
def coding_page(request: Request, viewer: SignedIn, tape_id: str, pass_id: str) -> Response:
    """The coding page."""
    with context_of(request).home.database.reading() as session:
        admitted = admit(request, session, viewer, tape_id, "show", "code", "play")
        coding_pass = own_pass(admitted, pass_id)
        tape_url = f"/tapes/{tape_id}"
        book = codebooks.read(admitted, coding_pass.codebook)
        ratings = global_ratings.pass_ratings(admitted, coding_pass)
        links = [
            (f"{tape_url}/names", "Names in this tape"),
            (f"{tape_url}/notes", "Notes"),
            (f"{tape_url}/passes/{pass_id}/ratings", "Global ratings"),
        ]
        kinds = ("csv",) if admitted.tape.from_text else ("csv", "vtt")
        links += [(f"{tape_url}/passes/{pass_id}/codes.{kind}", f"My codes as {kind.upper()}") for kind in kinds]
        return render(
            request,
            "coding/coding_page.html",
            urls={
                "state": f"{tape_url}/passes/{pass_id}/state",
                "peaks": f"{tape_url}/peaks",
                "audio": f"{tape_url}/sound",
                "lock": f"{tape_url}/passes/{pass_id}/lock",
                "unlock": f"{tape_url}/passes/{pass_id}/unlock",
                "together": f"{tape_url}/together" if sees_codes(admitted) else "",
            },
            links=links,
            from_text=admitted.tape.from_text,
            no_sound=stored_measures.FROM_TEXT,
            task=observer_tasks.find_task(coding_pass.task),
            target_behavior=target_behavior.read(session, admitted.home.vault, tape_id),
            speeds=SPEEDS,
            locked=coding_pass.locked_at is not None,
            lock_stays=passes.lock_stays(admitted, coding_pass) if coding_pass.locked_at else "",
            tallies=passes.tallies(admitted, coding_pass, book) if coding_pass.locked_at else (),
            rates=book.is_miti,
            rated=[(rating.label, ratings[rating.name]) for rating in global_ratings.RATINGS if rating.name in ratings],
        )


@router.get("/passes/{pass_id}/state")
def coding_page_data(request: Request, viewer: SignedIn, tape_id: str, pass_id: str) -> Response:
    """Return the state of the coding page, as JSON."""
    home = context_of(request).home
    with home.database.reading() as session:
        admitted = admit(request, session, viewer, tape_id, "show", "code")
        coding_pass = own_pass(admitted, pass_id)
        own_keys = shortcuts.own_keys(session, viewer.person_id, coding_pass.codebook)
        page_state = coding_page_state(admitted, coding_pass, codebooks.read(admitted, coding_pass.codebook), own_keys)
    note(request, viewer, tape_id, "tape.show", "transcript")
    pass_url = f"/tapes/{tape_id}/passes/{pass_id}"
    # Encoded at once: a long tape has ten thousand words, and FastAPI would look at each.
    urls = {name: f"{pass_url}/{name}" for name in ("changes", "keys", "mark")}
    return JSONResponse(page_state | {"urls": urls})


@router.get("/passes/{pass_id}/mark")
def change_marker(request: Request, viewer: SignedIn, tape_id: str, pass_id: str) -> dict[str, int]:
    """Return a marker that changes when others correct the transcript; the page polls it. It shows nothing of codes."""
    with context_of(request).home.database.reading() as session:
        admitted = admit(request, session, viewer, tape_id, "show", "code")
        own_pass(admitted, pass_id)
        return {"mark": correction_store.count_others_corrections(admitted)}


@router.post("/passes/{pass_id}/changes")
def store_changes(request: Request, viewer: SignedIn, tape_id: str, pass_id: str, sent: ChangeBatch) -> dict[str, Any]:
    """Store changes, each once; return those that were refused, each with the reason.

    They are stored in batches, so that others can write in between.
    """
    # Notes are taken of a locked pass, too.
    note_changes = [change for change in sent.changes if change.kind == "note"]
    changes = [change for change in sent.changes if change.kind != "note"]
    refused = _store_notes(request, viewer, tape_id, pass_id, note_changes) if note_changes else []
    for first in range(0, len(changes) if note_changes else max(1, len(changes)), BATCH_SIZE):
        refused += _store_batch(request, viewer, tape_id, pass_id, changes[first : first + BATCH_SIZE])
    return {"refused": refused}


def _store_notes(
    request: Request, viewer: Viewer, tape_id: str, pass_id: str, changes: Sequence[ChangeRequest]
) -> list[dict[str, str]]:
    """Store notes; return those that were refused, each with the reason."""
    with context_of(request).home.database.writing() as session:
        admitted = admit(request, session, viewer, tape_id, "show", "code")
        own_pass(admitted, pass_id)
        return notes.store_notes(admitted, changes)


def _store_batch(
    request: Request, viewer: Viewer, tape_id: str, pass_id: str, changes: Sequence[ChangeRequest]
) -> list[dict[str, str]]:
    """Store changes in one transaction; return those that were refused, each with the reason."""
    with context_of(request).home.database.writing() as session:
        admitted = admit(request, session, viewer, tape_id, "show", "code")
        coding_pass = own_pass(admitted, pass_id)
        if coding_pass.locked_at is not None:
            raise HTTPException(409, "This pass is locked. Its codes cannot change.")
        code_changes = [change for change in changes if change.kind == "code"]
        corrections = [change for change in changes if change.kind != "code"]
        refused = (
            passes.store_codes(admitted, coding_pass, codebooks.read(admitted, coding_pass.codebook), code_changes)
            if code_changes
            else []
        )
        return refused + (correction_store.store_corrections(admitted, corrections) if corrections else [])


@router.post("/passes/{pass_id}/lock")
def lock(request: Request, viewer: SignedIn, tape_id: str, pass_id: str) -> Response:
    """Lock a pass."""
    with context_of(request).home.database.writing() as session:
        admitted = admit(request, session, viewer, tape_id, "show", "code")
        passes.lock_pass(admitted, own_pass(admitted, pass_id))
    return seeing(f"/tapes/{tape_id}/passes/{pass_id}", "saved")


@router.post("/passes/{pass_id}/unlock")
def unlock(request: Request, viewer: SignedIn, tape_id: str, pass_id: str) -> Response:
    """Take back the lock of a pass that nobody else has seen."""
    with context_of(request).home.database.writing() as session:
        admitted = admit(request, session, viewer, tape_id, "show", "code")
        passes.unlock_pass(admitted, own_pass(admitted, pass_id))
    return seeing(f"/tapes/{tape_id}/passes/{pass_id}", "saved")


class KeyRequest(BaseModel):
    """The key that a person wants for an action; an empty one restores the default."""

    action: str
    key: str


@router.post("/passes/{pass_id}/keys")
def choose_key(request: Request, viewer: SignedIn, tape_id: str, pass_id: str, wanted: KeyRequest) -> Response:
    """Choose another key for an action; it stays for this person and codebook."""
    home = context_of(request).home
    with home.database.writing() as session:
        admitted = admit(request, session, viewer, tape_id, "code")
        coding_pass = own_pass(admitted, pass_id)
        book, name = codebooks.read(admitted, coding_pass.codebook), coding_pass.codebook
        problem = shortcuts.choose(session, viewer.person_id, name, book, wanted.action, wanted.key)
    return JSONResponse({"detail": problem}, 422) if problem else Response(status_code=204)


@router.get("/passes/{pass_id}/codes.{kind}")
def download_codes(request: Request, viewer: SignedIn, tape_id: str, pass_id: str, kind: str) -> Response:
    """Return the codes of the own pass as ``csv`` or ``vtt``; a copy that leaves the vault is audited."""
    home = context_of(request).home
    with home.database.reading() as session:
        admitted = admit(request, session, viewer, tape_id, "show", "code")
        coding_pass = own_pass(admitted, pass_id)
        if kind not in ("csv", "vtt") or (kind == "vtt" and admitted.tape.from_text):
            raise HTTPException(404)
        utterances, codes = transcripts.visible_transcript(admitted), passes.pass_codes(admitted, coding_pass)
        book = codebooks.read(admitted, coding_pass.codebook)
        zero, invented = transcripts.zero(admitted), simulated.is_simulated(session)
    if kind == "csv":
        origin = None if admitted.tape.from_text else zero
        text, media_type = downloads.codes_csv(utterances, codes, origin, invented), "text/csv"
    else:
        text, media_type = downloads.codes_webvtt(utterances, codes, book, zero, invented), "text/vtt"
    note(request, viewer, tape_id, "codes.export", pass_id)
    headers = {"Content-Disposition": f'attachment; filename="codes.{kind}"'}
    return Response(text, headers=headers, media_type=f"{media_type}; charset=utf-8")


@router.get("/peaks")
def peaks(request: Request, viewer: SignedIn, tape_id: str, room: bool = False) -> Response:
    """Return the largest magnitude per 50 ms, one byte each, for drawing; ``room``: names are silent for all."""
    with context_of(request).home.database.reading() as session:
        admitted = admit(request, session, viewer, tape_id, "show")
        try:
            head, _, drawing = admitted.home.vault.read(transcripts.newest_item(admitted, "peaks")).partition(b"\n")
        except LookupError:
            raise HTTPException(404) from None
        shape = json.loads(head)
        length, channels = shape["length"], shape["channels"]
        magnitudes = [max(drawing[at + length * channel] for channel in range(channels)) for at in range(length)]
        for span in transcripts.muted_spans(admitted, room):
            low, high = (time * shape["per_second"] // 1000 for time in (span.start, span.end))
            magnitudes[low : high + 1] = [0] * len(magnitudes[low : high + 1])
        return Response(bytes(magnitudes), media_type="application/octet-stream")


@router.api_route("/sound", methods=["GET", "HEAD"])
def sound(request: Request, viewer: SignedIn, tape_id: str, room: bool = False) -> Response:
    """Return a piece of the sound; each request checks session, consent and masks again, and is audited.

    ``room``: it is heard by all, so that masked names are silent for the interviewer, too.
    """
    home = context_of(request).home
    with home.database.reading() as session:
        admitted = admit(request, session, viewer, tape_id, "play")
        try:
            item = transcripts.newest_item(admitted, "mono")
        except LookupError:
            raise HTTPException(404) from None
        silent = transcripts.muted_spans(admitted, room)
    with home.vault.open(item) as file:
        wav = WavSound(file, silent)

        def read(wanted: ByteRange) -> bytes:
            span = wav.span(wanted)
            note(request, viewer, tape_id, "tape.play", "sound", (span.start, span.end))
            return wav.read(wanted)

        return byte_ranges.answer(request, wav.size, wav.max_bytes, "audio/wav", read)
