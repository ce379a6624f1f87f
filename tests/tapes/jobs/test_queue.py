"""The queue of jobs: plain rows, each job once, and nothing left of a tape that is no more."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.errors import JobError
from pipeline.tapes.clock import now
from pipeline.tapes.home import Home
from pipeline.tapes.jobs import job_state
from pipeline.tapes.jobs.queue import Plain, Queue, database_url
from pipeline.tapes.retention import destruction
from tests.tapes.fakes import PHRASE


def test_of_an_error_only_its_kind_is_stored() -> None:
    assert Plain().serialize(ValueError(PHRASE)) == '{"error": "ValueError"}'
    assert isinstance(Plain().deserialize('{"error": "ValueError"}'), RuntimeError)
    assert Plain().deserialize(Plain().serialize({"args": ["id"], "kwargs": {}})) == {"args": ["id"], "kwargs": {}}
    with pytest.raises(TypeError):
        Plain().serialize(object())


def test_a_destroyed_tape_leaves_nothing_in_the_queue(home: Home, tape_id: str) -> None:
    with home.database.reading() as session:
        mark = job_state.latest(session, tape_id).workflow_id.encode()
    files = list(home.folder.glob("jobs.sqlite3*"))
    assert any(mark in path.read_bytes() for path in files)
    destruction.destroy(home, tape_id, "by hand", now())
    assert not any(mark in path.read_bytes() for path in home.folder.glob("jobs.sqlite3*"))
    assert job_state.forget(home, tape_id) == 0


def test_a_job_is_queued_once(home: Home, tape_id: str) -> None:
    queue = job_state.queue_of(home)
    with home.database.reading() as session:
        job_state.enqueue(home, queue, job_state.latest(session, tape_id))
    assert len(queue.unfinished()) == 1
    queue.close()


def test_a_queue_out_of_reach_is_told(tmp_path: Path) -> None:
    lost = Queue(f"sqlite:///{tmp_path}/nowhere/jobs.sqlite3")
    with pytest.raises(JobError, match="TR-J05 queue in sqlite database .* cannot be used"):
        lost.create()
    with pytest.raises(JobError, match="TR-J05"):
        lost.unfinished()
    assert not lost.exists()


def test_it_lies_beside_the_records() -> None:
    assert database_url(Path("/home"), "", "") == "sqlite:////home/jobs.sqlite3"
    assert database_url(Path("/home"), "postgresql+psycopg://server/tapes", "").startswith("postgresql")
    assert database_url(Path("/home"), "postgresql+psycopg://server/tapes", "sqlite:////x") == "sqlite:////x"
