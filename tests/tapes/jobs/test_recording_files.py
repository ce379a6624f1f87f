"""Which items of the vault a recording's files lie in."""

from __future__ import annotations

import pytest

from pipeline.errors import VaultError
from pipeline.tapes.db.records import Item
from pipeline.tapes.jobs import recording_files


def item(kind: str, size: int = 10, upload: str | None = None) -> Item:
    return Item(id=f"{kind}-{upload}", tape_id="t", kind=kind, size=size, sha256="", created_at=0, upload=upload)


def test_files_come_in_order_each_with_its_pieces_in_order() -> None:
    items = [
        item("recording:10"),
        item("recording@000000000010", 5),
        item("recording:2@000000000000"),
        item("survey"),
        item("recording@000000000000"),
        item("recording:3@000000000000", upload="pieces"),
        item("recording@000000000000", upload="form:1"),
    ]
    files = [[piece.kind for piece in pieces] for pieces in recording_files.whole_files(items)]
    first = ["recording@000000000000", "recording@000000000010"]
    assert files == [first, ["recording:2@000000000000"], ["recording:10"]]


@pytest.mark.parametrize("kinds", [["recording@000000000010"], ["recording@000000000000", "recording@000000000020"]])
def test_a_piece_that_is_missing_is_told(kinds: list[str]) -> None:
    with pytest.raises(VaultError, match="TR-V01"):
        recording_files.whole_files(map(item, kinds))


def test_kinds_say_which_file_and_from_which_byte() -> None:
    assert recording_files.recording_kind(1) == "recording"
    assert recording_files.recording_kind(3, 4_194_304) == "recording:3@000004194304"
    assert recording_files.file_number("recording:3@000004194304") == 3
    assert recording_files.file_number("recording@000000000000") == 1
    assert [
        kind for kind in ("recording:2", "recording@0", "recordings", "survey") if recording_files.is_recording(kind)
    ] == [
        "recording:2",
        "recording@0",
    ]
