"""A recording in several files, or a file with several sound tracks: the member says how they belong together."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Form, Query, Request
from fastapi.responses import Response
from pydantic import Field

from pipeline.audio import file_times
from pipeline.audio.file_layout import MOST_FILES, ONE_FILE, FileLayout
from pipeline.errors import AudioError, ReviewError
from pipeline.review import errors
from pipeline.review.auth.current_user import SignedIn, Viewer
from pipeline.review.context import context_of
from pipeline.review.form_fields import Id
from pipeline.review.templating import seeing
from pipeline.review.upload import chunked_uploads
from pipeline.review.upload.drafts import draft, recording, tape_form
from pipeline.timeline import typed

router = APIRouter()

LaterFile = Annotated[int, Query(ge=2, le=MOST_FILES)]
"""Which file of the recording, from the second on."""

_Seconds = Annotated[list[Annotated[str, Field(max_length=12)]], Form(max_length=MOST_FILES)]
_Positions = Annotated[list[Annotated[int, Field(ge=1, le=MOST_FILES)]], Form(max_length=MOST_FILES)]
_ORDINALS = ("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth")


@router.get("/tapes/{tape_id}/another")
def another_page(request: Request, viewer: SignedIn, tape_id: Id) -> Response:
    """The page that sends the next file."""
    _draft(request, viewer, tape_id)
    files = len(chunked_uploads.recordings(context_of(request).home, tape_id))
    if not files or files == MOST_FILES:
        return seeing(f"/tapes/{tape_id}/{'files' if files else 'recording'}")
    return recording(request, viewer, tape_id, file=files + 1)


@router.post("/tapes/{tape_id}/another/discard")
def discard_another(request: Request, viewer: SignedIn, tape_id: Id, file: LaterFile = 2) -> Response:
    """Take a file back, and those after it; a first one that is left stands alone again."""
    _draft(request, viewer, tape_id)
    room = context_of(request)
    chunked_uploads.discard(room.home, tape_id, file)
    if len(chunked_uploads.recordings(room.home, tape_id)) > 1:
        return seeing(f"/tapes/{tape_id}/files")
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
    seconds: _Seconds = [],  # noqa: B006 - read only
    position: _Positions = [],  # noqa: B006 - read only
    who: Annotated[Literal["", "S1", "S2"], Form()] = "",
    track: Annotated[int, Form(ge=1, le=64)] = 1,
) -> Response:
    """Put the files together, or take a track; the part of the whole comes next."""
    _draft(request, viewer, tape_id)
    room = context_of(request)
    files = len(chunked_uploads.recordings(room.home, tape_id))
    values = {"together": together, "seconds": seconds, "who": who, "position": position}
    order: tuple[int, ...] = ()
    try:
        if files < 2:
            layout, voice = FileLayout(tracks=(track,)), None
        elif together == "parts":
            order = _order(position, files)
            layout, voice = FileLayout(join=True, gaps=_gaps(seconds, files)), None
        else:
            layout, voice = FileLayout(offset=_shift(seconds[0] if seconds else "")), who or None
        chunked_uploads.settle(room.home, room.settings.audio, tape_id, layout, voice, room.clock(), order)
    except (AudioError, ReviewError) as error:
        return _page(request, viewer, tape_id, values, error)
    return seeing(f"/tapes/{tape_id}/part")


def _draft(request: Request, viewer: Viewer, tape_id: str) -> None:
    room = context_of(request)
    with room.home.database.reading() as database:
        draft(database, viewer, tape_id, room.clock())


def _order(positions: list[int], files: int) -> tuple[int, ...]:
    """The numbers of the files by the place that each was given; none where they stay as they came."""
    if not positions or positions == list(range(1, files + 1)):
        return ()
    if sorted(positions) != list(range(1, files + 1)):
        raise ReviewError("R03", "form", "two files have the same place", "give each file a place of its own")
    return tuple(sorted(range(1, files + 1), key=lambda number: positions[number - 1]))


def _gaps(seconds: list[str], files: int) -> tuple[int, ...]:
    """Milliseconds between one part and the next; none where nothing was typed."""
    gaps = [_shift(text) for text in seconds[: files - 1]]
    if any(gap is not None and gap < 0 for gap in gaps):
        raise _no_number()
    return tuple(gap or 0 for gap in gaps) if any(gap is not None for gap in gaps) else ()


def _shift(seconds: str) -> int | None:
    """Milliseconds of what was typed; None for nothing."""
    text = seconds.strip()
    if not text:
        return None
    shift = typed(text.lstrip("+-"))
    if shift is None:
        raise _no_number()
    return -shift if text.startswith("-") else shift


def _no_number() -> ReviewError:
    return ReviewError("R03", "form", "the seconds between the files are not a number", "write them like 3.5")


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
    count = len(chunked_uploads.recordings(room.home, tape_id))
    tracks = chunked_uploads.tracks(room.home, tape_id) if count == 1 else ()
    if count < 2 and not tracks and refused is None:
        return seeing(f"/tapes/{tape_id}/{'part' if count else 'recording'}")
    times = chunked_uploads.file_times(room.home, tape_id)
    suggestion = file_times.suggested(times)
    is_in_order = suggestion is not None and suggestion.order == tuple(range(1, count + 1))
    gaps = [str(gap) for gap in suggestion.gaps] if suggestion and is_in_order and count > 2 else []
    filled = {"together": "people" if count == 2 else "parts", "who": "", "position": list(range(1, count + 1))}
    filled |= {"seconds": gaps or [""] * (count - 1)} | {name: value for name, value in values.items() if value}
    return tape_form(
        request,
        "upload/files.html",
        tape,
        errors.member_text(refused).words if refused else "",
        code=refused.code if refused else "",
        tracks=tracks,
        files=list(zip(_ORDINALS, times, filled["position"], strict=False)),
        joints=list(zip(_ORDINALS, _ORDINALS[1:], filled["seconds"], strict=False)),
        suggestion=suggestion,
        is_in_order=is_in_order,
        most=MOST_FILES,
        typed=filled,
    )
