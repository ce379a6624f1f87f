"""Together, apart: the stream that each page follows, and what a page sends to the others."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request
from fastapi.responses import JSONResponse, Response, StreamingResponse
from pydantic import BaseModel, ConfigDict, Field
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException

from pipeline.review import authorization
from pipeline.review.auth import cookies
from pipeline.review.auth.cookies import SESSION
from pipeline.review.auth.current_user import SignedIn, Viewer
from pipeline.review.authorization import admit, require_codes
from pipeline.review.coding import codebooks
from pipeline.review.coding.change_requests import Identifier
from pipeline.review.consensus.live import Follower, LiveTable
from pipeline.review.context import context_of

router = APIRouter(prefix="/tapes/{tape_id}/together/live")

STREAM = "text/event-stream"

CHECK_SECONDS = 3.0
"""How long a stream goes on before it is asked again whether its viewer may follow: as often as open pages ask."""

OTHER_LEADS = "Somebody else leads now. Take the lead first."


class LiveRequest(BaseModel):
    """A message of one page: its place, that it leads, its vote, or that all votes are to be shown."""

    model_config = ConfigDict(extra="forbid")

    codebook: str = Field(max_length=80)
    action: Literal["place", "lead", "vote", "show"]
    utterance_id: Identifier
    time: int = Field(default=0, ge=0, le=2**40)
    playing: bool = False
    codes: list[Identifier] = Field(default_factory=list, max_length=40)


@router.get("")
async def follow(
    request: Request, viewer: SignedIn, tape_id: str, codebook: Annotated[str, Query(max_length=80)]
) -> Response:
    """Follow whoever leads, as a stream of events; as JSON, once, for who asks for no stream."""
    await run_in_threadpool(_let_in, request, viewer, tape_id, codebook)
    tables = context_of(request).live
    table = tables.table(tape_id, codebook)
    if STREAM not in request.headers.get("accept", ""):
        return JSONResponse(table.seen_by(viewer.person_id))
    follower = tables.join(table, viewer.person_id)
    if follower is None:
        raise HTTPException(503, "Too many pages follow this tape. Close some of yours.")
    return StreamingResponse(_events(request, viewer, tape_id, table, follower), media_type=STREAM)


@router.post("")
async def lead(request: Request, viewer: SignedIn, tape_id: str, sent: LiveRequest) -> dict[str, Any]:
    """Take the others to a place, take the lead, vote, or show the votes."""
    known = await run_in_threadpool(_let_in, request, viewer, tape_id, sent.codebook)
    table = context_of(request).live.table(tape_id, sent.codebook)
    if sent.action == "lead" or (sent.action == "place" and not table.leader_id):
        table.lead(viewer.person_id, viewer.name)
    if sent.action == "vote":
        if sent.utterance_id in table.shown:
            raise HTTPException(409, "The votes on this utterance are shown already.")
        if unknown := [code for code in sent.codes if code not in known]:
            raise HTTPException(422, f"the codebook has no code {unknown[0]}")
        table.vote(viewer.person_id, viewer.name, sent.utterance_id, sent.codes)
    elif table.leader_id != viewer.person_id:
        raise HTTPException(409, OTHER_LEADS)
    elif sent.action == "show":
        table.show(sent.utterance_id)
    else:
        table.move(sent.utterance_id, sent.time, sent.playing)
    table.tell()
    return table.seen_by(viewer.person_id)


def _let_in(request: Request, viewer: Viewer, tape_id: str, codebook: str) -> frozenset[str]:
    """Return the codes of the codebook, for somebody who may see the others' codes; else as `require_codes` does."""
    with context_of(request).home.database.reading() as session:
        admitted = admit(request, session, viewer, tape_id, "show", "code", "play")
        require_codes(admitted)
        return frozenset(code.name for code in codebooks.read(admitted, codebook).codes)


def _may_stay(request: Request, viewer: Viewer, tape_id: str) -> bool:
    """Whether the session goes on and the viewer may still follow; nothing is read, so that no row tells of it."""
    room = context_of(request)
    now = room.clock()
    token = cookies.read(request, SESSION)
    current = room.sessions.find(token, now, attended=False) if token else None
    if current is None or current.step or current.person_id != viewer.person_id:
        return False
    with room.home.database.reading() as session:
        try:
            tape = authorization.still(session, viewer, tape_id, "show", now, "code", "play")
        except HTTPException:
            return False
        is_open = tape.state == "ready" and authorization.is_open(session, viewer.person_id, tape)
        return is_open and not authorization.unseen(session, viewer.person_id, [tape])


async def _events(
    request: Request, viewer: Viewer, tape_id: str, table: LiveTable, follower: Follower
) -> AsyncIterator[str]:
    clock = asyncio.get_running_loop().time
    checked = clock()
    try:
        while True:
            try:
                message = await asyncio.wait_for(follower.messages.get(), CHECK_SECONDS)
            except TimeoutError:
                message = None
            if message is None or clock() - checked >= CHECK_SECONDS:
                if not await run_in_threadpool(_may_stay, request, viewer, tape_id):
                    return
                checked = clock()
            yield f"data: {json.dumps(message)}\n\n" if message else ": here\n\n"
    finally:
        context_of(request).live.leave(table, follower)
