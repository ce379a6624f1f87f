"""The doctor finds what is wrong with a home, and finds nothing where all is well."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import text

from pipeline.files import PARTIAL
from pipeline.tapes.backup import backup
from pipeline.tapes.checks import storage
from pipeline.tapes.clock import DAY
from pipeline.tapes.home import Home
from pipeline.tapes.retention import destruction, tombstones
from tests.tapes.conftest import NOON
from tests.tapes.full_tape import FullTape, full_tape


@pytest.fixture
def tape(home: Home, tmp_path: Path) -> FullTape:
    """A living tape, a destroyed one, and a backup."""
    made = full_tape(home, NOON)
    gone = full_tape(home, NOON, sample=made.sample)
    destruction.destroy(home, gone.id, "by hand", NOON)
    backup.make(home, tmp_path / "one.backup", NOON)
    return made


def wrong(home: Home, now: int = NOON) -> dict[str, tuple[str, str]]:
    return {finding.what: (finding.state, finding.remedy) for finding in storage.check(home, now) if not finding.fine}


def test_nothing_is_wrong_with_a_home_that_is_well(home: Home, tape: FullTape) -> None:
    assert wrong(home) == {}
    assert len(storage.check(home, NOON)) == 18


def old(path: Path) -> Path:
    path.write_text("x")
    os.utime(path, (1, 1))
    return path


def unrecorded(home: Home, tape: FullTape) -> None:
    home.vault.put(tape.id, "peaks", b"x")


def lost_file(home: Home, tape: FullTape) -> None:
    home.vault.files(tape.id)[0].unlink()


def edited_audit(home: Home, tape: FullTape) -> None:
    with home.database.writing() as session:
        session.execute(text("DROP TRIGGER audit_refuses_update"))
        session.execute(text("UPDATE audit SET why = 'edited' WHERE seq = 1"))


def cut_file(home: Home, tape: FullTape) -> None:
    path = home.vault.files(tape.id)[0]
    path.write_bytes(path.read_bytes()[:-1])


def dead_walks(home: Home, tape: FullTape) -> None:
    tombstones.add(home.folder, tape.id, NOON)


def begun(home: Home, tape: FullTape) -> None:
    destruction.begin(home, tape.id, "by hand", NOON)


def forged(home: Home, tape: FullTape) -> None:
    path = next((home.folder / "certificates").glob("*.json"))
    content = json.loads(path.read_text())
    content["certificate"]["why"] = "due"
    path.write_text(json.dumps(content))


WRONGS: list[tuple[Callable[[Home, FullTape], object], str, str]] = [
    (lambda home, _: home.folder.chmod(0o755), "closed to others", "chmod"),
    (lambda home, _: (home.keys_folder / "audit.key").chmod(0o644), "closed to others", "chmod"),
    (lambda home, _: home.master.path.chmod(0o644), "closed to others", "chmod"),
    (edited_audit, "audit", "who changed"),
    (lost_file, "8 files", "backup"),
    (cut_file, "8 files", "backup"),
    (unrecorded, "files without a record", "worker"),
    (
        lambda home, tape: old(home.vault.folder / "tapes" / tape.id / f"a{PARTIAL}"),
        "what killed processes left",
        "worker",
    ),
    (lambda home, tape: home.vault.destroy_key(tape.id), "keys of 1 tapes", "destroy"),
    (dead_walks, "the dead are dead", "destroy"),
    (begun, "destructions that did not end", "destroy --due"),
    (forged, "1 certificates", "restore"),
]


@pytest.mark.parametrize(("spoil", "what", "remedy"), WRONGS)
def test_what_is_wrong_is_found_with_a_remedy(
    home: Home, tape: FullTape, spoil: Callable[[Home, FullTape], object], what: str, remedy: str
) -> None:
    spoil(home, tape)
    faults = wrong(home)
    assert what in faults
    assert remedy in faults[what][1]


def test_a_lost_master_key_is_found(home: Home, tape: FullTape) -> None:
    home.master.path.unlink()
    again = Home.open(home.settings)
    assert "TR-V04" in wrong(again)["keys"][0]
    again.close()


def test_what_should_be_gone_and_what_soon_will_be(home: Home, tape: FullTape) -> None:
    soon = next(
        finding for finding in storage.check(home, NOON + 20 * DAY) if finding.what == "destroyed within 14 days"
    )
    assert tape.id in soon.state
    late = wrong(home, NOON + 31 * DAY)
    assert tape.id in late["tapes past their time"][0]
    assert "run `tape-review destroy --due`" in late["tapes past their time"][1]


def test_a_backup_that_is_not_in_its_place_is_told(home: Home, tape: FullTape, tmp_path: Path) -> None:
    def told() -> str:
        return next(finding.state for finding in storage.check(home, NOON) if finding.what == "places of backups")

    assert told().startswith("all can be reached")
    (tmp_path / "one.backup").rename(tmp_path / "moved.backup")
    assert f"cannot be reached: {tmp_path / 'one.backup'} (certificates count them" in told()


def test_an_old_backup_is_told(home: Home, tape: FullTape) -> None:
    assert wrong(home, NOON + 8 * DAY)["backup"][1] == "run `tape-review backup`"


def test_an_empty_home_is_well(home: Home) -> None:
    assert wrong(home) == {}
