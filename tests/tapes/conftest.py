"""A fresh home, a clock that tests move, and databases of both kinds."""

from __future__ import annotations

import shutil
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


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a home that was made once; copying it takes less time than making one."""
    folder = tmp_path_factory.mktemp("template") / "home"
    Home.create(settings.load().settings.tapes.model_copy(update={"home": str(folder)})).close()
    return folder


@pytest.fixture
def home(template: Path, tapes_settings: settings.TapesSettings) -> Iterator[Home]:
    """A fresh home on SQLite."""
    shutil.copytree(template, tapes_settings.home)
    opened = Home.open(tapes_settings)
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def made_home(template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Home]:
    """One home for all tests of a file that only look at it."""
    folder = tmp_path_factory.mktemp("home") / "home"
    shutil.copytree(template, folder)
    opened = Home.open(settings.load().settings.tapes.model_copy(update={"home": str(folder)}))
    yield opened
    opened.close()


@pytest.fixture
def database(template: Path, tmp_path: Path) -> Iterator[Database]:
    """An empty database with every table."""
    made = Database(sqlite_url(Path(shutil.copy(template / "tapes.sqlite3", tmp_path))))
    yield made
    made.close()
