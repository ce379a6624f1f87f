"""A home is marked as simulated once, while it is empty, and the mark stays."""

from __future__ import annotations

import pytest

from pipeline.errors import TapesError
from pipeline.tapes import people, simulated
from pipeline.tapes.home import Home
from tests.tapes.conftest import FakeClock


def test_an_empty_home_becomes_simulated_and_one_with_people_does_not(home: Home, clock: FakeClock) -> None:
    with home.database.writing() as session:
        assert not simulated.is_simulated(session)
        simulated.begin(session, clock(), 7)
    with home.database.writing() as session:
        assert simulated.is_simulated(session)
        assert not simulated.is_finished(session)
        simulated.finish(session, clock())
        people.add(session, "Ada", "ada@example.org", clock())
    with home.database.reading() as session:
        assert simulated.is_finished(session)
    with pytest.raises(TapesError, match="K11"), home.database.writing() as session:
        simulated.begin(session, clock(), 7)
