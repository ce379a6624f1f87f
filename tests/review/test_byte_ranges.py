"""Pieces of a file: what a ``Range`` header asks for, and how little one answer holds."""

from __future__ import annotations

import pytest
from starlette.requests import Request

from pipeline.review.byte_ranges import ByteRange, RangeError, answer, part


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        (None, ByteRange(0, 49)),
        ("bytes=0-9", ByteRange(0, 9)),
        ("bytes=90-", ByteRange(90, 99)),
        ("bytes=10-", ByteRange(10, 59)),
        ("bytes=-5", ByteRange(95, 99)),
        ("bytes=-500", ByteRange(0, 49)),
        ("bytes=0-500", ByteRange(0, 49)),
        ("bytes=0-1,5-6", ByteRange(0, 49)),
        ("lines=0-9", ByteRange(0, 49)),
        ("bytes=-", ByteRange(0, 49)),
        ("bytes=x-y", ByteRange(0, 49)),
    ],
)
def test_one_answer_holds_what_is_asked_for_and_no_more_than_a_piece(header: str | None, expected: ByteRange) -> None:
    assert part(header, 100, 50) == expected


@pytest.mark.parametrize("header", ["bytes=100-", "bytes=100-200", "bytes=9-3", "bytes=-0"])
def test_a_range_beyond_the_file_is_refused(header: str) -> None:
    with pytest.raises(RangeError):
        part(header, 100, 50)


@pytest.mark.parametrize(
    ("method", "header", "most", "status", "content", "told"),
    [
        ("GET", "", 10, 200, b"0123456789", ""),
        ("GET", "", 4, 206, b"0123", "bytes 0-3/10"),
        ("GET", "bytes=0-", 10, 206, b"0123456789", "bytes 0-9/10"),
        ("GET", "bytes=8-", 4, 206, b"89", "bytes 8-9/10"),
        ("GET", "bytes=10-", 4, 416, b"", "bytes */10"),
        ("HEAD", "", 4, 200, b"", ""),
    ],
)
def test_the_answer_says_which_part_it_is(
    method: str, header: str, most: int, status: int, content: bytes, told: str
) -> None:
    headers = [(b"range", header.encode())] if header else []
    request = Request({"type": "http", "method": method, "headers": headers})
    made = answer(request, 10, most, "audio/wav", lambda wanted: b"0123456789"[wanted.first : wanted.last + 1])
    assert (made.status_code, made.body, made.headers.get("content-range", "")) == (status, content, told)
    assert made.headers["accept-ranges"] == "bytes"
    if method == "HEAD":
        assert made.headers["content-length"] == "10"
