"""Names of files and folders that mean something else to a URL, or to a list with one name a line."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from pipeline.errors import SettingsError, VaultError
from pipeline.settings import TapesSettings
from pipeline.tapes.backup import backup
from pipeline.tapes.home import Home
from pipeline.tapes.jobs import job_state
from pipeline.tapes.retention import destruction, exports
from tests.tapes.conftest import NOON
from tests.tapes.full_tape import full_tape

NAMES = ["who?", "pc%41", "two\nlines", "käse & #1"]


@pytest.mark.parametrize("name", NAMES)
def test_a_home_s_records_and_queue_lie_in_it_whatever_it_is_called(
    tapes_settings: TapesSettings, tmp_path: Path, name: str
) -> None:
    (tmp_path / "pcA").mkdir()
    home = Home.create(tapes_settings.model_copy(update={"home": str(tmp_path / name)}))
    job_state.queue_of(home).create()
    home.close()
    assert {path.name for path in tmp_path.iterdir()} == {"pcA", name}
    assert list((tmp_path / "pcA").iterdir()) == []
    assert {"tapes.sqlite3", "jobs.sqlite3"} <= {path.name for path in (tmp_path / name).iterdir()}


@pytest.mark.parametrize("name", [os.fsdecode(b"bad\xff"), "no\0thing"])
def test_a_home_whose_name_is_no_text_is_refused(tapes_settings: TapesSettings, tmp_path: Path, name: str) -> None:
    chosen = tapes_settings.model_copy(update={"home": str(tmp_path / name)})
    for way in (Home.create, Home.open):
        with pytest.raises(SettingsError, match="TR-S03 .* is no text"):
            way(chosen)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["a\u2028b", "a\rb", "- ?"])
def test_a_destruction_reaches_a_backup_whatever_it_is_called(home: Home, tmp_path: Path, name: str) -> None:
    tape = full_tape(home, NOON)
    made = backup.make(home, tmp_path / name, NOON)
    assert backup.noted(home) == [made.path]
    destruction.destroy(home, tape.id, "by hand", NOON)
    assert backup.forget(home, tape.id, NOON) == (1, 0)
    assert backup.strike(made.path, {tape.id}) == []


@pytest.mark.parametrize("name", ["a\nb", os.fsdecode(b"bad\xff")])
def test_what_could_not_be_found_again_is_not_written(home: Home, tmp_path: Path, name: str) -> None:
    tape = full_tape(home, NOON)
    folder = tmp_path / "out"
    folder.mkdir()
    with pytest.raises(VaultError, match="TR-V08"):
        backup.make(home, folder / name, NOON)
    with pytest.raises(VaultError, match="TR-V08"):
        exports.export(home, tape.id, tape.sample.interviewer, folder / name, NOON)
    assert list(folder.iterdir()) == []
    assert backup.noted(home) == []
