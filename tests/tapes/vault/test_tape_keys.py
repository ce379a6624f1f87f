"""The tapes' keys as files: whose folder it is, and that a destroyed key leaves no copy."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.errors import VaultError
from pipeline.files import PARTIAL
from pipeline.tapes.vault.locks import TapeLocks
from pipeline.tapes.vault.tape_keys import KeyFolder, checked, named


def keys(folder: Path, mark: str = "") -> KeyFolder:
    return KeyFolder(folder / "keys", TapeLocks(folder / "locks"), mark)


def test_a_folder_that_is_not_there_or_another_s_says_nothing_of_any_key(tmp_path: Path) -> None:
    with pytest.raises(VaultError, match="TR-V19"):
        keys(tmp_path).read("t1")
    keys(tmp_path, "ours").make()
    assert keys(tmp_path, "ours").read("t1") == b""
    with pytest.raises(VaultError, match="TR-V19"):
        keys(tmp_path, "theirs").read("t1")


def test_a_destroyed_key_is_overwritten_and_gone_with_what_killed_processes_left(tmp_path: Path) -> None:
    folder = keys(tmp_path)
    folder.make()
    path = folder.path("t1")
    path.write_bytes(b"wrapped")
    link = tmp_path / "another name of the same file"
    link.hardlink_to(path)
    left = path.with_name(f"t1.5{PARTIAL}")
    left.write_bytes(b"anew")
    assert set(folder.copies("t1")) == {path, left}
    assert folder.destroy("t1")
    assert folder.copies("t1") == []
    assert link.read_bytes() == bytes(7)
    assert not folder.destroy("t1")


def test_a_key_that_was_overwritten_is_none(tmp_path: Path) -> None:
    folder = keys(tmp_path)
    folder.make()
    folder.path("t1").write_bytes(bytes(40))
    assert folder.read("t1") == b""


@pytest.mark.parametrize("name", ["", "..", "a/b", "A", "-a", "a" * 65, "a\n"])
def test_what_is_no_id_never_stands_in_a_path(name: str) -> None:
    with pytest.raises(ValueError, match="is no id"):
        checked(name)


def test_entries_that_are_no_ids_are_passed_over(tmp_path: Path) -> None:
    for name in ("b1", "a1", "home.id", f"a1.1{PARTIAL}"):
        (tmp_path / name).touch()
    assert [path.name for path in named(tmp_path)] == ["a1", "b1"]
