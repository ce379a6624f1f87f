"""`tape-review backup`: one file, and what else must be kept."""

from __future__ import annotations

from pathlib import Path

from pipeline.tapes.home import Home
from tests.cli.calls import call, output
from tests.tapes.full_tape import FullTape


def test_a_backup_says_how_much_it_holds_and_that_its_key_is_not_in_it(
    home: Home, tape: FullTape, tmp_path: Path
) -> None:
    printed = output(home.folder, "backup", str(tmp_path / "one.backup"))
    assert "1 tapes, 8 files" in printed
    assert f"keep a copy of {home.master.path} in another place" in printed.replace("\n", " ")
    assert tape.mark.encode() not in (tmp_path / "one.backup").read_bytes()


def test_files_that_the_vault_lost_are_counted(home: Home, tape: FullTape, tmp_path: Path) -> None:
    next(path for path in sorted((home.vault_folder / "tapes" / tape.id).rglob("*")) if path.is_file()).unlink()
    result = call(home.folder, "backup", str(tmp_path / "one.backup"))
    assert result.exit_code == 0, result.output
    assert "1 files are missing from the vault: run `tape-review doctor`" in result.output.replace("\n", " ")
