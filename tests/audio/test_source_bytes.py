"""A recording's bytes, of a file or of a reader."""

from __future__ import annotations

import io
from hashlib import sha256
from pathlib import Path

from pipeline.audio import source_bytes

CONTENT = bytes(range(256)) * 5000


class Reader(io.RawIOBase):
    """Bytes that lie in no file, of which one read gives a part only."""

    def __init__(self) -> None:
        self._position = 0

    def seekable(self) -> bool:
        return True

    def readable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = 0, /) -> int:
        self._position = offset + (0, self._position, len(CONTENT))[whence]
        return self._position

    def readinto(self, buffer) -> int:  # type: ignore[no-untyped-def]
        piece = CONTENT[self._position :][: min(len(buffer), 100_000)]
        buffer[: len(piece)] = piece
        self._position += len(piece)
        return len(piece)


def test_a_file_and_a_reader_give_the_same_bytes(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(CONTENT)
    for source in (tmp_path / "file", Reader()):
        with source_bytes.opened(source) as content:
            assert content
            assert content.size == 1_280_000
            assert content.read_at(300, 3) == b",-."
            assert content.read_at(len(CONTENT) - 2, 9) == b"\xfe\xff"
            assert content.read_at(len(CONTENT), 9) == content.read_at(1 << 70, 9) == b""
            assert content.read_at(0, 700_000) == CONTENT[:700_000]
            assert content.sha256() == sha256(CONTENT).hexdigest()


def test_what_is_no_file_has_no_bytes(tmp_path: Path) -> None:
    with source_bytes.opened(tmp_path) as content:
        assert content is None
