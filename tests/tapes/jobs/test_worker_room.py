"""The room in which workers are tried: it ends soon where they do not come to their end, and its message says why."""

from __future__ import annotations

import pytest

from tests.tapes.jobs import worker_room
from tests.tapes.jobs.worker_room import Room

pytestmark = pytest.mark.engines


def test_a_room_in_which_nothing_changes_fails_and_shows_why(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    room.tapes(2)
    worker = room.start(deed="attribute:hang")
    room.until(300, lambda rows: "attribute" in {row.stage for row in rows} and "attribute" in room.computed())
    monkeypatch.setattr(worker_room, "STILL_SECONDS", 1.0)
    with pytest.raises(AssertionError) as failure:
        room.finished(3000)
    message = str(failure.value)
    assert message.startswith("jobs: {")
    jobs = message.splitlines()[0]
    assert "'running attribute 1': 1" in jobs
    assert "'queued None 0': 1" in jobs
    assert f" PENDING w{worker.pid}-" in message  # which worker has it
    assert f"process {worker.pid}: " in message
    assert "engine_process.py" in message  # the worker's thread that waits
    assert "fakes.py" in message  # and the process that hangs
