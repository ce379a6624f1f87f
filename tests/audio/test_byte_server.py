"""The decoder's process reads a recording through pipes: any part of it, and nothing when it cannot be read."""

from __future__ import annotations

import io
import os
import random

import pytest

from pipeline.audio.byte_server import ByteServer, ServedEnds, served
from pipeline.audio.source_bytes import SourceBytes

CONTENT = random.Random(3).randbytes(1_500_000)
SOURCE = SourceBytes(len(CONTENT), lambda offset, count: CONTENT[offset : offset + count])


def opened(ends: ServedEnds) -> io.BufferedReader:
    return served(ends.content, ends.requests, SOURCE.size)


def test_any_part_is_read_as_from_a_file() -> None:
    chance = random.Random(5)
    with (
        ByteServer(SOURCE).serving() as ends,
        opened(ends) as file,
    ):
        assert file.read(10) == CONTENT[:10]
        for _ in range(200):
            offset, count = chance.randrange(len(CONTENT) + 9), chance.choice([1, 7, 32_768, 400_000])
            file.seek(offset)
            assert file.read(count) == CONTENT[offset : offset + count]
        assert file.seek(-3, os.SEEK_END) == len(CONTENT) - 3
        assert file.read() == CONTENT[-3:]
        file.seek(0)
        assert file.read() == CONTENT


@pytest.mark.parametrize("request_", [b"\xff" * 12, (1 << 40).to_bytes(8, "big") + b"\0\0\0\x09"])
def test_who_asks_for_what_is_not_there_gets_nothing(request_: bytes) -> None:
    server = ByteServer(SOURCE)
    with server.serving() as ends:
        os.write(ends.requests, request_)
        assert os.read(ends.content, 100) == bytes(4)
    assert server.error is None


def test_nobody_gets_more_than_a_megabyte_at_once() -> None:
    with ByteServer(SOURCE).serving() as ends:
        os.write(ends.requests, bytes(8) + b"\xff" * 4)
        assert int.from_bytes(os.read(ends.content, 4), "big") == 1 << 20


def test_what_cannot_be_read_is_an_error_and_not_the_end_of_the_file() -> None:
    def read(offset: int, count: int) -> bytes:
        if offset >= 1 << 18:
            raise ValueError("altered")
        return CONTENT[offset : offset + count]

    server = ByteServer(SourceBytes(len(CONTENT), read))
    with server.serving() as ends, opened(ends) as file:
        assert file.read(1000) == CONTENT[:1000]
        with pytest.raises(OSError, match="not served"):
            file.read()
    assert isinstance(server.error, ValueError)
