"""Digests, and files that are written whole or not at all."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from pipeline.errors import OutputError
from pipeline.files import PARTIAL, Digesting, atomic_write, put, sha256

ABC = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
"""SHA-256 of "abc" (FIPS 180-2, appendix B.1)."""


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_the_digest_of_a_file(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"abc")
    assert sha256(path) == ABC


def test_a_digest_is_kept_of_what_is_read_piece_by_piece(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"abcd")
    with path.open("rb") as file:
        content = Digesting(file)
        assert content.read(1) + content.read(2) == b"abc"
        assert content.digest() == ABC


def test_a_file_is_not_there_before_it_is_whole_and_alone_afterwards(tmp_path: Path) -> None:
    with atomic_write(tmp_path / "file") as file:
        file.write(b"abc")
        (partial,) = names(tmp_path)
        assert partial.startswith("file.")
        assert partial.endswith(PARTIAL)
    assert names(tmp_path) == ["file"]
    assert (tmp_path / "file").read_bytes() == b"abc"
    assert (tmp_path / "file").stat().st_mode & 0o777 == 0o600


def test_what_fails_on_the_way_leaves_what_stood_there(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"before")
    with pytest.raises(ZeroDivisionError), atomic_write(tmp_path / "file", replace=True) as file:
        file.write(b"after")
        raise ZeroDivisionError
    assert names(tmp_path) == ["file"]
    assert (tmp_path / "file").read_bytes() == b"before"


def test_a_file_gives_way_only_where_it_is_to_be_replaced(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"before")
    with pytest.raises(FileExistsError), atomic_write(tmp_path / "file") as file:
        file.write(b"after")
    assert names(tmp_path) == ["file"]
    assert (tmp_path / "file").read_bytes() == b"before"
    put(tmp_path / "file", b"after")
    assert (tmp_path / "file").read_bytes() == b"after"


@pytest.mark.parametrize("mask", [0o022, 0o077])
def test_what_a_user_named_is_as_private_as_the_process_says(mask: int, tmp_path: Path) -> None:
    before = os.umask(mask)
    try:
        put(tmp_path / "file", b"")
    finally:
        os.umask(before)
    assert (tmp_path / "file").stat().st_mode & 0o777 == 0o666 & ~mask


def test_a_file_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="TR-O04 file table.csv cannot be written"):
        put(tmp_path / "missing" / "table.csv", b"")
    (tmp_path / "folder").mkdir()
    with pytest.raises(OutputError, match="TR-O04 file folder cannot be written"):
        put(tmp_path / "folder", b"")
    assert names(tmp_path) == ["folder"]
