"""A log that strangers make longer, request by request, fills no disk; a full disk stops nobody for the log's sake."""

from __future__ import annotations

import errno
import os
import socket
from pathlib import Path

import pytest

from pipeline.tapes import logs
from tests.review.coding.server import serving
from tests.review.conftest import Room

MOST = 2000


def sizes(folder: Path) -> dict[str, int]:
    return {path.name: path.stat().st_size for path in folder.iterdir()}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(logs, "LARGE", MOST)
    (made := tmp_path / "logs").mkdir()
    return made


def test_requests_that_are_none_make_no_log_longer_than_it_may_be(room: Room, folder: Path) -> None:
    _, port = room.addressed()
    with logs.to_file(folder / "serve.log"), serving(room.app, port):
        for _ in range(80):
            with socket.create_connection(("127.0.0.1", port), timeout=10) as wire:
                wire.sendall(b"nothing\r\n\r\n")
                assert wire.recv(12) == b"HTTP/1.1 400"
    file_sizes = sizes(folder)
    assert set(file_sizes) == {"serve.log", "serve.log.1"}
    assert all(size < MOST + 500 for size in file_sizes.values())
    assert (folder / "serve.log.1").stat().st_mode & 0o777 == (folder / "serve.log").stat().st_mode & 0o777 == 0o600


def test_each_line_is_whole(folder: Path) -> None:
    with logs.to_file(folder / "serve.log"):
        for _ in range(60):
            logs.get().error("audit.refusal")
    for name in sizes(folder):
        lines = (folder / name).read_text().splitlines()
        assert lines
        assert all(line.startswith("{") and line.endswith("}") for line in lines)


def test_a_full_disk_stops_nothing(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(handle: int, content: bytes) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with logs.to_file(folder / "serve.log"):
        with monkeypatch.context() as patched:
            patched.setattr(os, "write", full)
            logs.get().error("audit.refusal")
        logs.get().error("audit.refusal")
    assert len((folder / "serve.log").read_text().splitlines()) == 1


def test_a_refusal_that_the_audit_could_not_take_is_named_in_the_log(folder: Path) -> None:
    with logs.to_file(folder / "serve.log"):
        logs.get().error("audit.refusal")
    assert '"event": "audit.refusal"' in (folder / "serve.log").read_text()
