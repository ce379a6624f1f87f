"""One bounded piece of a file for each request, as players ask for sound: ``Range``, and 206 with a part of it.

Nothing is on its way for longer than a piece lasts, so each piece asks anew who may have it.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from fastapi import Request
from fastapi.responses import Response

_RANGE = re.compile(r"bytes=(\d{0,15})-(\d{0,15})")


class RangeError(ValueError):
    """The file has no such bytes."""


@dataclass(frozen=True)
class ByteRange:
    """Bytes of a file, the last one included."""

    first: int
    last: int

    @property
    def length(self) -> int:
        """How many."""
        return self.last - self.first + 1


def part(header: str | None, size: int, most: int) -> ByteRange:
    """Return the part that a ``Range`` header asks for, at most so many bytes; the beginning where there is no such
    header.

    Raises
    ------
    RangeError: the file has no such bytes.
    """
    match = _RANGE.fullmatch((header or "").strip())
    if match is None or match.group(0) == "bytes=-":
        return ByteRange(0, min(most, size) - 1)
    first, last = match.groups()
    if not first:
        start, end = max(0, size - int(last)), size - 1
    else:
        start, end = int(first), min(int(last), size - 1) if last else size - 1
    if start >= size or end < start:
        raise RangeError(header)
    return ByteRange(start, min(end, start + most - 1))


def answer(request: Request, size: int, most: int, media_type: str, read: Callable[[ByteRange], bytes]) -> Response:
    """The piece that a request asks for: 200 where it is the whole file, else 206, or 416 where there is none.

    Parameters
    ----------
    size: of the whole file, in bytes. most: bytes of one answer. read: gives some bytes; not called for a HEAD.
    """
    headers, range_header = {"Accept-Ranges": "bytes"}, request.headers.get("range")
    try:
        wanted = part(range_header, size, most)
    except RangeError:
        return Response(status_code=416, headers=headers | {"Content-Range": f"bytes */{size}"})
    if request.method == "HEAD":
        return Response(headers=headers | {"Content-Length": str(size)}, media_type=media_type)
    if range_header is None and wanted.length == size:
        return Response(read(wanted), headers=headers, media_type=media_type)
    headers["Content-Range"] = f"bytes {wanted.first}-{wanted.last}/{size}"
    return Response(read(wanted), 206, headers, media_type=media_type)
