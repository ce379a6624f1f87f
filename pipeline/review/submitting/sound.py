"""The sound of a recording as it was sent, for its own interviewer who chooses a part of it.

The browser plays what it can; what it is told of the kind comes from the bytes themselves, never from a file's name.
"""

from __future__ import annotations

from typing import BinaryIO

from fastapi import Request
from fastapi.responses import Response

from pipeline import containers
from pipeline.review.coding.sound import Part, RangeError, part

TYPES = {
    "WAV": "audio/wav",
    "AIFF": "audio/aiff",
    "FLAC": "audio/flac",
    "Ogg": "audio/ogg",
    "MP3": "audio/mpeg",
    "MP4": "audio/mp4",
    "WebM": "audio/webm",
    "AAC": "audio/aac",
}
PIECE = 1 << 20
"""Bytes of one answer at most; a player asks for the next."""


def answer(request: Request, file: BinaryIO) -> Response:
    """The bytes that the request's ``Range`` asks for, or the first piece; the file is closed."""
    with file:
        size = file.seek(0, 2)
        headers = {"Accept-Ranges": "bytes"}
        try:
            asked = part(request.headers.get("range"), size, PIECE)
        except RangeError:
            return Response(status_code=416, headers=headers | {"Content-Range": f"bytes */{size}"})
        kind = containers.identify(lambda place, count: _read(file, Part(place, place + count - 1)))
        media_type = TYPES.get(kind.name if kind else "", "application/octet-stream")
        if request.method == "HEAD":
            return Response(headers=headers | {"Content-Length": str(size)}, media_type=media_type)
        if asked is None and size > PIECE:
            asked = Part(0, PIECE - 1)
        if asked is None:
            return Response(_read(file, Part(0, size - 1)), headers=headers, media_type=media_type)
        headers["Content-Range"] = f"bytes {asked.first}-{asked.last}/{size}"
        return Response(_read(file, asked), 206, headers, media_type=media_type)


def _read(file: BinaryIO, wanted: Part) -> bytes:
    file.seek(wanted.first)
    return file.read(wanted.length)
