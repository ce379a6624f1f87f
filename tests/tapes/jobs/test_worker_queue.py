"""Workers that share a queue: no job is lost, none is done twice, and memory stays flat.

The full sizes take minutes, and CI runs them: ``TAPE_REVIEW_RACE=500 TAPE_REVIEW_SOAK=200``.
"""

from __future__ import annotations

import os
import shutil
import signal
import time
from functools import partial
from pathlib import Path
from types import SimpleNamespace

import psutil
import pytest
from sqlalchemy import NullPool, create_engine, select, text

from pipeline.tapes.clock import now
from pipeline.tapes.db.records import Job
from pipeline.tapes.jobs import job_state
from pipeline.tapes.retention import destruction
from tests.tapes.jobs.worker_room import ALL_LIVE, Room, ended, is_large
from tests.tapes.postgres import Server

pytestmark = pytest.mark.engines

RACE = int(os.environ.get("TAPE_REVIEW_RACE", "30"))
SOAK = int(os.environ.get("TAPE_REVIEW_SOAK", "20"))


@pytest.mark.timeout(3600)
def test_two_workers_lose_none_and_do_none_twice(room: Room) -> None:
    room.change(**ALL_LIVE)
    tapes = room.tapes(RACE)
    workers = [room.start(), room.start()]
    rows = room.finished(300 + 6 * RACE)
    for worker in workers:
        ended(worker)
    assert sorted(row.tape_id for row in rows) == sorted(tapes)
    assert {row.state for row in rows} == {"done"}
    assert set(room.computed().values()) == {RACE}
    room.assert_tidy()


def test_what_was_never_queued_is_queued_by_a_worker(room: Room) -> None:
    room.tapes(1)
    with room.open() as home, home.database.reading() as session:
        queue = job_state.queue_of(home)
        queue.forget([session.scalars(select(Job.workflow_id)).one()])  # as if submit was killed before it was there
        queue.close()
    worker = room.start()
    assert [row.state for row in room.finished()] == ["done"]
    ended(worker)


def test_steps_for_a_graphics_card_wait_for_a_worker_that_has_one(room: Room) -> None:
    room.change(gpu_queue=True, **ALL_LIVE)
    room.tapes(2)
    plain = room.start("cpu")
    room.until(300, lambda rows: "decode" in {row.stage for row in rows} and "decode" in room.computed())
    time.sleep(1)
    assert set(room.computed()) == {"decode"}
    card = room.start("gpu")
    assert {row.state for row in room.finished()} == {"done"}
    ended(plain)
    ended(card)
    assert set(room.computed().values()) == {2}


def test_workers_share_a_postgresql_and_one_of_them_dies(
    template: Path, recording: Path, quick_folder: Path, postgres: Server, request: pytest.FixtureRequest
) -> None:
    shutil.copytree(template, quick_folder / "home")
    with postgres.migrated() as url:
        room = Room(quick_folder / "home", recording, database=url, dead_after_seconds=15.0)
        tapes = room.tapes(6)
        request.addfinalizer(room.clear)
        workers = [room.start(seconds=0.2), room.start(seconds=0.2)]
        room.until(300, lambda rows: sum(row.state == "done" for row in rows) >= 2)
        ended(workers[0], signal.SIGKILL)
        assert {row.state for row in room.finished()} == {"done"}
        ended(workers[1])
        stages = room.computed()
        assert sum(stages.values()) <= 6 * len(stages) + 2
        room.assert_tidy()
        with room.open() as home:
            destruction.destroy(home, tapes[0], "by hand", now())
        with create_engine(url, poolclass=NullPool).connect() as connection:
            assert connection.execute(text("SELECT count(*) FROM dbos.workflow_status")).scalar() == 5


@pytest.mark.timeout(3600)
def test_memory_and_handles_stay_flat(room: Room) -> None:
    room.change(**ALL_LIVE)
    room.tapes(SOAK)
    worker = room.start()
    process = psutil.Process(worker.pid)
    seen: list[tuple[int, tuple[int, int, int]]] = []

    def done(rows: list[SimpleNamespace]) -> bool:
        number = sum(row.state == "done" for row in rows)
        # The worker alone: each step has a process of its own, which ends with it.
        seen.append((number, (process.memory_info().rss, process.num_fds(), process.num_threads())))
        return number >= 0.95 * SOAK

    room.until(300 + 6 * SOAK, done)
    room.finished()
    ended(worker)
    # What a step holds while it runs comes and goes; what leaks is there at the quietest moment, too.
    early, late = (
        [sample for at, sample in seen if first * SOAK <= at < last * SOAK] for first, last in ((0.2, 0.5), (0.65, 1))
    )
    (memory, handles, threads), (later, more, most) = (
        tuple(map(min, zip(*each, strict=True))) for each in (early, late)
    )
    assert later - memory < 40_000_000
    assert more - handles <= 4
    assert most - threads <= 4
    room.assert_tidy()


def test_a_large_worker_does_its_jobs_in_one_process(room: Room) -> None:
    """A process counts as its own the memory of the one that started it: that must not end it after each step."""
    room.tapes(2)
    worker = room.start(hurt=partial(is_large, 800))
    room.finished()
    ended(worker)
    assert len({line.split()[-1] for line in room.log.read_text().splitlines()}) == 1
