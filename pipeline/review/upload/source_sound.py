"""The sound of a recording as it was sent, for its own interviewer who chooses a part of it.

The browser plays what it can; what it is told of the kind comes from the bytes themselves, never from a file's name.
"""

from __future__ import annotations

import io

from fastapi import Request
from fastapi.responses import Response

from pipeline.audio import sniff
from pipeline.review import byte_ranges
from pipeline.review.byte_ranges import ByteRange
from pipeline.review.coding.sound import MAX_SECONDS

LEAST, MOST = 32 << 10, 1 << 20
"""Bytes of one answer, between which it holds as many seconds as that of a finished tape."""


def answer(request: Request, file: io.RawIOBase, shown: int) -> Response:
    """The bytes that the request's ``Range`` asks for, or the first piece; the file is closed.

    Parameters
    ----------
    shown: milliseconds of the recording that were looked at, which are all of it, or its first hours.
    """
    with file:
        size = file.seek(0, 2)

        def read(wanted: ByteRange) -> bytes:
            file.seek(wanted.first)
            return file.read(wanted.length)

        kind = sniff.identify(lambda at, count: read(ByteRange(at, at + count - 1)))
        media_type = kind.kinds[0] if kind else "application/octet-stream"
        most = min(MOST, max(LEAST, size * 1000 * MAX_SECONDS // shown))
        return byte_ranges.answer(request, size, most, media_type, read)
