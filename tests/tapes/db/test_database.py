"""Sessions: readers that do not write, writers that take their turn, errors in our words."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.exc import DBAPIError

from pipeline.errors import TapesError
from pipeline.tapes.db import database as databases
from pipeline.tapes.db.database import Database, sqlite_url
from pipeline.tapes.db.records import AuditRow, LoginAttempt, Person
from pipeline.tapes.home import Home

WRITERS = 8
SECONDS = float(os.environ.get("TAPE_REVIEW_WRITER_SECONDS", "3"))
"""How long eight writers write at once; 20 for the whole measure."""

WRITER = """
import sys, threading, time
from pipeline import settings
from pipeline.tapes import audit_log
from pipeline.tapes.home import Home
from pipeline.tapes.db.records import LoginAttempt

home = Home.open(settings.load().settings.tapes.model_copy(update={"home": sys.argv[1], "database": sys.argv[2]}))
counts = []

def write(number):
    count, end = 0, time.monotonic() + float(sys.argv[3])
    while time.monotonic() < end:
        with home.database.writing() as session:
            session.add(LoginAttempt(at=count, key_hash=f"{sys.argv[4]}-{number}"))
            audit_log.record(session, count, None, "login.fail")
        count += 1
    counts.append(count)

threads = [threading.Thread(target=write, args=(number,)) for number in range(4)]
for thread in threads: thread.start()
for thread in threads: thread.join()
print(len(counts), sum(counts))
"""


def attempt(number: int = 0) -> LoginAttempt:
    return LoginAttempt(at=number, key_hash="k")


def test_a_transaction_that_fails_leaves_no_trace(database: Database) -> None:
    with pytest.raises(RuntimeError), database.writing() as session:
        session.add(attempt())
        session.flush()
        raise RuntimeError
    with database.reading() as session:
        assert session.scalars(select(LoginAttempt)).all() == []


def test_a_reader_sees_one_moment_and_cannot_write(database: Database) -> None:
    with database.reading() as reader:
        assert reader.scalar(select(func.count()).select_from(LoginAttempt)) == 0
        with pytest.raises((DBAPIError, TapesError)):
            reader.add(attempt())
            reader.flush()
    with database.writing() as session:
        session.add(attempt())
    with database.reading() as reader:
        assert reader.scalar(select(func.count()).select_from(LoginAttempt)) == 1


def test_a_word_that_is_no_choice_is_refused_by_the_database(any_home: Home) -> None:
    with pytest.raises(DBAPIError), any_home.database.writing() as session:
        session.execute(text("INSERT INTO memberships VALUES ('m', 'g', 'p', 'boss', 1, NULL, false)"))


def test_a_reference_to_nothing_is_refused(any_home: Home) -> None:
    with pytest.raises(DBAPIError), any_home.database.writing() as session:
        session.execute(text("INSERT INTO memberships VALUES ('m', 'g', 'p', 'member', 1, NULL, false)"))


def test_errors_hold_no_values(database: Database) -> None:
    with pytest.raises(DBAPIError) as caught, database.writing() as session:
        for _ in range(2):
            session.add(Person(name="Ada Canary", email="ada@canary.example", created_at=1))
            session.flush()
    assert "Canary" not in str(caught.value)
    assert "canary" not in repr(caught.value.statement)


def test_scrubbing_leaves_the_rest_as_it_is(database: Database) -> None:
    with database.writing() as session:
        session.add(attempt(7))
    database.scrub()
    with database.reading() as session:
        assert session.scalars(select(LoginAttempt.at)).all() == [7]


def test_sqlite_keeps_nothing_of_what_is_deleted(home: Home) -> None:
    canary = "canary-" + "7" * 25
    for number in range(50):
        with home.database.writing() as session:
            session.add(LoginAttempt(at=number, key_hash=canary))
    leaking = [each for each in home.folder.glob("tapes.sqlite3*") if canary.encode() in each.read_bytes()]
    assert leaking
    with home.database.writing() as session:
        session.execute(text("DELETE FROM login_attempts"))
    home.database.scrub()
    assert not [each for each in home.folder.glob("tapes.sqlite3*") if canary.encode() in each.read_bytes()]


def test_scrubbing_waits_for_readers_and_gives_up_with_a_clear_error(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(databases, "_WAIT_SECONDS", 0.2)
    impatient = Database(home.database.url.render_as_string(hide_password=False))
    with home.database.reading() as reader:
        reader.scalars(select(Person)).all()
        with home.database.writing() as session:
            session.add(attempt())
        with pytest.raises(TapesError, match="TR-K04 .* is being read all the time"):
            impatient.scrub()
    impatient.scrub()
    impatient.close()


def test_a_writer_that_waits_too_long_is_told_so(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(databases, "_WAIT_SECONDS", 0.2)
    impatient = Database(database.url.render_as_string(hide_password=False))
    with database.writing() as session:
        session.add(attempt())
        with pytest.raises(TapesError, match="TR-K04 .* database .* is busy; try again in a minute"):
            with impatient.writing():
                pass
    impatient.close()


def test_a_writer_waits_for_the_one_before_and_reads_what_it_wrote(database: Database) -> None:
    def hold() -> None:
        with database.writing() as session:
            session.add(attempt(1))
            started.set()
            time.sleep(0.3)

    started = threading.Event()
    holder = threading.Thread(target=hold)
    holder.start()
    started.wait()
    with database.writing() as session:
        assert session.scalar(select(func.count()).select_from(LoginAttempt)) == 1
    holder.join()


def test_a_reader_sees_nothing_of_what_is_written_meanwhile(database: Database) -> None:
    with database.reading() as reader:
        assert reader.scalar(select(func.count()).select_from(LoginAttempt)) == 0
        with database.writing() as session:
            session.add(attempt())
        assert reader.scalar(select(func.count()).select_from(LoginAttempt)) == 0


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("sqlite:////nowhere/at/all/tapes.sqlite3", "TR-K03 sqlite database .* cannot be reached"),
        ("postgresql+psycopg://127.0.0.1:1/tapes", "TR-K03 postgresql database tapes cannot be reached"),
        ("no url", "TR-K03 database cannot be used"),
        ("oracle://x/y", "TR-K03 database cannot be used"),
    ],
)
def test_a_database_that_cannot_be_reached_is_named(url: str, message: str) -> None:
    with pytest.raises(TapesError, match=message):
        Database(url).version()


def test_a_file_that_is_no_database_is_named(tmp_path: Path) -> None:
    (tmp_path / "tapes.sqlite3").write_bytes(b"no database at all" * 100)
    with pytest.raises(TapesError, match="TR-K03"):
        Database(sqlite_url(tmp_path / "tapes.sqlite3")).version()


@pytest.mark.engines
def test_eight_writers_never_meet_a_locked_database(any_home: Home) -> None:
    url = any_home.database.url.render_as_string(hide_password=False)
    command = [sys.executable, "-c", WRITER, str(any_home.folder), url, str(SECONDS)]
    running = [
        subprocess.Popen([*command, str(number)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for number in range(WRITERS // 4)
    ]
    written = 0
    for each in running:
        output, errors = each.communicate(timeout=SECONDS + 120)
        assert each.returncode == 0, errors
        assert errors == ""
        threads, count = map(int, output.split())
        assert threads == 4
        written += count
    with any_home.database.reading() as session:
        assert session.scalar(select(func.count()).select_from(LoginAttempt)) == written
        assert session.scalar(select(func.count()).select_from(AuditRow)) == written
        assert any_home.audit.verify(session) == ()
    assert written > WRITERS


def test_sqlite_is_set_up_to_keep_and_to_forget(home: Home) -> None:
    with home.database.reading() as session:
        pragmas = [session.scalar(text(f"PRAGMA {name}")) for name in ("journal_mode", "foreign_keys", "secure_delete")]
    assert pragmas == ["wal", 1, 1]


def test_a_database_says_how_large_it_is(database: Database) -> None:
    before = database.size()
    assert before > 100_000
    with database.writing() as session:
        session.add_all(LoginAttempt(at=number, key_hash="k" * 1000) for number in range(2000))
    if database.is_sqlite:
        database.scrub()  # out of the write-ahead log
    assert database.size() - before > 1_000_000
