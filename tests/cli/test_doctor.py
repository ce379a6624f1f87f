"""`tape-review doctor`: what is wrong with the home has its remedy beside it, and ends with exit status 1."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.tapes.checks import installation
from pipeline.tapes.clock import DAY, now
from pipeline.tapes.home import Home
from tests.cli.calls import call, output
from tests.tapes.full_tape import full_tape


@pytest.fixture(autouse=True)
def _whole_installation(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setattr(installation, "check", lambda _: ())  # tests/tapes/checks/test_installation.py has it


def test_a_home_without_a_backup_is_wrong_until_there_is_one(home: Home) -> None:
    full_tape(home, now() - DAY, days=3)
    result = call(home.folder, "doctor")
    assert result.exit_code == 1
    assert "run `tape-review backup`" in result.output
    output(home.folder, "backup", str(home.folder.with_name("one.backup")))
    assert "WRONG" not in output(home.folder, "doctor")


def test_a_tape_that_is_past_its_day_is_wrong(home: Home) -> None:
    late = full_tape(home, now() - 2 * DAY, days=1)
    output(home.folder, "backup", str(home.folder.with_name("one.backup")))
    result = call(home.folder, "doctor")
    assert result.exit_code == 1
    assert late.id in result.output
    output(home.folder, "destroy", "--due")
    assert "WRONG" not in output(home.folder, "doctor")


def test_without_a_home_the_installation_alone_is_checked(tmp_path: Path) -> None:
    result = call(tmp_path / "none", "doctor")
    assert result.exit_code == 0
    assert not (tmp_path / "none").exists()
