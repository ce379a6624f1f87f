"""The list of what must stay dead: whole after a crash, read or refused, never half believed."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.errors import VaultError
from pipeline.tapes.retention import tombstones
from tests.tapes.conftest import NOON


def test_a_tape_is_added_once_with_the_moment_of_its_first_end(tmp_path: Path) -> None:
    tombstones.add(tmp_path, "tape1", NOON)
    tombstones.add(tmp_path, "tape2", NOON + 1)
    tombstones.add(tmp_path, "tape1", NOON + 2)
    path = tmp_path / tombstones.NAME
    assert path.read_text().split() == ["tape1", str(NOON), "tape2", str(NOON + 1)]
    assert tombstones.read([path]) == {"tape1": NOON, "tape2": NOON + 1}


def test_lists_are_read_together_and_those_that_are_missing_passed_over(tmp_path: Path) -> None:
    (tmp_path / "one").write_text("a 1\n")
    (tmp_path / "two").write_text("b 2\na 3\n")
    paths = [tmp_path / name for name in ("missing", "one", "two")]
    assert tombstones.read(paths) == {"a": 3, "b": 2}
    assert tombstones.read([]) == {}


def test_a_list_that_cannot_be_read_is_an_error_and_not_an_empty_list(tmp_path: Path) -> None:
    (tmp_path / "list").mkdir()
    with pytest.raises(VaultError) as unreadable:
        tombstones.read([tmp_path / "list"])
    told = f"TR-V13 list of tombstones {tmp_path / 'list'} cannot be read (Is a directory); fix its permissions"
    assert str(unreadable.value) == told
    (tmp_path / tombstones.NAME).mkdir()
    with pytest.raises(VaultError, match="TR-V13"):
        tombstones.add(tmp_path, "tape1", NOON)


@pytest.mark.parametrize(
    "line", [b"tape1", b"tape1 ", b"tape1 x", b" tape1 1", b"tape1 1 2", b"-tape 1", b"Tape 1", b"a" * 65 + b" 1"]
)
def test_a_line_that_was_cut_is_passed_over_and_those_around_it_count(line: bytes) -> None:
    assert tombstones.parsed(b"a 1\n" + line + b"\nb 2\n") == {"a": 1, "b": 2}


def test_the_longest_id_and_moment_count_and_longer_ones_do_not() -> None:
    longest = b"a" * 64
    assert tombstones.parsed(longest + b" " + b"9" * 15) == {longest.decode(): 10**15 - 1}
    assert tombstones.parsed(b"a " + b"9" * 16) == {}


def test_after_a_cut_line_the_next_tape_stands_by_itself(tmp_path: Path) -> None:
    (tmp_path / tombstones.NAME).write_bytes(b"tape1 17")  # a crash in the middle of the number
    tombstones.add(tmp_path, "tape2", NOON)
    assert tombstones.read([tmp_path / tombstones.NAME])["tape2"] == NOON


def test_a_list_that_an_earlier_version_wrote_is_found_by_its_name(tmp_path: Path) -> None:
    (tmp_path / "tape-review-tombstones.txt").write_text(f"tape1 {NOON}\n")
    tombstones.add(tmp_path, "tape2", NOON + 1)
    assert (tmp_path / "tape-review-tombstones.txt").read_text().split() == ["tape1", str(NOON), "tape2", str(NOON + 1)]
