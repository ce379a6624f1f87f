"""How late destructions and the audit are: figures that must not be too small."""

from __future__ import annotations

from pipeline.tapes import audit_log
from pipeline.tapes.checks import figures
from pipeline.tapes.clock import DAY, HOUR
from pipeline.tapes.db.records import Tape, Worker
from pipeline.tapes.home import Home
from pipeline.tapes.retention import destruction
from tests.tapes.conftest import NOON
from tests.tapes.full_tape import full_tape


def test_a_destruction_is_late_from_the_moment_in_which_its_tape_is_due(any_home: Home) -> None:
    tape = full_tape(any_home, NOON)
    assert figures.read(any_home, NOON).destruction_lag == 0
    with any_home.database.writing() as session:
        session.get_one(Tape, tape.id).withdrawn_at = NOON + HOUR
    assert figures.read(any_home, NOON + 3 * HOUR).destruction_lag == 2 * 3600


def test_a_destruction_that_was_begun_is_late_until_it_has_ended(home: Home) -> None:
    tape = full_tape(home, NOON)
    destruction.begin(home, tape.id, "by hand", NOON)
    assert figures.read(home, NOON + 60_000).destruction_lag == 60
    destruction.resume(home, NOON + 60_000)
    assert figures.read(home, NOON + DAY).destruction_lag == 0


def test_the_audit_lags_by_the_rows_that_its_copy_does_not_vouch_for(home: Home) -> None:
    with home.database.writing() as session:
        audit_log.record(session, NOON, None, "login")
    assert figures.read(home, NOON).audit_lag == 0
    old = (home.folder / "audit.head").read_bytes()
    with home.database.writing() as session:
        for _ in range(3):
            audit_log.record(session, NOON, None, "login")
    assert figures.read(home, NOON).audit_lag == 0
    (home.folder / "audit.head").write_bytes(old)
    assert figures.read(home, NOON).audit_lag == 3
    (home.folder / "audit.head").unlink()
    assert figures.read(home, NOON).audit_lag == 4


def test_workers_that_show_no_life_are_not_counted(home: Home) -> None:
    dead = int(1000 * home.settings.dead_after_seconds)
    with home.database.writing() as session:
        session.add_all(
            Worker(id=f"w{at}", queues="all", beats=1, seen_at=NOON - at) for at in (0, dead - 1, dead, DAY)
        )
    assert figures.read(home, NOON).workers == 2
