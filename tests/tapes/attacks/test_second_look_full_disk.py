"""A full disk: nothing can be written, and a client who withdraws must be heard all the same."""

from __future__ import annotations

import errno
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy.orm import Session

from pipeline.errors import TapesError
from pipeline.tapes import reserve
from pipeline.tapes.clock import DAY
from pipeline.tapes.db.database import Database
from pipeline.tapes.db.records import Tape
from pipeline.tapes.home import Home
from pipeline.tapes.intake import submission
from pipeline.tapes.retention import destruction, retention
from tests.tapes.conftest import NOON, FakeClock
from tests.tapes.full_tape import FullTape, full_tape


@pytest.fixture
def tape(home: Home) -> FullTape:
    return full_tape(home, NOON)


@pytest.fixture
def fill(home: Home, monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Let the disk have no room for any row, as long as the reserve takes it."""
    real = Database.writing

    @contextmanager
    def full(self: Database) -> Iterator[Session]:
        with real(self) as session:
            yield session
            if (home.folder / reserve.NAME).exists():
                raise TapesError("K03", self.name, "is full", "") from OSError(errno.ENOSPC, "no space left on device")

    return lambda: monkeypatch.setattr(Database, "writing", full)


def withdrawn(home: Home, tape_id: str) -> None:
    submission.withdraw(home, tape_id, clock=FakeClock())
    destruction.resume(home, NOON)


WAYS: dict[str, Callable[[Home, str], object]] = {
    "withdrawn": withdrawn,
    "by hand": lambda home, tape_id: destruction.destroy(home, tape_id, "by hand", NOON),
    "due": lambda home, tape_id: retention.enforce(home, NOON + 60 * DAY),
}


@pytest.mark.parametrize("way", WAYS)
def test_a_tape_comes_to_its_end_though_the_disk_is_full(
    home: Home, tape: FullTape, fill: Callable[[], None], way: str
) -> None:
    retention.enforce(home, NOON)
    assert (home.folder / reserve.NAME).stat().st_size == reserve.SIZE
    fill()
    WAYS[way](home, tape.id)
    with home.database.reading() as session:
        assert session.get(Tape, tape.id) is None
    assert destruction.survivors(home, tape.id) == []
    assert (home.folder / reserve.NAME).exists() == (way == "due")  # the timer keeps room for the next


def test_a_destruction_that_was_begun_goes_on_with_the_reserve(
    home: Home, tape: FullTape, fill: Callable[[], None]
) -> None:
    destruction.begin(home, tape.id, "by hand", NOON)
    reserve.keep(home.folder)
    fill()
    assert len(destruction.resume(home, NOON)) == 1


def test_nothing_else_takes_the_reserve_and_without_it_the_disk_is_told(
    home: Home, tape: FullTape, fill: Callable[[], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    reserve.keep(home.folder)
    fill()
    with pytest.raises(TapesError, match="TR-K03"), home.database.writing():
        pass
    assert (home.folder / reserve.NAME).exists()
    monkeypatch.setattr(Path, "unlink", gone)
    with pytest.raises(TapesError, match="TR-K03"):
        destruction.begin(home, tape.id, "by hand", NOON)


def gone(path: Path, missing_ok: bool = False) -> None:
    raise FileNotFoundError(path)
