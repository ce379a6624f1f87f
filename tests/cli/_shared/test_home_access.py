"""Which home a verb opens, and that it is closed again."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.cli._shared.home_access import open_home, settings_with_home, warn_of_little_memory
from pipeline.errors import TapesError
from pipeline.tapes.checks import storage
from pipeline.tapes.home import Home
from pipeline.tapes.vault.scratch import Scratch


def test_the_option_wins_over_the_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TAPE_REVIEW_TAPES__HOME", str(tmp_path / "by-settings"))
    assert settings_with_home(None, None, None).tapes.home == str(tmp_path / "by-settings")
    assert settings_with_home(None, None, tmp_path / "by-option").tapes.home == str(tmp_path / "by-option")


def test_a_folder_is_named_from_where_the_user_stands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert settings_with_home(None, None, Path("tapes")).tapes.home == str(tmp_path / "tapes")


def test_a_home_is_closed_also_where_the_verb_fails(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    closed: list[Path] = []
    real = Home.close
    monkeypatch.setattr(Home, "close", lambda opened: (closed.append(opened.folder), real(opened)))
    with pytest.raises(ZeroDivisionError), open_home(home.folder) as opened:
        assert opened.folder == home.folder
        raise ZeroDivisionError
    assert closed == [home.folder]


def test_where_there_is_no_home_none_is_made(tmp_path: Path) -> None:
    with pytest.raises(TapesError, match="TR-K01"), open_home(tmp_path / "none"):
        pass
    assert not (tmp_path / "none").exists()


def test_too_little_memory_for_a_backup_is_told_at_the_start(
    home: Home, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    warn_of_little_memory(home)
    assert capsys.readouterr().err == ""
    needed: list[int] = []
    words = "the folder has 1 MiB free: make it larger"
    monkeypatch.setattr(Scratch, "shortage", lambda scratch, bytes_: needed.append(bytes_) or words)
    warn_of_little_memory(home)
    assert capsys.readouterr().err == f"Warning: {words}\n"
    assert needed == [3 * (home.folder / "tapes.sqlite3").stat().st_size]
    told = [finding for finding in storage.check(home, 0) if not finding.fine and finding.what == "memory for a backup"]
    assert [(finding.state, finding.remedy) for finding in told] == [("the folder has 1 MiB free", "make it larger")]
