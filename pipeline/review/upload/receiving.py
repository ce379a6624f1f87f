"""The stream of an upload: counted as it comes, stopped within one network read (`connection.READ`) of the limit.

A script sends pieces (``PUT`` with ``Upload-Offset`` and ``Upload-Length``) and goes on where the server says; without
scripts a plain form sends the file at once. Neither touches a disk unencrypted.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import APIRouter, Header, Query, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import JSONResponse, Response
from python_multipart.exceptions import MultipartParseError
from python_multipart.multipart import MultipartParser, parse_options_header
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from pipeline.audio.file_layout import MOST_FILES
from pipeline.errors import AudioError, ReviewError
from pipeline.formats import plain_text
from pipeline.review import errors, form_fields
from pipeline.review.auth import csrf
from pipeline.review.auth.current_user import SignedIn, Viewer
from pipeline.review.context import context_of
from pipeline.review.form_fields import Id
from pipeline.review.templating import seeing
from pipeline.review.upload import chunked_uploads, quotas, transcripts
from pipeline.review.upload.drafts import draft, recording
from pipeline.tapes.clock import DAY

router = APIRouter()

Bytes = Annotated[int, Header(ge=0, le=1 << 40)]

FileNumber = Annotated[int, Query(ge=1, le=MOST_FILES)]
"""Which file of the recording, from 1."""

BESIDE = 16 << 10
"""Bytes of a form beside its file, at most."""


@router.get("/uploads/{tape_id}")
def received(request: Request, viewer: SignedIn, tape_id: Id, file: FileNumber = 1) -> Response:
    """How many bytes of a file are here, so that a cut upload goes on."""
    _draft(request, viewer, tape_id)
    home = context_of(request).home
    offset = chunked_uploads.offset(home, tape_id, file)
    if len(chunked_uploads.recordings(home, tape_id)) >= file:  # the answer to the last piece may have been lost
        return _done(tape_id, offset, chunked_uploads.survey(home, tape_id) is not None)
    return JSONResponse({"offset": offset, "done": False})


@router.get("/uploads/{tape_id}/check")
def check(request: Request, viewer: SignedIn, tape_id: Id, file: FileNumber = 1) -> Response:
    """Return what is wrong with the sound that has arrived, while the rest of it is still on its way."""
    _draft(request, viewer, tape_id)
    room = context_of(request)
    notes = chunked_uploads.early_words(room.home, room.settings.audio, tape_id, file)
    return JSONResponse({"notes": [errors.without_options(note) for note in notes]})


@router.put("/uploads/{tape_id}")
@csrf.streamed("header")
async def piece(
    request: Request, viewer: SignedIn, tape_id: Id, upload_offset: Bytes, upload_length: Bytes, file: FileNumber = 1
) -> Response:
    """Take bytes from an offset on; with the last of them the recording is looked over."""
    await run_in_threadpool(_draft, request, viewer, tape_id)
    room = context_of(request)
    limit_mb = room.settings.review.upload_limit_mb
    if upload_length > limit_mb * 1_000_000:
        raise chunked_uploads.too_large(limit_mb)
    await run_in_threadpool(_require_first, request, tape_id, file)
    at = await run_in_threadpool(chunked_uploads.offset, room.home, tape_id, file)
    if at != upload_offset:
        raise HTTPException(409, "Continue from where it stopped.", {"Upload-Offset": str(at)})
    if at > upload_length:  # a smaller file than the one that was begun
        raise chunked_uploads.beyond()
    await run_in_threadpool(_require_space, request, viewer, upload_length - at)
    upload = chunked_uploads.UPLOAD
    at = await _store_stream(request, tape_id, at, upload_length, request.stream(), upload, file)
    if at < upload_length:
        return JSONResponse({"offset": at, "done": False})
    seen = await run_in_threadpool(
        chunked_uploads.finish, room.home, room.settings.audio, tape_id, room.clock(), upload, file
    )
    return _done(tape_id, at, seen is not None)


@router.post("/uploads/{tape_id}/form")
@csrf.streamed("form")
async def form(request: Request, viewer: SignedIn, tape_id: Id, file: FileNumber = 1) -> Response:
    """Take the file of a plain form, whose token comes before it."""
    await run_in_threadpool(_draft, request, viewer, tape_id)
    await run_in_threadpool(_require_first, request, tape_id, file)
    room, upload = context_of(request), chunked_uploads.by_form()
    limit_mb = room.settings.review.upload_limit_mb
    stream = _FormStream(request)
    await run_in_threadpool(chunked_uploads.drop_forms, room.home, tape_id, room.clock() - DAY)
    try:
        await _store_stream(request, tape_id, 0, limit_mb * 1_000_000, stream.file(), upload, file)
        seen = await run_in_threadpool(
            chunked_uploads.finish, room.home, room.settings.audio, tape_id, room.clock(), upload, file
        )
    except (AudioError, ReviewError) as error:
        return await run_in_threadpool(recording, request, viewer, tape_id, error, file)
    finally:  # a form that is refused or cut leaves nothing of itself; what was here before stays
        await run_in_threadpool(chunked_uploads.drop, room.home, tape_id, upload, file)
    return seeing(f"/tapes/{tape_id}/{'files' if seen is None else 'part'}")


@router.post("/uploads/{tape_id}/scan")
@csrf.streamed("form")
async def scan(request: Request, viewer: SignedIn, tape_id: Id) -> Response:
    """Take the scanned consent form, whose token comes before it."""
    await run_in_threadpool(_draft, request, viewer, tape_id)
    room = context_of(request)
    content = bytearray()
    try:
        async for block in _FormStream(request, b"scan").file():
            content += block
            if len(content) > chunked_uploads.SCAN_MB * 1_000_000:
                remedy = "scan it in less detail"
                raise ReviewError("R06", "consent form", f"is larger than {chunked_uploads.SCAN_MB} MB", remedy)
        await run_in_threadpool(
            chunked_uploads.keep_scan, room.home, tape_id, bytes(content), room.clock(), _quota(request)
        )
    except ReviewError as error:
        return await run_in_threadpool(recording, request, viewer, tape_id, error)
    return seeing(f"/tapes/{tape_id}/recording", "saved")


@router.post("/uploads/{tape_id}/transcript")
@csrf.streamed("form")
async def transcript(request: Request, viewer: SignedIn, tape_id: Id) -> Response:
    """Take a transcript, whose token comes before it; its file is read at once, and nothing else of it is kept."""
    await run_in_threadpool(_draft, request, viewer, tape_id)
    room = context_of(request)
    content, stream = bytearray(), _FormStream(request, b"transcript")
    try:
        async for block in stream.file():
            content += block
            if len(content) > transcripts.MOST_MB * quotas.MEGABYTE:
                raise transcripts.too_large()
        written = await run_in_threadpool(transcripts.read, stream.file_name, bytes(content))
        await run_in_threadpool(transcripts.keep, room.home, tape_id, written, room.clock(), _quota(request))
    except ReviewError as error:
        return await run_in_threadpool(recording, request, viewer, tape_id, error)
    return seeing(f"/tapes/{tape_id}/transcript")


async def _store_stream(
    request: Request,
    tape_id: str,
    at: int,
    length: int,
    stream: AsyncIterator[bytes],
    upload: str = chunked_uploads.UPLOAD,
    file: int = 1,
) -> int:
    """Keep a stream piece by piece; how many bytes are here then. What came before a cut is kept."""
    room = context_of(request)
    limit_mb = room.settings.review.upload_limit_mb
    waiting = bytearray()

    async def store() -> None:
        nonlocal at
        content, quota = bytes(waiting), _quota(request)
        at = await run_in_threadpool(
            chunked_uploads.keep, room.home, tape_id, at, content, room.clock(), upload, file, quota
        )
        waiting.clear()

    try:
        async for block in stream:
            waiting += block
            if at + len(waiting) > limit_mb * 1_000_000:
                raise chunked_uploads.too_large(limit_mb)
            if at + len(waiting) > length:
                raise chunked_uploads.beyond()
            if len(waiting) >= chunked_uploads.PIECE or (at == 0 and len(waiting) >= 1 << 16):
                await store()
    except ClientDisconnect:
        await store()
        raise HTTPException(400, "The connection broke. What arrived was saved.") from None
    await store()
    return at


def _done(tape_id: str, at: int, surveyed: bool) -> Response:
    """The answer when a file is here whole: where to go from there."""
    return JSONResponse({"offset": at, "done": True, "next": f"/tapes/{tape_id}/{'part' if surveyed else 'files'}"})


def _require_first(request: Request, tape_id: str, file: int) -> None:
    """Refuse a file without those before it."""
    if file > 1 + len(chunked_uploads.recordings(context_of(request).home, tape_id)):
        raise HTTPException(409, "Upload the files in order.", {"Upload-Offset": "0"})


def _quota(request: Request) -> int:
    """Bytes that somebody's drafts may hold together."""
    limit_mb: int = context_of(request).settings.review.drafts_limit_mb
    return limit_mb * quotas.MEGABYTE


def _require_space(request: Request, viewer: Viewer, more: int) -> None:
    with context_of(request).home.database.reading() as database:
        quotas.require_space(database, viewer.person_id, more, _quota(request))


def _draft(request: Request, viewer: Viewer, tape_id: str) -> None:
    room = context_of(request)
    with room.home.database.reading() as database:
        draft(database, viewer, tape_id, room.clock())


class _FormStream:
    """Reads a multipart form as it comes: the token first, then the bytes of the one file."""

    def __init__(self, request: Request, field: bytes = b"recording") -> None:
        kind, options = parse_options_header(request.headers.get("content-type", ""))
        if kind != b"multipart/form-data" or not options.get(b"boundary"):
            raise HTTPException(400, "Send a form with a file.")
        self._request, self._field = request, field
        self._parser = MultipartParser(
            options[b"boundary"],
            {
                "on_part_begin": self._part,
                "on_header_value": self._header,
                "on_headers_finished": self._headers,
                "on_part_data": self._data,
            },
        )
        self._described, self._token, self._name = bytearray(), bytearray(), b""
        self._blocks: list[bytes] = []
        self._begun, self._beside = False, 0
        self.file_name = ""

    async def file(self) -> AsyncIterator[bytes]:
        """The file's bytes, as they come; what else the form holds is no more than its token needs."""
        try:
            async for block in self._request.stream():
                self._parser.write(block)
                self._beside += len(block) - sum(map(len, self._blocks))
                if self._beside > BESIDE:
                    raise HTTPException(413, "This form is too large.")
                for part in self._blocks:
                    yield part
                self._blocks.clear()
        except MultipartParseError as error:
            raise _damaged() from error
        if not self._begun:
            raise HTTPException(422, "Choose a file.")

    def _part(self) -> None:
        self._described.clear()
        self._name = b""

    def _header(self, data: bytes, start: int, end: int) -> None:
        self._described += data[start:end] + b";"
        if len(self._described) > 4096:
            raise _damaged()

    def _headers(self) -> None:
        _, options = parse_options_header(bytes(self._described))
        self._name = options.get(b"name", b"")
        if self._name == self._field:
            if not csrf.matches(self._request, self._token.decode("latin-1")):
                raise HTTPException(403, "Go back, reload the page, and send it again.")
            if self._begun:
                raise _damaged()
            self._begun = True
            name = options.get(b"filename", b"").decode("utf-8", "replace")
            self.file_name = form_fields.one_line(
                plain_text.without_controls(name.replace("\\", "/").rpartition("/")[2], "")
            )[-80:]

    def _data(self, data: bytes, start: int, end: int) -> None:
        if self._name == self._field:
            self._blocks.append(data[start:end])
        elif self._name == b"csrf" and len(self._token) < 200:
            self._token += data[start:end]


def _damaged() -> HTTPException:
    return HTTPException(400, "The form is damaged.")
