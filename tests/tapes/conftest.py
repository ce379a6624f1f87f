"""A fresh home, a clock that tests move, and databases of both kinds."""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from pipeline import settings
from pipeline.settings import Settings
from pipeline.tapes.db.database import Database, sqlite_url
from pipeline.tapes.home import Home
from tests.tapes.postgres import Server, server

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
def zone() -> Iterator[Callable[[str], None]]:
    """Puts the machine into another zone, and back."""

    def put(name: str) -> None:
        os.environ["TZ"] = name
        time.tzset()

    before = os.environ["TZ"]
    yield put
    put(before)


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
def quick_folder(tmp_path: Path) -> Iterator[Path]:
    """A folder in memory where there is room, for tests that would mostly wait for a disk."""
    memory = Path("/dev/shm")  # noqa: S108 - a folder of our own is made there
    if not os.access(memory, os.W_OK) or shutil.disk_usage(memory).free < 2_000_000_000:
        yield tmp_path
        return
    with tempfile.TemporaryDirectory(dir=memory) as folder:
        yield Path(folder)


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


@pytest.fixture(scope="session")
def postgres() -> Iterator[Server]:
    """A PostgreSQL that is shared by all tests."""
    with server() as running:
        yield running


BOTH = ["sqlite", pytest.param("postgresql", marks=pytest.mark.engines)]
"""The kinds of database that the records live in."""


@pytest.fixture(params=BOTH)
def database_url(request: pytest.FixtureRequest, template: Path, tmp_path: Path) -> Iterator[str]:
    """The URL of a database with every table, empty; of both kinds."""
    if request.param == "sqlite":
        yield sqlite_url(Path(shutil.copy(template / "tapes.sqlite3", tmp_path)))
        return
    with request.getfixturevalue("postgres").migrated() as url:
        yield url


@pytest.fixture(params=BOTH)
def bare(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """A database without tables."""
    if request.param == "sqlite":
        database = Database(sqlite_url(tmp_path / "tapes.sqlite3"))
        yield database
        database.close()
        return
    with request.getfixturevalue("postgres").empty() as url:
        database = Database(url)
        yield database
        database.close()


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    """A database with every table, empty; of both kinds."""
    made = Database(database_url)
    yield made
    made.close()


@pytest.fixture
def any_home(
    template: Path, tmp_path: Path, database_url: str, tapes_settings: settings.TapesSettings
) -> Iterator[Home]:
    """A fresh home, with its records in a database of either kind."""
    shutil.copytree(template, tapes_settings.home)
    opened = Home.open(tapes_settings.model_copy(update={"database": database_url}))
    yield opened
    opened.close()


@pytest.fixture
def chosen(home: Home) -> Settings:
    """Settings of `home` with which nobody waits for long."""
    from tests.tapes.fakes import quick  # loads the engines' packages, which most tests do without

    return settings.load().settings.model_copy(update={"tapes": quick(home.settings)})


@pytest.fixture(scope="session")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Six seconds of two people who talk in turn."""
    from tests.tapes.fakes import two_voices

    return two_voices(tmp_path_factory.mktemp("recording") / "session with Mrs Miller.wav")


@pytest.fixture
def tape_id(home: Home, chosen: Settings, recording: Path) -> str:
    """A tape that was just submitted."""
    from tests.tapes.fakes import group, submitted

    group(home)
    return submitted(home, chosen, recording)
