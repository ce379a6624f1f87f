"""The audit's head lies in certificates and backups: whoever sets the home back is found by them."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from pipeline.errors import TapesError
from pipeline.tapes import audit_anchors, audit_log
from pipeline.tapes.backup import backup
from pipeline.tapes.home import Home
from pipeline.tapes.retention import destruction
from tests.tapes.conftest import FakeClock
from tests.tapes.full_tape import full_tape


def set_back(home: Home, earlier: Path) -> Home:
    """The home with database and copy of the head as they were."""
    settings = home.settings
    home.close()
    for name in ("tapes.sqlite3", "audit.head"):
        shutil.copy(earlier / name, home.folder / name)
    for log in home.folder.glob("tapes.sqlite3-*"):
        log.unlink()
    return Home.open(settings)


def kept(home: Home, folder: Path) -> Path:
    folder.mkdir()
    with closing(sqlite3.connect(home.folder / "tapes.sqlite3")) as connection:
        connection.execute("VACUUM INTO ?", [str(folder / "tapes.sqlite3")])
    shutil.copy(home.folder / "audit.head", folder)
    return folder


def faults(home: Home) -> list[str]:
    with home.database.reading() as session:
        return [fault.what for fault in home.audit.verify(session, audit_anchors.within_reach(home))]


def test_a_backup_and_a_certificate_find_what_was_set_back_with_its_copy(
    home: Home, clock: FakeClock, tmp_path: Path
) -> None:
    tape = full_tape(home, clock())
    earlier = kept(home, tmp_path / "earlier")
    with home.database.writing() as session:
        audit_log.record(session, clock(), "eve", "tape.play", tape.id)
    made = backup.make(home, tmp_path / "one.backup", clock.advance(1)).path
    certificate = destruction.destroy(home, tape.id, "by hand", clock.advance(1)).path
    assert [name for name, _ in audit_anchors.within_reach(home)] == [certificate.name, made.name]
    assert faults(home) == []
    home = set_back(home, earlier)
    assert {fault.split(" names")[0] for fault in faults(home)} == {
        f"is not the row that {certificate.name}",
        f"is not the row that {made.name}",
    }
    certificate.unlink()
    made.rename(tmp_path / "elsewhere.backup")
    assert faults(home) == []  # nothing in reach remembers
    name, head = audit_anchors.of(tmp_path / "elsewhere.backup")
    with home.database.reading() as session:
        assert [fault.seq for fault in home.audit.verify(session, [(name, head)])] == [head.seq]
    home.close()


@pytest.mark.parametrize(
    "content", [b"", b"[]", b"{}", b'{"certificate": {"audit": {}}}', b"\xff", b'{"certificate": 1}']
)
def test_a_file_that_names_no_row_says_so(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "x").write_bytes(content)
    with pytest.raises(TapesError, match="TR-K10 file .* names no row of the audit"):
        audit_anchors.of(tmp_path / "x")
    with pytest.raises(TapesError, match="TR-K10 file .* cannot be read"):
        audit_anchors.of(tmp_path / "y")
