"""A fresh home, a clock that tests move, and databases of both kinds."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from pipeline import settings
from pipeline.tapes.database import Database, sqlite_url
from pipeline.tapes.home import Home

NOON = 1_760_000_000_000
"""When tests begin."""


class FakeClock:
    """Tells the time that a test sets; call it, as `pipeline.tapes.clock.now` is called."""

    def __init__(self, start: int = NOON) -> None:
        self.time = start

    def __call__(self) -> int:
        return self.time

    def advance(self, milliseconds: int) -> int:
        self.time += milliseconds
        return self.time


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def tapes_settings(tmp_path: Path) -> settings.TapesSettings:
    chosen = settings.load().settings.tapes
    return chosen.model_copy(update={"home": str(tmp_path / "home"), "database": ""})


@pytest.fixture
def home(tapes_settings: settings.TapesSettings) -> Iterator[Home]:
    """A fresh home on SQLite."""
    made = Home.create(tapes_settings)
    yield made
    made.close()


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    made = Database(sqlite_url(tmp_path / "tapes.sqlite3"))
    made.migrate()
    yield made
    made.close()
