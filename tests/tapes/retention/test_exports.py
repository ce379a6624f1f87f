"""Copies leave the vault only where the consent allows it, and none is forgotten when the tape is destroyed."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest
from sqlalchemy import select

from pipeline.errors import ConsentError, VaultError
from pipeline.tapes.clock import DAY
from pipeline.tapes.db.records import AuditRow, Export, Item, Tape
from pipeline.tapes.home import Home
from pipeline.tapes.retention import destruction, exports
from pipeline.tapes.vault.vault import Vault
from tests.tapes.conftest import NOON
from tests.tapes.full_tape import FullTape, found_in, full_tape


@pytest.fixture
def tape(home: Home) -> FullTape:
    return full_tape(home, NOON)


def test_results_are_copied_noted_and_audited(home: Home, tape: FullTape, tmp_path: Path) -> None:
    folder = tmp_path / "out"
    written = exports.export(home, tape.id, tape.sample.interviewer, folder, NOON)
    assert sorted(path.name for path in written) == ["report.html", "utterances.csv"] == sorted(os.listdir(folder))
    assert tape.mark.encode() in (folder / "report.html").read_bytes()
    assert folder.stat().st_mode & 0o077 == 0
    with home.database.reading() as session:
        assert set(session.scalars(select(Export.path))) == set(map(str, written))
        row = session.scalars(select(AuditRow).where(AuditRow.action == "export")).one()
        assert (row.actor_id, row.thing) == (tape.sample.interviewer.id, "2 files")


def test_the_sound_only_if_asked_for(home: Home, tape: FullTape, tmp_path: Path) -> None:
    written = exports.export(home, tape.id, tape.sample.interviewer, tmp_path / "out", NOON, sound=True)
    assert {path.name for path in written} == {"report.html", "utterances.csv", "sound.flac"}


def test_destruction_removes_the_copies_and_counts_those_it_does_not_find(
    home: Home, tape: FullTape, tmp_path: Path
) -> None:
    folder = tmp_path / "out"
    exports.export(home, tape.id, tape.sample.interviewer, folder, NOON)
    (folder / "report.html").rename(tmp_path / "moved.html")
    (folder / "utterances.csv").write_text("edited by hand")
    (folder / f"utterances.csv.1234.{'partial'}").write_text(tape.mark)  # a killed export's
    done = destruction.destroy(home, tape.id, "by hand", NOON)
    assert not folder.exists()
    assert '"not found": 1' in done.path.read_text()
    assert '"removed": 1' in done.path.read_text()
    assert found_in(tape.mark, tmp_path) == [tmp_path / "moved.html"]


def test_what_else_lies_in_the_folder_stays(home: Home, tape: FullTape, tmp_path: Path) -> None:
    exports.export(home, tape.id, tape.sample.interviewer, tmp_path / "out", NOON)
    (tmp_path / "out" / "letter.txt").write_text("dear friend")
    destruction.destroy(home, tape.id, "by hand", NOON)
    assert os.listdir(tmp_path / "out") == ["letter.txt"]


@pytest.mark.parametrize("who", ["member", "coordinator", "coach", "stranger", "administrator"])
def test_others_than_the_interviewer_get_no_copy(home: Home, tape: FullTape, tmp_path: Path, who: str) -> None:
    with pytest.raises(ConsentError):
        exports.export(home, tape.id, getattr(tape.sample, who), tmp_path / "out", NOON)
    assert not (tmp_path / "out").exists()


def test_no_copy_after_the_consent_has_ended(home: Home, tape: FullTape, tmp_path: Path) -> None:
    with pytest.raises(ConsentError, match="TR-D05"):
        exports.export(home, tape.id, tape.sample.interviewer, tmp_path / "out", NOON + 31 * DAY)


def test_a_folder_with_something_in_it_a_tape_without_results_and_no_tape(
    home: Home, tape: FullTape, tmp_path: Path
) -> None:
    with pytest.raises(VaultError, match="TR-V16 folder .* is not empty"):
        exports.export(home, tape.id, tape.sample.interviewer, tmp_path, NOON)
    with pytest.raises(VaultError, match="TR-V15"):
        exports.export(home, "unknown", tape.sample.interviewer, tmp_path / "out", NOON)
    with home.database.writing() as session:
        for name in ("report.html", "utterances.csv"):
            session.query(Item).filter_by(kind=name).delete()
    with pytest.raises(VaultError, match="TR-V16 tape .* has no results yet"):
        exports.export(home, tape.id, tape.sample.interviewer, tmp_path / "out", NOON)


@pytest.mark.parametrize("call", ["mkdir", "open", "fsync", "link"])
def test_a_disk_that_cannot_be_written_leaves_no_copy_and_no_note(
    home: Home, tape: FullTape, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    real = getattr(os, call)

    def full(path: object, *arguments: object, **options: object) -> object:
        if call == "fsync" or str(path).startswith(str(tmp_path / "out")):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return real(path, *arguments, **options)

    with monkeypatch.context() as patch:
        patch.setattr(os, call, full)
        with pytest.raises(VaultError, match="TR-V08.*No space left"):
            exports.export(home, tape.id, tape.sample.interviewer, tmp_path / "out", NOON)
    assert not (tmp_path / "out").exists()
    with home.database.reading() as session:
        assert list(session.scalars(select(Export))) == []


def test_a_tape_that_is_destroyed_while_it_is_copied_leaves_no_copy(
    home: Home, tape: FullTape, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, calls = Vault.open, []

    def destroying(vault: Vault, item: object) -> object:
        calls.append(item)
        if len(calls) == 2:
            destruction.begin(home, tape.id, "by hand", NOON)
        return real(vault, item)  # type: ignore[arg-type]

    monkeypatch.setattr(Vault, "open", destroying)
    with pytest.raises(VaultError, match="TR-V15"):
        exports.export(home, tape.id, tape.sample.interviewer, tmp_path / "out", NOON)
    assert not (tmp_path / "out").exists()
    destruction.resume(home, NOON)
    with home.database.reading() as session:
        assert session.get(Tape, tape.id) is None
