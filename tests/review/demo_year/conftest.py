"""A simulated home of two tapes, which takes seconds."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from pipeline import settings
from pipeline.review.demo_year.year import YearMade, make_year
from pipeline.tapes.clock import now
from pipeline.tapes.home import Home
from tests.review.conftest import home_settings


@pytest.fixture(scope="session")
def simulated_home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Home, YearMade]]:
    home = Home.create(home_settings(tmp_path_factory.mktemp("simulated") / "home"))
    yield home, make_year(home, settings.load().settings, now(), tapes=2)
    home.close()
