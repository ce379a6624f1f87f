"""A recording in two files, or a file with several sound tracks: the member says how they belong together."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Form, Request
from fastapi.responses import Response

from pipeline.audio.file_layout import ONE_FILE, FileLayout
from pipeline.errors import AudioError, ReviewError
from pipeline.review import errors
from pipeline.review.auth.current_user import SignedIn, Viewer
from pipeline.review.context import context_of
from pipeline.review.form_fields import Id, OptionalLineOfText
from pipeline.review.templating import seeing
from pipeline.review.upload import chunked_uploads
from pipeline.review.upload.drafts import draft, recording, tape_form
from pipeline.timeline import typed

router = APIRouter()


@router.get("/tapes/{tape_id}/second")
def second_page(request: Request, viewer: SignedIn, tape_id: Id) -> Response:
    """The page that sends the second file."""
    _draft(request, viewer, tape_id)
    if not chunked_uploads.recordings(context_of(request).home, tape_id):
        return seeing(f"/tapes/{tape_id}/recording")
    return recording(request, viewer, tape_id, file=2)


@router.post("/tapes/{tape_id}/second/discard")
def discard_second(request: Request, viewer: SignedIn, tape_id: Id) -> Response:
    """Take the second file back; the first stands alone again."""
    _draft(request, viewer, tape_id)
    room = context_of(request)
    chunked_uploads.discard(room.home, tape_id, 2)
    try:
        chunked_uploads.settle(room.home, room.settings.audio, tape_id, ONE_FILE, None, room.clock())
    except AudioError as error:
        return _page(request, viewer, tape_id, {}, error)
    return seeing(f"/tapes/{tape_id}/part")


@router.get("/tapes/{tape_id}/files")
def files_page(request: Request, viewer: SignedIn, tape_id: Id) -> Response:
    """The question how the files, or the tracks, belong together."""
    return _page(request, viewer, tape_id, {})


@router.post("/tapes/{tape_id}/files")
def put_together(
    request: Request,
    viewer: SignedIn,
    tape_id: Id,
    together: Annotated[Literal["people", "parts"], Form()] = "people",
    seconds: OptionalLineOfText = "",
    who: Annotated[Literal["", "S1", "S2"], Form()] = "",
    track: Annotated[int, Form(ge=1, le=64)] = 1,
) -> Response:
    """Put the files together, or take a track; the part of the whole comes next."""
    _draft(request, viewer, tape_id)
    room = context_of(request)
    values = {"together": together, "seconds": seconds, "who": who}
    shift = _signed(seconds)
    try:
        if len(chunked_uploads.recordings(room.home, tape_id)) < 2:
            layout, voice = FileLayout(tracks=(track,)), None
        elif seconds and (shift is None or (shift < 0 and together == "parts")):
            raise ReviewError("R03", "form", "the seconds between the files are not a number", "write them like 3.5")
        elif together == "parts":
            layout, voice = FileLayout(join=True, gaps=() if shift is None else (shift,)), None
        else:
            layout, voice = FileLayout(offset=shift), who or None
        chunked_uploads.settle(room.home, room.settings.audio, tape_id, layout, voice, room.clock())
    except (AudioError, ReviewError) as error:
        return _page(request, viewer, tape_id, values, error)
    return seeing(f"/tapes/{tape_id}/part")


def _draft(request: Request, viewer: Viewer, tape_id: str) -> None:
    room = context_of(request)
    with room.home.database.reading() as database:
        draft(database, viewer, tape_id, room.clock())


def _signed(seconds: str) -> int | None:
    """Milliseconds of what was typed; None for nothing, and for what is no time."""
    shift = typed(seconds.lstrip("+-")) if seconds else None
    return -shift if shift and seconds.startswith("-") else shift


def _page(
    request: Request,
    viewer: Viewer,
    tape_id: str,
    values: dict[str, Any],
    refused: AudioError | ReviewError | None = None,
) -> Response:
    room = context_of(request)
    with room.home.database.reading() as database:
        tape = draft(database, viewer, tape_id, room.clock())
    files = chunked_uploads.recordings(room.home, tape_id)
    tracks = chunked_uploads.tracks(room.home, tape_id) if len(files) == 1 else ()
    if len(files) < 2 and not tracks and refused is None:
        return seeing(f"/tapes/{tape_id}/{'part' if files else 'recording'}")
    return tape_form(
        request,
        "upload/files.html",
        tape,
        errors.member_text(refused).words if refused else "",
        code=refused.code if refused else "",
        tracks=tracks,
        typed={"together": "people", "seconds": "", "who": ""} | values,
    )
