"""The invented year, made once and copied for each test."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from pipeline.tapes.home import Home
from tests.review.coach.year import Year, year
from tests.review.conftest import Room, home_settings
from tests.tapes.conftest import FakeClock


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory, pristine: Path) -> tuple[Path, Year]:
    """The folder of a home with a year in it, and what is in it."""
    folder = tmp_path_factory.mktemp("year") / "home"
    shutil.copytree(pristine, folder)
    home = Home.open(home_settings(folder))
    group_year = year(Room(home, FakeClock()))
    home.close()
    return folder, group_year


@pytest.fixture
def group(tmp_path: Path, made: tuple[Path, Year], clock: FakeClock) -> Iterator[Year]:
    """A copy of the year."""
    shutil.copytree(made[0], tmp_path / "year")
    home = Home.open(home_settings(tmp_path / "year"))
    yield replace(made[1], room=Room(home, clock))
    home.close()
