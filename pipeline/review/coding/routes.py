"""The coding page and what it asks for: its state, the sound, the peaks, and a place for changes."""

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
from pipeline.review.byte_ranges import Part
from pipeline.review.coding import (
    codebooks,
    correction_store,
    global_ratings,
    observer_tasks,
    own_shortcuts,
    passes,
    shortcuts,
    transcripts,
)
from pipeline.review.coding.change_requests import Change, Changes
from pipeline.review.coding.page_state import state
from pipeline.review.coding.sound import Sound
from pipeline.review.context import context_of
from pipeline.review.form_fields import Id, OptionalLine
from pipeline.review.templating import render, seeing
from pipeline.tapes.consent import target_behavior

router = APIRouter(prefix="/tapes/{tape_id}")

AT_ONCE = 20
"""Changes that are stored in one go: as long as that takes, nobody else can write, not even withdraw a tape."""

SPEEDS = ("0.5", "0.75", "1", "1.25", "1.5", "1.75", "2")


@router.get("/coding")
def lobby(request: Request, viewer: SignedIn, tape_id: str) -> Response:
    """Choose a task and a codebook, or go on with a pass."""
    home = context_of(request).home
    with home.database.reading() as session:
        admitted = admit(request, session, viewer, tape_id, "show", "code")
        own = passes.own(admitted)
        return render(
            request,
            "coding/lobby.html",
            tape_id=tape_id,
            target_behavior=target_behavior.read(session, home.vault, tape_id),
            own=[(one, observer_tasks.task(one.task), codebooks.read(admitted, one.codebook).label) for one in own],
            tasks=observer_tasks.TASKS,
            books=codebooks.names(admitted),
            of_group=is_of_group(admitted),
            group_books=codebooks.group_names(admitted),
            chosen=admitted.tape.codebook,
            sees=sees_codes(admitted),
        )


@router.post("/coding")
def begin(
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
        book = codebooks.chosen(admitted, codebook)
        found = observer_tasks.dealt(book, tape_id, viewer.person_id) if task == "deal" else observer_tasks.task(task)
        if not found.of(book):
            raise HTTPException(422, f"The codebook {book.label!r} has no codes for this task. Choose another.")
        made = passes.start(admitted, book, codebook, found.name)
    return seeing(f"/tapes/{tape_id}/passes/{made.id}")


@router.post("/codebooks")
def take_in(request: Request, viewer: SignedIn, tape_id: str, file: UploadFile, label: OptionalLine = "") -> Response:
    """Take in a codebook of CACTI for the tape's group, under the label that it is to have."""
    home = context_of(request).home
    content = file.file.read()
    with home.database.writing() as session:
        admitted = require_group(admit(request, session, viewer, tape_id, "code"))
        admitted.record("codebook.add", codebooks.take_in(admitted, label, content))
    return seeing(f"/tapes/{tape_id}/coding", "saved")


@router.post("/codebooks/{codebook_id}/remove")
def take_out(request: Request, viewer: SignedIn, tape_id: str, codebook_id: Id) -> Response:
    """Take a codebook of the tape's group out; passes that use it keep it."""
    with context_of(request).home.database.writing() as session:
        admitted = require_group(admit(request, session, viewer, tape_id, "code"))
        codebooks.take_out(admitted, codebook_id)
        admitted.record("codebook.remove", codebook_id)
    return seeing(f"/tapes/{tape_id}/coding", "saved")


@router.get("/passes/{pass_id}")
def desk(request: Request, viewer: SignedIn, tape_id: str, pass_id: str) -> Response:
    """The coding page."""
    with context_of(request).home.database.reading() as session:
        admitted = admit(request, session, viewer, tape_id, "show", "code", "play")
        one = own_pass(admitted, pass_id)
        place = f"/tapes/{tape_id}"
        given = global_ratings.given(admitted, one)
        links = [(f"{place}/names", "Names in this tape"), (f"{place}/passes/{pass_id}/ratings", "Global ratings")]
        links += [(f"{place}/passes/{pass_id}/codes.{end}", f"My codes as {end.upper()}") for end in ("csv", "vtt")]
        return render(
            request,
            "coding/desk.html",
            urls={
                "state": f"{place}/passes/{pass_id}/state",
                "peaks": f"{place}/peaks",
                "audio": f"{place}/sound",
                "lock": f"{place}/passes/{pass_id}/lock",
                "together": f"{place}/together" if sees_codes(admitted) else "",
            },
            links=links,
            task=observer_tasks.task(one.task),
            target_behavior=target_behavior.read(session, admitted.home.vault, tape_id),
            speeds=SPEEDS,
            locked=one.locked_at is not None,
            rates=codebooks.read(admitted, one.codebook).is_miti,
            rated=[(rating.label, given[rating.name]) for rating in global_ratings.RATINGS if rating.name in given],
        )


@router.get("/passes/{pass_id}/state")
def filled(request: Request, viewer: SignedIn, tape_id: str, pass_id: str) -> Response:
    """What the coding page shows."""
    home = context_of(request).home
    with home.database.reading() as session:
        admitted = admit(request, session, viewer, tape_id, "show", "code")
        one = own_pass(admitted, pass_id)
        chosen = own_shortcuts.chosen(session, viewer.person_id, one.codebook)
        found = state(admitted, one, codebooks.read(admitted, one.codebook), chosen)
    note(request, viewer, tape_id, "tape.show", "transcript")
    place = f"/tapes/{tape_id}/passes/{pass_id}"
    # Encoded at once: a long tape has ten thousand words, and FastAPI would look at each.
    urls = {name: f"{place}/{name}" for name in ("changes", "keys", "mark")}
    return JSONResponse(found | {"urls": urls})


@router.get("/passes/{pass_id}/mark")
def mark(request: Request, viewer: SignedIn, tape_id: str, pass_id: str) -> dict[str, int]:
    """What the page asks every few seconds: whether others corrected the transcript. It tells nothing of codes."""
    with context_of(request).home.database.reading() as session:
        admitted = admit(request, session, viewer, tape_id, "show", "code")
        own_pass(admitted, pass_id)
        return {"mark": correction_store.others(admitted)}


@router.post("/passes/{pass_id}/changes")
def change(request: Request, viewer: SignedIn, tape_id: str, pass_id: str, sent: Changes) -> dict[str, Any]:
    """Store changes, each once; the ones that cannot be stored are named with the reason.

    Only some at a time: whoever sends hundreds lets others write in between.
    """
    refused: list[dict[str, str]] = []
    for first in range(0, max(1, len(sent.changes)), AT_ONCE):
        refused += _stored(request, viewer, tape_id, pass_id, sent.changes[first : first + AT_ONCE])
    return {"refused": refused}


def _stored(
    request: Request, viewer: Viewer, tape_id: str, pass_id: str, changes: Sequence[Change]
) -> list[dict[str, str]]:
    """Store changes in one transaction; those that cannot be, and why."""
    with context_of(request).home.database.writing() as session:
        admitted = admit(request, session, viewer, tape_id, "show", "code")
        one = own_pass(admitted, pass_id)
        if one.locked_at is not None:
            raise HTTPException(409, "This pass is locked. Its codes cannot change.")
        coded = [each for each in changes if each.kind == "code"]
        mended = [each for each in changes if each.kind != "code"]
        refused = passes.store(admitted, one, codebooks.read(admitted, one.codebook), coded) if coded else []
        return refused + (correction_store.correct(admitted, mended) if mended else [])


@router.post("/passes/{pass_id}/lock")
def lock(request: Request, viewer: SignedIn, tape_id: str, pass_id: str) -> Response:
    """End a pass."""
    with context_of(request).home.database.writing() as session:
        admitted = admit(request, session, viewer, tape_id, "show", "code")
        passes.lock(admitted, own_pass(admitted, pass_id))
    return seeing(f"/tapes/{tape_id}/passes/{pass_id}", "saved")


class Key(BaseModel):
    """A key that a person wants for an action; an empty one gives it back."""

    action: str
    key: str


@router.post("/passes/{pass_id}/keys")
def rebind(request: Request, viewer: SignedIn, tape_id: str, pass_id: str, wanted: Key) -> Response:
    """Choose another key for an action; it stays for this person and codebook."""
    home = context_of(request).home
    with home.database.writing() as session:
        admitted = admit(request, session, viewer, tape_id, "code")
        one = own_pass(admitted, pass_id)
        chosen = own_shortcuts.chosen(session, viewer.person_id, one.codebook)
        chosen.pop(wanted.action, None)
        if wanted.key:
            wrong = shortcuts.problem(codebooks.read(admitted, one.codebook), chosen, wanted.action, wanted.key)
            if wrong:
                return JSONResponse({"detail": wrong}, 422)
            chosen[wanted.action] = wanted.key
        own_shortcuts.choose(session, viewer.person_id, one.codebook, chosen)
    return Response(status_code=204)


@router.get("/peaks")
def peaks(request: Request, viewer: SignedIn, tape_id: str) -> Response:
    """The largest magnitude of each stretch of 50 ms, a byte each, for drawing."""
    with context_of(request).home.database.reading() as session:
        admitted = admit(request, session, viewer, tape_id, "show")
        try:
            head, _, drawing = admitted.home.vault.read(transcripts.item(admitted, "peaks")).partition(b"\n")
        except LookupError:
            raise HTTPException(404) from None
        shape = json.loads(head)
        length, channels = shape["length"], shape["channels"]
        found = [max(drawing[at + length * channel] for channel in range(channels)) for at in range(length)]
        for span in transcripts.muted(admitted):
            low, high = (time * shape["per_second"] // 1000 for time in (span.start, span.end))
            found[low : high + 1] = [0] * len(found[low : high + 1])
        return Response(bytes(found), media_type="application/octet-stream")


@router.api_route("/sound", methods=["GET", "HEAD"])
def sound(request: Request, viewer: SignedIn, tape_id: str) -> Response:
    """A piece of the sound; each asks for session, consent and masks anew, and stands in the audit."""
    home = context_of(request).home
    with home.database.reading() as session:
        admitted = admit(request, session, viewer, tape_id, "play")
        try:
            item = transcripts.item(admitted, "mono")
        except LookupError:
            raise HTTPException(404) from None
        silent = transcripts.muted(admitted)
    with home.vault.open(item) as file:
        wav = Sound(file, silent)

        def read(wanted: Part) -> bytes:
            span = wav.span(wanted)
            note(request, viewer, tape_id, "tape.play", "sound", (span.start, span.end))
            return wav.read(wanted)

        return byte_ranges.answer(request, wav.size, wav.most, "audio/wav", read)
