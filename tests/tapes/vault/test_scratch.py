"""Plaintext lies in files without a name, for as long as it is needed."""

from __future__ import annotations

import errno
import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import pytest

from pipeline.errors import VaultError
from pipeline.tapes.vault import scratch as private
from pipeline.tapes.vault.scratch import Scratch

SPEECH = b"what was said"


@pytest.fixture(params=["in memory", "on a disk"])
def scratch(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Scratch:
    """As the system has it, and as it is where it knows no files in memory."""
    if request.param == "on a disk":
        monkeypatch.delattr(os, "memfd_create", raising=False)
        monkeypatch.setattr(private, "in_memory", lambda folder: False)
    return Scratch(tmp_path)


def everything(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())


def test_a_file_has_no_name(scratch: Scratch, tmp_path: Path) -> None:
    with scratch.file() as file:
        file.write(SPEECH)
        file.seek(0)
        assert file.read() == SPEECH
        assert os.fstat(file.fileno()).st_nlink == 0
        assert not os.get_inheritable(file.fileno())
        assert SPEECH not in everything(tmp_path)
    assert everything(tmp_path) == b""


def test_where_it_lies_is_told(scratch: Scratch, request: pytest.FixtureRequest) -> None:
    assert scratch.in_memory() == ("in memory" in request.node.name)


def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(os, "memfd_create", raising=False)
    monkeypatch.setattr(private, "in_memory", lambda folder: False)
    (tmp_path / "private").write_text("in the way")
    with pytest.raises(VaultError, match="TR-V08"), Scratch(tmp_path).file():
        pass


class Disk(NamedTuple):
    total: int
    used: int
    free: int


def test_a_folder_in_memory_that_is_too_small_is_told_with_the_remedy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def forbidden(name: str, flags: int = 0) -> int:
        raise PermissionError(errno.EPERM, "not permitted")  # as a container's filter of system calls answers

    looked_at: list[Path] = []

    def small(folder: Path) -> Disk:
        looked_at.append(folder)
        return Disk(64 << 20, 0, 64 << 20)

    monkeypatch.setattr(private.shutil, "disk_usage", small)
    monkeypatch.setattr(private, "in_memory", lambda folder: True)
    assert Scratch(tmp_path).shortage(1 << 40) == ""  # files without a name take what memory there is
    monkeypatch.setattr(os, "memfd_create", forbidden)
    assert Scratch(tmp_path).shortage(64 << 20) == ""
    sentence = Scratch(tmp_path).shortage((64 << 20) + 1)
    assert sentence.startswith(
        f"{private._SHARED} has 64 MiB free, and a backup of this home takes about 65 MiB there: make it"
    )
    assert "--shm-size" in sentence
    assert set(looked_at) == {private._SHARED}
    monkeypatch.setattr(private, "in_memory", lambda folder: False)
    assert Scratch(tmp_path).shortage(1 << 40) == ""  # it lies on the home's disk then
    assert not Scratch(tmp_path).in_memory()


@contextmanager
def left_by_an_older_version(home: Path) -> Iterator[Path]:
    """A folder as a killed process of an older version left it, in memory where that is possible."""
    root = next(root for root in Scratch(home)._roots() if root.parent.is_dir())
    folder = root / "4711-00000000"
    (folder / "work").mkdir(parents=True)
    (folder / "work" / "speech").write_bytes(SPEECH)
    (folder / "work").chmod(0)
    try:
        yield folder
    finally:
        Scratch(home).sweep()


def test_what_an_older_version_left_is_counted_and_swept(tmp_path: Path) -> None:
    scratch = Scratch(tmp_path)
    with left_by_an_older_version(tmp_path) as folder:
        (folder.parent / "a-file").write_bytes(SPEECH)
        assert scratch.leftovers() == [folder, folder.parent / "a-file"]
        assert scratch.sweep() == 2
        assert not folder.parent.exists()
        assert scratch.leftovers() == []


def test_what_a_living_process_of_an_older_version_has_in_use_stays_and_counts(tmp_path: Path) -> None:
    scratch = Scratch(tmp_path)
    with left_by_an_older_version(tmp_path) as folder:
        handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        fcntl.flock(handle, fcntl.LOCK_SH)
        assert scratch.sweep() == 0
        assert scratch.leftovers() == [folder]
        os.close(handle)
        assert scratch.sweep() == 1


def test_what_somebody_put_in_the_place_of_our_folder_is_not_looked_into(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "foreign").write_bytes(b"")
    (tmp_path / "private").symlink_to(tmp_path / "elsewhere")
    assert Scratch(tmp_path).leftovers() == []
    assert Scratch(tmp_path).sweep() == 0
    assert (tmp_path / "elsewhere" / "foreign").exists()
