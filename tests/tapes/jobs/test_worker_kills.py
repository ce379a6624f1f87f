"""Workers that are killed, at every step's boundary and at any moment: the tape becomes the same bytes.

The full number of kills takes minutes, and CI runs it: ``TAPE_REVIEW_KILLS=30``.
"""

from __future__ import annotations

import os
import random
import signal
from functools import partial

import pytest

from pipeline.stages import STEPS
from tests.tapes.jobs.worker_room import Room, dies_after, ended, is_of_version, unbroken, wait

pytestmark = pytest.mark.engines

KILLS = int(os.environ.get("TAPE_REVIEW_KILLS", "10"))


def test_killed_at_every_step_boundary_it_becomes_the_same_bytes(room: Room) -> None:
    room.tapes(1)
    wanted = unbroken(room)
    for step in STEPS:
        if step == "listen":  # its two stages run side by side: each is kept as soon as it is done
            worker = room.start(deed="transcribe:hang")
            wait(lambda: room.kept("diarize"))
            ended(worker, signal.SIGKILL)
        worker = room.start(hurt=dies_after(step))
        worker.join(300)
        assert worker.exitcode == -signal.SIGKILL, step
    worker = room.start()
    assert [row.state for row in room.finished()] == ["done"]
    ended(worker)
    assert room.contents() == wanted
    assert room.computed() == dict.fromkeys(room.computed(), 1) | {"transcribe": 2}
    room.assert_tidy()


def test_a_job_that_an_older_program_began_is_finished_by_the_next(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the older one queued and had half done; its workflow had another shape, its stages another version."""
    with monkeypatch.context() as older:
        older.setattr("pipeline.tapes.jobs.queue.VERSION", "tapes-0")
        room.tapes(1)
        worker = room.start(hurt=partial(is_of_version, "tapes-0"), deed="attribute:hang", version="0.0.1")
        wait(lambda: {"transcribe", "diarize", "attribute"} <= set(room.computed()))
        ended(worker, signal.SIGKILL)
    wanted = unbroken(room)
    worker = room.start()
    assert [row.state for row in room.finished()] == ["done"]
    ended(worker)
    contents = room.contents()
    assert {name: contents[name] for name in wanted} == wanted
    assert b"0.0.1" not in contents[room.rows()[0].tape_id, "provenance.json"]
    room.assert_tidy()


def test_killed_at_any_moment_it_becomes_the_same_bytes(room: Room) -> None:
    room.change(tries=100, jobs_at_once=2)
    room.tapes(4)
    wanted = unbroken(room)
    dice, survived = random.Random(KILLS), 0
    for _ in range(KILLS):
        worker = room.start(seconds=0.2)
        worker.join(dice.uniform(0.1, 4))
        survived += worker.is_alive()
        ended(worker, signal.SIGKILL)
    assert survived == KILLS
    worker = room.start()
    assert {row.state for row in room.finished()} == {"done"}
    ended(worker)
    assert room.contents() == wanted
    stages = room.computed()
    assert sum(stages.values()) <= 4 * len(stages) + 2 * 2 * KILLS  # two jobs, whose step has two stages at most
    room.assert_tidy()
