"""A backup brings everything back on an empty machine, tells of any change, and raises no dead."""

from __future__ import annotations

import io
import os
import shutil
import tarfile
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from types import SimpleNamespace

import pytest
from sqlalchemy import Connection, MetaData, select, update
from sqlalchemy.exc import DBAPIError

from pipeline.errors import TapesError, VaultError
from pipeline.formats import cacti_codebook
from pipeline.formats.safe_reader import Source
from pipeline.settings import TapesSettings
from pipeline.tapes import group_codebooks
from pipeline.tapes.backup import backup, restore
from pipeline.tapes.clock import DAY
from pipeline.tapes.db import schema
from pipeline.tapes.db.records import (
    AuditRow,
    CalibrationEvent,
    CalibrationPass,
    CalibrationTape,
    Group,
    Item,
    Person,
    Record,
    Tape,
    Tombstone,
    WebSession,
)
from pipeline.tapes.home import Home
from pipeline.tapes.retention import certificates, destruction, tombstones
from pipeline.tapes.vault.key_rotation import rotate
from pipeline.tapes.vault.master_key import PASSPHRASE, VARIABLE, MasterKey
from tests.formats.test_cacti_codebook import FILE
from tests.tapes.conftest import BOTH, NOON
from tests.tapes.full_tape import FullTape, found_in, full_tape
from tests.tapes.postgres import Server

WORDS = "a passphrase of several words"


def content(home: Home) -> dict[str, list[tuple[object, ...]]]:
    """Every row of every table."""
    with home.database.reading() as session:
        return {
            table.name: sorted(map(tuple, session.execute(select(table))), key=repr)
            for table in Record.metadata.sorted_tables
        }


def test_everything_comes_back_on_an_empty_machine(
    home: Home, tape: FullTape, tmp_path: Path, elsewhere: TapesSettings, copy: Path
) -> None:
    with home.database.writing() as session:
        who = tape.sample.member.id
        session.add(WebSession(token_hash="x", person_id=who, created_at=NOON, seen_at=NOON, csrf="y"))  # noqa: S106
    other = full_tape(home, NOON, sample=tape.sample)
    destruction.destroy(home, other.id, "by hand", NOON)
    before = content(home)
    made = backup.make(home, tmp_path / "one.backup", NOON + 1, tape.sample.member.id)
    assert (made.tapes, made.files, made.missing, made.whole) == (1, 8, 0, False)
    home.close()
    shutil.rmtree(home.folder)
    done = restore.restore(made.path, elsewhere, NOON + 2, master=copy)
    assert (done.tapes, done.dead) == (1, 0)
    again = Home.open(elsewhere)
    after = content(again)
    assert after.pop("sessions") == []  # nobody stays signed in
    del before["sessions"]
    new = {name: [row for row in after[name] if row not in before[name]] for name in before}
    assert {name for name, rows in new.items() if rows} == {"audit", "audit_head"}
    assert len(new["audit"]) == 1
    assert all(len(after[name]) == len(before[name]) + (name == "audit") for name in before)
    with again.database.reading() as session:
        assert again.audit.verify(session) == ()
        assert session.scalars(select(AuditRow.action).order_by(AuditRow.seq.desc())).first() == "restore"
        for item in session.scalars(select(Item)):
            assert again.vault.read(item).startswith(tape.mark.encode())
    destruction.destroy(again, tape.id, "by hand", NOON + 3)
    certificate_files = [
        certificates.read(again.folder / "certificates" / f"{destroyed.id}.json") for destroyed in (other, tape)
    ]
    assert len({checked.fingerprint for checked in certificate_files}) == 1  # signed with one key, before and after
    for path in again.folder.rglob("*"):
        assert path.stat().st_mode & 0o077 == 0 or path.suffix == ".sqlite3" or "sqlite3-" in path.name, path
    again.close()


def test_without_the_master_key_a_backup_is_worth_nothing(
    home: Home, tape: FullTape, tmp_path: Path, elsewhere: TapesSettings
) -> None:
    made = backup.make(home, tmp_path / "one.backup", NOON)
    with pytest.raises(VaultError, match="TR-V04 master key of backup .* is missing; add --master-key"):
        restore.restore(made.path, elsewhere, NOON)
    MasterKey(tmp_path / "other.key").create("file")
    with pytest.raises(VaultError, match="TR-V07"):
        restore.restore(made.path, elsewhere, NOON, master=tmp_path / "other.key")
    assert not (tmp_path / "elsewhere" / "home").exists()
    assert os.listdir(tmp_path / "elsewhere") == []


def test_a_passphrase_opens_a_backup_alone(
    tapes_settings: TapesSettings, tmp_path: Path, elsewhere: TapesSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(PASSPHRASE, raising=False)
    home = Home.create(tapes_settings, "passphrase", lambda: WORDS)
    tape = full_tape(home, NOON)
    made = backup.make(home, tmp_path / "one.backup", NOON)
    assert made.whole
    home.close()
    with pytest.raises(VaultError, match="TR-V06"):
        restore.restore(made.path, elsewhere, NOON, ask=lambda: WORDS + "?")
    assert restore.restore(made.path, elsewhere, NOON, ask=lambda: WORDS).tapes == 1
    again = Home.open(elsewhere, lambda: WORDS)
    with again.database.reading() as session:
        item = session.scalars(select(Item).where(Item.kind == "mono")).one()
    assert again.vault.read(item).startswith(tape.mark.encode())
    again.close()


def test_a_key_service_opens_a_backup(
    home: Home, tape: FullTape, tmp_path: Path, elsewhere: TapesSettings, monkeypatch
) -> None:
    monkeypatch.setenv(VARIABLE, home.vault.ring.text())
    home.master.keep(home.vault.ring, "environment")
    made = backup.make(home, tmp_path / "one.backup", NOON)
    assert restore.restore(made.path, elsewhere, NOON).tapes == 1
    assert tape.id


@pytest.mark.engines
@pytest.mark.parametrize("away", [True, False], ids=["to PostgreSQL", "from PostgreSQL"])
def test_a_backup_moves_a_home_from_one_database_to_another(
    home: Home, postgres: Server, tmp_path: Path, elsewhere: TapesSettings, copy: Path, away: bool
) -> None:
    with postgres.migrated() as full, postgres.empty() as empty:
        source = home if away else Home(home.folder, home.settings.model_copy(update={"database": full}))
        tape = full_tape(source, NOON)
        made, before = backup.make(source, tmp_path / "one.backup", NOON), content(source)
        target = elsewhere.model_copy(update={"database": empty if away else ""})
        assert restore.restore(made.path, target, NOON, master=copy).tapes == 1
        again = Home.open(target)
        after = content(again)
        assert {name for name, rows in after.items() if rows[: len(before[name])] != before[name]} <= {
            "audit",
            "audit_head",
        }
        with again.database.reading() as session:
            assert again.audit.verify(session) == ()
        destruction.destroy(again, tape.id, "by hand", NOON)
        again.close()
        source.close()


# the dead stay dead


def kill_in_backup(home: Home, tape: FullTape, made: Path) -> None:
    """Destroyed while the backup could be reached."""
    destruction.destroy(home, tape.id, "withdrawn", NOON + DAY)


def kill_elsewhere(home: Home, tape: FullTape, made: Path) -> None:
    """Destroyed while the backup lay in a drawer; the list of the home is still there."""
    away = made.with_name("drawer")
    made.rename(away)
    destruction.destroy(home, tape.id, "withdrawn", NOON + DAY)
    away.rename(made)
    made.with_name(tombstones.NAME).unlink(missing_ok=True)


@pytest.mark.parametrize("kill", [kill_in_backup, kill_elsewhere])
@pytest.mark.parametrize("where", ["beside", "in the home", "given"])
def test_a_destroyed_tape_stays_dead_after_a_restore(
    home: Home,
    tape: FullTape,
    tmp_path: Path,
    elsewhere: TapesSettings,
    copy: Path,
    kill: Callable[[Home, FullTape, Path], None],
    where: str,
) -> None:
    other = full_tape(home, NOON, sample=tape.sample)
    made = backup.make(home, tmp_path / "one.backup", NOON)
    kill(home, tape, made.path)
    home.close()
    stones = Path(shutil.move(home.folder / tombstones.NAME, tmp_path / "list"))
    lists = []
    if kill is kill_elsewhere:
        if where == "beside":
            shutil.copy(stones, tmp_path / tombstones.NAME)
        elif where == "in the home":
            Path(elsewhere.home).mkdir(parents=True)
            shutil.copy(stones, Path(elsewhere.home) / tombstones.NAME)
        else:
            lists = [stones]
    done = restore.restore(made.path, elsewhere, NOON + 2 * DAY, master=copy, lists=lists)
    assert (done.tapes, done.dead) == (1, 1)
    again = Home.open(elsewhere)
    assert destruction.survivors(again, tape.id) == []
    assert found_in(tape.mark, again.folder) == []
    assert again.vault.tapes() == [other.id]
    with again.database.reading() as session:
        assert session.get(Tombstone, tape.id) is not None
        assert list(session.scalars(select(Tape.id))) == [other.id]
        assert list(session.scalars(select(CalibrationTape.tape_id).join(CalibrationPass))) == [other.id]
        assert session.scalars(select(CalibrationEvent.codes)).all() == [[other.mark]]
    assert tape.id in tombstones.read([again.folder / tombstones.NAME])
    again.close()


def test_codebooks_that_were_taken_in_come_back(
    home: Home, tape: FullTape, tmp_path: Path, elsewhere: TapesSettings, copy: Path
) -> None:
    book = cacti_codebook.read(Source("our misc.xml", FILE.encode())).codebook
    with home.database.writing() as session:
        group = session.scalars(select(Group.id).limit(1)).one()
        name = group_codebooks.add(session, home.vault, group, book, "Ours", None, NOON)
    made = backup.make(home, tmp_path / "one.backup", NOON)
    restore.restore(made.path, elsewhere, NOON, master=copy)
    again = Home.open(elsewhere)
    assert b"Ours" not in made.path.read_bytes()
    with again.database.reading() as session:
        assert group_codebooks.labels(session, again.vault, group) == {name: "Ours"}
        assert group_codebooks.read(session, again.vault, group, name).codes == book.codes
    again.close()


def test_a_restored_home_remembers_the_other_backups(
    home: Home, tape: FullTape, tmp_path: Path, elsewhere: TapesSettings, copy: Path
) -> None:
    first, second = (backup.make(home, tmp_path / f"{name}.backup", NOON).path for name in ("one", "two"))
    second = second.rename(tmp_path / "moved.backup")
    restore.restore(second, elsewhere, NOON, master=copy)
    again = Home.open(elsewhere)
    assert set(backup.noted(again)) == {first, tmp_path / "two.backup", second}
    told = destruction.destroy(again, tape.id, "by hand", NOON).path.read_text()
    assert '"key overwritten": 2' in told
    assert '"not reached": 1' in told
    again.close()


def test_a_tape_that_is_destroyed_while_the_backup_is_written_is_dead_in_it(
    home: Home, tape: FullTape, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wrapped = (home.vault.folder / "keys" / tape.id).read_bytes()
    real = backup._Sums.copy

    def destroying(sums: backup._Sums, name: str, path: Path) -> bool:
        if name.startswith(backup.TAPES) and home.vault.has_key(tape.id):
            destruction.destroy(home, tape.id, "by hand", NOON)
        return real(sums, name, path)

    monkeypatch.setattr(backup._Sums, "copy", destroying)
    made = backup.make(home, tmp_path / "one.backup", NOON)
    assert wrapped not in made.path.read_bytes()


# what is damaged, and what cannot be written


def rebuilt(path: Path, change: Callable[[tarfile.TarInfo, bytes], tuple[str, bytes] | None]) -> None:
    """The archive with changed members."""
    target = io.BytesIO()
    with tarfile.open(path) as old, tarfile.open(fileobj=target, mode="w") as new:
        for member in old:
            source = old.extractfile(member)
            assert source
            if changed := change(member, source.read()):
                info = tarfile.TarInfo(changed[0])
                info.size = len(changed[1])
                new.addfile(info, io.BytesIO(changed[1]))
    path.write_bytes(target.getvalue())


CHANGES: dict[str, tuple[Callable[[tarfile.TarInfo, bytes], tuple[str, bytes] | None], str]] = {
    "an altered file": (
        lambda member, data: (member.name, data[:-1] + b"?" if member.name.startswith(backup.TAPES) else data),
        "V02",
    ),
    "altered records": (
        lambda member, data: (member.name, data[:-1] + b"?" if member.name == backup.RECORDS else data),
        "V02",
    ),
    "no records": (lambda member, data: None if member.name == backup.RECORDS else (member.name, data), "V13"),
    "no header": (lambda member, data: None if member.name == backup.HEADER else (member.name, data), "V13"),
    "a way out": (
        lambda member, data: ("../../" + member.name if member.name.startswith(backup.TAPES) else member.name, data),
        "V13",
    ),
    "a codebook that leaves its folder": (
        lambda member, data: ("codebooks/../audit.toml" if member.name.startswith(backup.TAPES) else member.name, data),
        "V13",
    ),
    "an absolute name": (
        lambda member, data: ("/" + member.name if member.name == backup.RECORDS else member.name, data),
        "V13",
    ),
    "another program": (
        lambda member, data: (member.name, data.replace(schema.newest().encode(), b"0" * len(schema.newest()))),
        "V17",
    ),
}


@pytest.mark.parametrize("name", CHANGES)
def test_a_damaged_backup_is_refused_and_leaves_nothing(
    home: Home, tape: FullTape, tmp_path: Path, elsewhere: TapesSettings, copy: Path, name: str
) -> None:
    made = backup.make(home, tmp_path / "one.backup", NOON)
    change, code = CHANGES[name]
    rebuilt(made.path, change)
    with pytest.raises(VaultError, match=f"TR-{code}"):
        restore.restore(made.path, elsewhere, NOON, master=copy)
    assert not any((tmp_path / "elsewhere").iterdir())


@pytest.mark.parametrize("data", [b"", b"no archive", b"\0" * 10_240])
def test_what_is_no_backup_is_told(tmp_path: Path, elsewhere: TapesSettings, data: bytes) -> None:
    (tmp_path / "letter").write_bytes(data)
    for name in ("letter", "missing"):
        with pytest.raises(VaultError, match="TR-V13 backup .* cannot be read"):
            restore.restore(tmp_path / name, elsewhere, NOON)


def test_a_cut_backup_is_refused(
    home: Home, tape: FullTape, tmp_path: Path, elsewhere: TapesSettings, copy: Path
) -> None:
    made = backup.make(home, tmp_path / "one.backup", NOON)
    whole = made.path.read_bytes()
    for share in (0.1, 0.5, 0.9):
        made.path.write_bytes(whole[: int(len(whole) * share)])
        with pytest.raises(VaultError, match="TR-V(13|02)"):
            restore.restore(made.path, elsewhere, NOON, master=copy)


def test_a_home_or_a_file_that_is_there_is_not_overwritten(
    home: Home, tape: FullTape, tmp_path: Path, tapes_settings: TapesSettings, copy: Path
) -> None:
    made = backup.make(home, tmp_path / "one.backup", NOON)
    with pytest.raises(VaultError, match="TR-V16 file .* already exists"):
        backup.make(home, made.path, NOON)
    with pytest.raises(VaultError, match="TR-V16 home .* already exists"):
        restore.restore(made.path, tapes_settings, NOON, master=copy)


def test_the_database_must_be_empty(
    home: Home, tape: FullTape, tmp_path: Path, elsewhere: TapesSettings, copy: Path
) -> None:
    made = backup.make(home, tmp_path / "one.backup", NOON)
    used = elsewhere.model_copy(update={"database": f"sqlite:///{home.folder / 'tapes.sqlite3'}"})
    with pytest.raises(VaultError, match="TR-V16 sqlite database .* holds records already"):
        restore.restore(made.path, used, NOON, master=copy)
    with home.database.reading() as session:
        assert session.scalars(select(Person)).first() is not None


def test_a_new_master_key_opens_everything_and_old_backups_need_the_old_one(
    home: Home, tape: FullTape, tmp_path: Path, elsewhere: TapesSettings, copy: Path
) -> None:
    made = backup.make(home, tmp_path / "one.backup", NOON)
    assert rotate(home.vault, home.master) == 2  # the tape's and the home's
    again = Home.open(home.settings)
    with again.database.reading() as session:
        item = session.scalars(select(Item).where(Item.kind == "mono")).one()
    assert again.vault.read(item).startswith(tape.mark.encode())
    again.close()
    with pytest.raises(VaultError, match="TR-V07"):
        restore.restore(made.path, elsewhere, NOON, master=home.master.path)
    assert restore.restore(made.path, elsewhere, NOON, master=copy).tapes == 1


def of_an_older_program(home: Home, path: Path, revision: str, monkeypatch: pytest.MonkeyPatch) -> backup.Made:
    """A backup as a program of that time wrote it: its own tables and columns, and no others."""
    home.database.migrate(revision)
    metadata = MetaData()
    metadata.reflect(home.database.engine)
    metadata.remove(metadata.tables["alembic_version"])
    with monkeypatch.context() as older:
        older.setattr(backup, "Record", SimpleNamespace(metadata=metadata))
        older.setattr(schema, "newest", lambda: revision)
        return backup.make(home, path, NOON)


@pytest.mark.parametrize("kind", BOTH)
def test_a_backup_of_an_older_version_comes_back_with_todays_tables(
    home: Home,
    tape: FullTape,
    tmp_path: Path,
    elsewhere: TapesSettings,
    copy: Path,
    monkeypatch: pytest.MonkeyPatch,
    request: pytest.FixtureRequest,
    kind: str,
) -> None:
    before = content(home)
    made = of_an_older_program(home, tmp_path / "one.backup", "0017", monkeypatch)
    with ExitStack() as opened:
        if kind == "postgresql":
            server: Server = request.getfixturevalue("postgres")
            elsewhere = elsewhere.model_copy(update={"database": opened.enter_context(server.empty())})
        assert restore.restore(made.path, elsewhere, NOON + 1, master=copy).tapes == 1
        again = Home.open(elsewhere)
        opened.callback(again.close)
        assert again.database.version() == schema.newest()
        after = content(again)
        for table in ("tapes", "items", "consents", "utterances", "code_events", "memberships", "groups"):
            assert after[table] == before[table], table
        with again.database.reading() as session:
            assert session.scalars(select(Person.email)).all()
            assert again.audit.verify(session) == ()
            assert all(again.vault.read(item).startswith(tape.mark.encode()) for item in session.scalars(select(Item)))
        with pytest.raises(DBAPIError, match="for good"), again.database.writing() as session:
            session.execute(update(Tape).values(state="destroyed"))
            session.execute(update(Tape).values(state="ready"))


@pytest.mark.engines
def test_a_restore_that_fails_leaves_an_empty_database_to_try_again_with(
    home: Home,
    tape: FullTape,
    tmp_path: Path,
    elsewhere: TapesSettings,
    copy: Path,
    monkeypatch: pytest.MonkeyPatch,
    postgres: Server,
) -> None:
    made = of_an_older_program(home, tmp_path / "one.backup", "0017", monkeypatch)
    with postgres.migrated() as url:
        used = elsewhere.model_copy(update={"database": url})
        migrate = schema.migrate

        def failing(connection: Connection, revision: str) -> None:
            if revision == "head":
                raise TapesError("K05", "database", "cannot be migrated", "restore the last backup")
            migrate(connection, revision)

        with monkeypatch.context() as broken, pytest.raises(TapesError, match="TR-K05"):
            broken.setattr(schema, "migrate", failing)
            restore.restore(made.path, used, NOON, master=copy)
        assert restore.restore(made.path, used, NOON, master=copy).tapes == 1
