"""A backup tells nothing to a thief, remembers itself, and is whole or not there."""

from __future__ import annotations

import errno
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy import select

from pipeline.errors import VaultError
from pipeline.settings import TapesSettings
from pipeline.tapes.backup import backup, restore
from pipeline.tapes.clock import DAY
from pipeline.tapes.db.records import AuditRow
from pipeline.tapes.home import Home
from pipeline.tapes.retention import destruction, retention, tombstones
from pipeline.tapes.vault.atomic_files import published
from tests.tapes.conftest import NOON
from tests.tapes.full_tape import FullTape


def test_a_backup_tells_nothing_to_a_thief(home: Home, tape: FullTape, tmp_path: Path) -> None:
    made = backup.make(home, tmp_path / "one.backup", NOON)
    assert made.path.stat().st_mode & 0o077 == 0
    whole = made.path.read_bytes()
    secret = home.master.load().masters[0]
    for word in (
        tape.mark.encode(),
        b"ada@example.org",
        b"Thursday",
        secret,
        (home.keys_folder / "audit.key").read_bytes(),
    ):
        assert word not in whole


def test_destruction_overwrites_the_key_in_a_backup_that_can_be_reached(
    home: Home, tape: FullTape, tmp_path: Path
) -> None:
    wrapped = (home.vault.folder / "keys" / tape.id).read_bytes()
    made = backup.make(home, tmp_path / "one.backup", NOON)
    assert wrapped in made.path.read_bytes()
    size = made.path.stat().st_size
    done = destruction.destroy(home, tape.id, "by hand", NOON)
    assert wrapped not in made.path.read_bytes()
    assert made.path.stat().st_size == size
    assert '"key overwritten": 1' in done.path.read_text()
    assert tape.id in tombstones.read([tmp_path / tombstones.NAME])


def test_backups_that_are_made_at_once_are_all_remembered(home: Home, tape: FullTape, tmp_path: Path) -> None:
    paths = [tmp_path / f"{number}.backup" for number in range(8)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda path: backup.note(home, path), paths))
    assert sorted(backup.noted(home)) == paths
    backup.note(home, paths[0])
    assert sorted(backup.noted(home)) == paths


def test_a_backup_out_of_reach_is_counted_in_the_certificate(home: Home, tape: FullTape, tmp_path: Path) -> None:
    (tmp_path / "stick").mkdir()
    backup.make(home, tmp_path / "stick" / "one.backup", NOON)
    (tmp_path / "stick").rename(tmp_path / "unplugged")
    assert '"not reached": 1' in destruction.destroy(home, tape.id, "by hand", NOON).path.read_text()


def test_a_backup_on_an_unplugged_stick_is_counted_and_cleaned_when_it_returns(
    home: Home, tape: FullTape, tmp_path: Path
) -> None:
    stick, drawer = tmp_path / "stick", tmp_path / "drawer"
    stick.mkdir()
    drawer.mkdir()
    wrapped = (home.vault.folder / "keys" / tape.id).read_bytes()
    made = backup.make(home, stick / "one.backup", NOON)
    away = made.path.rename(drawer / "one.backup")  # the mount point stays
    assert '"not reached": 1' in destruction.destroy(home, tape.id, "by hand", NOON).path.read_text()
    retention.enforce(home, NOON + DAY)
    assert wrapped in away.read_bytes()
    size = away.stat().st_size
    away.rename(made.path)
    retention.enforce(home, NOON + 2 * DAY)
    assert wrapped not in made.path.read_bytes()
    assert made.path.stat().st_size == size
    assert tombstones.read([stick / tombstones.NAME]) == {tape.id: NOON}
    retention.enforce(home, NOON + 3 * DAY)
    with home.database.reading() as session:
        told = session.execute(select(AuditRow.at, AuditRow.tape_id).where(AuditRow.action == "backup.strike"))
        assert [tuple(row) for row in told] == [(NOON + 2 * DAY, tape.id)]


def test_what_lies_in_the_place_of_a_backup_and_is_none_stops_nothing(
    home: Home, tape: FullTape, tmp_path: Path
) -> None:
    made = backup.make(home, tmp_path / "one.backup", NOON)
    made.path.write_bytes(b"a letter")
    assert '"not reached": 1' in destruction.destroy(home, tape.id, "by hand", NOON).path.read_text()
    assert retention.enforce(home, NOON) == []
    assert made.path.read_bytes() == b"a letter"


@pytest.mark.parametrize("call", ["open", "fsync", "link"])
def test_a_full_disk_leaves_no_backup(home: Home, tape: FullTape, tmp_path: Path, monkeypatch, call: str) -> None:
    (tmp_path / "disk").mkdir()
    real = getattr(os, call)

    def full(path: object, *arguments: object, **options: object) -> object:
        file = os.readlink(f"/proc/self/fd/{path}") if isinstance(path, int) and call == "fsync" else str(path)
        if file.startswith(str(tmp_path / "disk")):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return real(path, *arguments, **options)

    with monkeypatch.context() as patch:
        patch.setattr(os, call, full)
        with pytest.raises(VaultError, match="TR-V08.*No space left"):
            backup.make(home, tmp_path / "disk" / "one.backup", NOON)
    assert os.listdir(tmp_path / "disk") == []
    assert backup.noted(home) == []  # nor does a certificate count one
    backup.make(home, tmp_path / "disk" / "one.backup", NOON)
    assert backup.noted(home) == [tmp_path / "disk" / "one.backup"]


@pytest.mark.parametrize("number", [errno.EPERM, errno.ENOSYS, errno.EOPNOTSUPP])
def test_a_backup_lies_on_a_stick_that_knows_no_links(
    home: Home, tape: FullTape, tmp_path: Path, elsewhere: TapesSettings, copy: Path, monkeypatch, number: int
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "link", refuse)
    stick = tmp_path / "stick"
    stick.mkdir()
    made = backup.make(home, stick / "one.backup", NOON)
    assert os.listdir(stick) == ["one.backup"]
    with pytest.raises(FileExistsError), published(made.path) as file:
        file.write(b"another")
    with pytest.raises(VaultError, match="TR-V16 file .* already exists"):
        backup.make(home, made.path, NOON)
    assert made.path.stat().st_mode & 0o077 == 0
    monkeypatch.undo()
    assert restore.restore(made.path, elsewhere, NOON, master=copy).tapes == 1


def test_a_stick_that_refuses_the_file_after_all_is_left_as_it_was(tmp_path: Path, monkeypatch) -> None:
    def refuse(*_: object) -> None:
        raise OSError(errno.EPERM, os.strerror(errno.EPERM))

    monkeypatch.setattr(os, "link", refuse)
    monkeypatch.setattr(os, "rename", refuse)
    with pytest.raises(VaultError, match="TR-V08"), published(tmp_path / "one.backup") as file:
        file.write(b"whole")
    assert os.listdir(tmp_path) == []


def test_a_stick_that_is_not_plugged_in_is_told_and_not_counted(home: Home, tape: FullTape, tmp_path: Path) -> None:
    with pytest.raises(VaultError, match="TR-V08 folder .*stick does not exist; connect the disk, or choose another"):
        backup.make(home, tmp_path / "stick" / "one.backup", NOON)
    assert backup.noted(home) == []


def test_files_that_are_missing_from_the_vault_are_counted(home: Home, tape: FullTape, tmp_path: Path) -> None:
    home.vault.files(tape.id)[0].unlink()
    made = backup.make(home, tmp_path / "one.backup", NOON)
    assert (made.files, made.missing) == (7, 1)
