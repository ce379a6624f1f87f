"""Files of a home: whole or not at all, for their owner alone, and with names that are found again."""

from __future__ import annotations

import errno
import fcntl
import os
from pathlib import Path

import pytest

from pipeline.errors import VaultError
from pipeline.tapes.retention import tombstones
from pipeline.tapes.vault import atomic_files
from tests.tapes.conftest import NOON


@pytest.mark.parametrize("room", [1, 5, 11])
def test_a_disk_that_takes_a_part_of_a_line_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, room: int) -> None:
    real, left = os.write, [room]

    def full(handle: int, content: bytes) -> int:
        taken, left[0] = min(len(content), left[0]), max(0, left[0] - len(content))
        if not taken:
            raise OSError(errno.ENOSPC, "no space left on device")
        return real(handle, bytes(content)[:taken])

    monkeypatch.setattr(atomic_files.os, "write", full)
    with pytest.raises(VaultError, match="TR-V08"):
        tombstones.add(tmp_path, "tape-1", NOON)
    monkeypatch.undo()
    tombstones.add(tmp_path, "tape-1", NOON)
    assert "tape-1" in tombstones.read([tmp_path / tombstones.NAME])


def test_a_file_stands_there_whole_and_for_its_owner_or_not_at_all(tmp_path: Path) -> None:
    path = tmp_path / "file"
    with pytest.raises(ZeroDivisionError), atomic_files.published(path) as file:
        file.write(b"half")
        raise ZeroDivisionError
    assert list(tmp_path.iterdir()) == []
    with atomic_files.published(path) as file:
        file.write(b"first")
    assert path.stat().st_mode & 0o777 == 0o600
    with pytest.raises(FileExistsError), atomic_files.published(path) as file:
        file.write(b"second")
    assert path.read_bytes() == b"first"
    with atomic_files.published(path, replace=True) as file:
        file.write(b"third")
    assert path.read_bytes() == b"third"


def test_a_disk_that_cannot_be_written_is_told_and_other_failures_stay_what_they_are(tmp_path: Path) -> None:
    with pytest.raises(VaultError, match=r"TR-V08 .*No space left"), atomic_files.writable(tmp_path / "x"):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    with pytest.raises(ConnectionError), atomic_files.writable(tmp_path / "x"):
        raise ConnectionError(errno.ECONNRESET, "reset")


def test_a_file_that_something_else_will_write_is_closed_to_others_before(tmp_path: Path) -> None:
    open_file = tmp_path / "open"
    open_file.write_text("kept")
    open_file.chmod(0o644)
    for path in (open_file, tmp_path / "new"):
        atomic_files.closed(path)
        assert path.stat().st_mode & 0o777 == 0o600
    assert open_file.read_text() == "kept"
    atomic_files.closed(tmp_path / "nowhere" / "file")  # where it cannot be, that tells


def test_a_line_that_was_cut_stands_by_itself(tmp_path: Path) -> None:
    path = tmp_path / "list"
    path.write_text("first\nsec")
    atomic_files.appended(path, "third")
    assert [line for line in path.read_text().splitlines() if line] == ["first", "sec", "third"]


def test_an_unpublished_file_is_abandoned_when_nobody_has_it_and_it_is_old(tmp_path: Path) -> None:
    path = tmp_path / "partial"
    path.write_bytes(b"")
    assert not atomic_files.abandoned(path)  # its writer may be about to lock it
    os.utime(path, (0, 0))
    assert atomic_files.abandoned(path)
    with path.open("rb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        assert not atomic_files.abandoned(path)
    assert not atomic_files.abandoned(tmp_path / "none")


@pytest.mark.parametrize("name", ["a\nb", "a\udcffb"])
def test_a_name_that_is_no_line_of_text_is_refused(name: str) -> None:
    with pytest.raises(VaultError, match="TR-V08"):
        atomic_files.require_text(Path("/home") / name)


def test_a_folder_and_those_above_it_are_their_owner_s(tmp_path: Path) -> None:
    made = atomic_files.owned(tmp_path / "a" / "b")
    assert [path.stat().st_mode & 0o777 for path in (made, made.parent)] == [0o700, 0o700]
