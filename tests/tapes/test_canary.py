"""32 bytes that stand in everything that belongs to a tape are nowhere on the disk once it is destroyed."""

from __future__ import annotations

import io
import wave
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import create_engine, select, text

from pipeline.tapes import logs
from pipeline.tapes.backup import backup
from pipeline.tapes.clock import HOUR
from pipeline.tapes.db.records import Consent, Item, Job
from pipeline.tapes.home import Home
from pipeline.tapes.jobs import job_state
from pipeline.tapes.retention import destruction, exports
from tests.tapes.conftest import NOON
from tests.tapes.full_tape import FullTape, found_in, full_tape


def recording(mark: str) -> bytes:
    """A WAV file with the mark in its metadata."""
    sound = io.BytesIO()
    with wave.open(sound, "wb") as file:
        file.setparams((1, 2, 16_000, 0, "NONE", ""))
        file.writeframes(bytes(32_000))
    name = b"INFOINAM" + (33).to_bytes(4, "little") + mark.encode() + b"\0\0"
    whole = sound.getvalue() + b"LIST" + len(name).to_bytes(4, "little") + name
    return whole[:4] + (len(whole) - 8).to_bytes(4, "little") + whole[8:]


def planted(home: Home, tmp_path: Path) -> FullTape:
    """The mark in audio metadata, transcript, codes, forms, job, queue, export, consent; in a temporary file, too."""
    tape = full_tape(home, NOON)
    with home.database.writing() as session:
        made = home.vault.put(tape.id, "recording", recording(tape.mark))
        session.add(
            Item(id=made.id, tape_id=tape.id, kind=made.kind, size=made.size, sha256=made.sha256, created_at=NOON)
        )
        job = session.scalars(select(Job).where(Job.tape_id == tape.id)).one()
    queue = job_state.queue_of(home)
    queue.create()
    job_state.enqueue(home, queue, job)
    queue.close()
    logs.get().warning(tape.mark, tape_id=tape.id, text=tape.mark, error=tape.mark)
    with home.vault.scratch.file() as file:
        file.write(tape.mark.encode())
        file.seek(0)
        assert file.read() == tape.mark.encode()
    exports.export(home, tape.id, tape.sample.interviewer, tmp_path / "export", NOON, sound=True)
    backup.make(home, tmp_path / "one.backup", NOON)
    with home.database.writing() as session:  # old versions of rows hold it as well
        for consent in session.scalars(select(Consent).where(Consent.tape_id == tape.id)):
            consent.pseudonym = f"{tape.mark} again"
    return tape


@pytest.fixture(autouse=True)
def log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A log that is kept on the disk."""
    path = tmp_path / "log"
    with path.open("w", encoding="utf-8", buffering=1) as file:
        monkeypatch.setattr(logs._out, "stream", file)
        yield path


def test_nothing_is_left_on_sqlite(home: Home, tmp_path: Path, log: Path) -> None:
    tape = planted(home, tmp_path)
    before = {path.name for path in found_in(tape.mark, tmp_path)}
    assert {"tapes.sqlite3", "jobs.sqlite3", "report.html"} <= {name.removesuffix("-wal") for name in before}
    destruction.destroy(home, tape.id, "withdrawn", NOON + HOUR)
    assert found_in(tape.mark, tmp_path) == []
    assert f'"tape_id": "{tape.id}"' in log.read_text()  # it was written, without the mark
    home.close()
    assert found_in(tape.mark, tmp_path) == []


@pytest.mark.engines
@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_nothing_is_left_on_postgresql_nor_in_its_log(any_home: Home, tmp_path: Path) -> None:
    """What the database's administrator adds: segments of the log that are not used again, a new one, a checkpoint."""
    engine = create_engine(any_home.database.url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        data_directory = Path(connection.execute(text("SHOW data_directory")).scalar_one())
        if not data_directory.is_dir():
            pytest.skip("the server's folder cannot be read from here")
        for statement in ("ALTER SYSTEM SET wal_recycle = off", "SELECT pg_reload_conf()"):
            connection.execute(text(statement))
        tape = planted(any_home, tmp_path)
        connection.execute(text("CHECKPOINT"))
        before = {path.relative_to(data_directory).parts[0] for path in found_in(tape.mark, data_directory)}
        assert before == {"base", "pg_wal"}
        destruction.destroy(any_home, tape.id, "withdrawn", NOON + HOUR)
        assert {path.relative_to(data_directory).parts[0] for path in found_in(tape.mark, data_directory)} <= {"pg_wal"}
        for _ in range(2):
            connection.execute(text("SELECT pg_switch_wal()"))
            connection.execute(text("CHECKPOINT"))
        assert found_in(tape.mark, data_directory, tmp_path) == []
        connection.execute(text("ALTER SYSTEM RESET wal_recycle"))
    engine.dispose()
