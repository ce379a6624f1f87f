"""`tape-review restore`: from a backup to a home, without the tapes that were destroyed since."""

from __future__ import annotations

from pathlib import Path

from pipeline.tapes.home import Home
from tests.cli.calls import output
from tests.tapes.full_tape import FullTape


def test_a_backup_is_restored_with_the_copy_of_the_master_key(home: Home, tape: FullTape, tmp_path: Path) -> None:
    file, elsewhere = str(tmp_path / "one.backup"), tmp_path / "elsewhere"
    output(home.folder, "backup", file)
    output(home.folder, "destroy", tape.id, "--yes")
    stones = str(home.folder / "tape-review-tombstones.txt")
    printed = output(elsewhere, "restore", file, "--master-key", str(home.master.path), "--tombstones", stones)
    assert f"0 tapes in {elsewhere}; 1 stay destroyed" in printed
    assert "Later changes are not in the backup" in printed
    assert "none was edited" in output(elsewhere, "audit", "verify")
