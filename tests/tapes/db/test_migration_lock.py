"""Two processes that start at once do not both migrate: one does, the other waits and finds it done."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy import Connection

from pipeline.errors import TapesError
from pipeline.settings import TapesSettings
from pipeline.tapes import group_codebooks, home
from pipeline.tapes.db import migration_lock, schema
from pipeline.tapes.db.database import Database
from pipeline.tapes.home import Home


def second(bare: Database) -> Database:
    """Another process's handle on the same database: no lock within one handle stands between the two."""
    return Database(bare.url.render_as_string(hide_password=False))


def test_two_that_start_at_once_do_not_both_migrate(bare: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    versions: list[str | None] = []
    migrate = schema.migrate

    def noting(connection: Connection, revision: str) -> None:
        versions.append(schema.version(connection))
        migrate(connection, revision)

    monkeypatch.setattr(schema, "migrate", noting)
    others = [bare, second(bare), second(bare)]
    together = threading.Barrier(len(others))

    def start(database: Database) -> None:
        together.wait()
        database.migrate()

    with ThreadPoolExecutor(len(others)) as pool:
        for started in [pool.submit(start, database) for database in others]:
            started.result()
    assert versions == [None, schema.newest(), schema.newest()]
    for database in others[1:]:
        database.close()


def test_what_belongs_to_an_upgrade_is_done_before_the_next_begins(bare: Database) -> None:
    other, inside, done = second(bare), threading.Event(), []

    def slow() -> None:
        inside.set()
        waiting.wait(5)
        done.append("first")

    waiting = threading.Event()
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(bare.migrate, then=slow)
        inside.wait(5)
        next_one = pool.submit(other.migrate, then=lambda: done.append("second"))
        waiting.set()
        first.result()
        next_one.result()
    assert done == ["first", "second"]
    other.close()


def test_who_waits_too_long_is_told_so(bare: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(migration_lock, "PATIENCE", 1)
    other = second(bare)
    with bare.migrating(), pytest.raises(TapesError, match="TR-K04 .* is busy"):
        other.migrate()
    other.migrate()
    assert other.version() == schema.newest()
    other.close()


def test_two_upgrades_take_in_a_codebook_once(
    any_home: Home, monkeypatch: pytest.MonkeyPatch, tapes_settings: TapesSettings
) -> None:
    folder = any_home.folder / group_codebooks.FOLDER
    folder.mkdir()
    (folder / "ours.toml").write_text("")
    adopted: list[Path] = []
    monkeypatch.setattr(group_codebooks, "adopt", lambda session, vault, files, now: adopted.extend(files))
    look: Callable[[Path], list[Path]] = group_codebooks.left
    together = threading.Barrier(2)

    def looking(home_folder: Path) -> list[Path]:
        files = look(home_folder)
        if not adopted:
            with pytest.raises(threading.BrokenBarrierError):  # nobody else is here at the same time
                together.wait(0.2)
        return files

    monkeypatch.setattr(group_codebooks, "left", looking)
    settings = any_home.settings
    with ThreadPoolExecutor(2) as pool:
        for upgrade in [pool.submit(home.upgrade, settings) for _ in range(2)]:
            upgrade.result()
    assert [path.name for path in adopted] == ["ours.toml"]


def test_a_database_in_memory_needs_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    database = Database("sqlite://")
    database.migrate()
    assert list(tmp_path.iterdir()) == []
    database.close()
