"""A worker makes queue and records agree: no job waits for ever, none is ended that only just came."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from pipeline.settings import Settings
from pipeline.tapes.clock import now
from pipeline.tapes.db.records import Job
from pipeline.tapes.home import Home
from pipeline.tapes.jobs import job_state, workflow
from pipeline.tapes.jobs.queue import GPU, VERSION, QueueEntry
from pipeline.tapes.jobs.worker import Worker
from tests.tapes.fakes import group, submitted


@pytest.fixture
def worker(home: Home, chosen: Settings) -> Iterator[Worker]:
    """A worker that has not started: nothing moves but what a test has it do."""
    worker = Worker(home, chosen)
    worker._work = workflow.Work(home, lambda: None, now)  # type: ignore[arg-type, return-value]
    worker._queue = job_state.queue_of(home)
    worker._queue.create()
    yield worker
    worker._queue.close()


def job_of(home: Home, tape_id: str) -> Job:
    with home.database.reading() as session:
        return job_state.latest(session, tape_id)


def test_a_job_that_comes_while_the_worker_looks_is_not_taken_for_a_job_that_ended(
    worker: Worker, home: Home, chosen: Settings, recording: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    group(home)
    unfinished, came = worker._queue.unfinished, list[str]()

    def with_another() -> list[QueueEntry]:
        came.append(submitted(home, chosen, recording))
        return unfinished()

    monkeypatch.setattr(worker._queue, "unfinished", with_another)
    worker._mend()
    assert came
    monkeypatch.undo()
    worker._mend()
    for tape_id in came:
        job = job_of(home, tape_id)
        assert job.state == "queued"
        assert worker._queue.states([job.workflow_id]) == {job.workflow_id: "ENQUEUED"}


@pytest.mark.parametrize("step", workflow.ON_GPU)
def test_a_job_whose_step_elsewhere_ended_without_a_result_does_not_wait_for_it_for_ever(
    worker: Worker, home: Home, tape_id: str, step: str
) -> None:
    job = job_of(home, tape_id)
    with home.database.writing() as session:
        job_state.begin(session, job.id, "decode", now(), 3)
    (part,) = [each for each in workflow.heavy_ids(job.workflow_id) if each.endswith(step)]
    options = {"workflow_name": "step", "queue_name": GPU, "workflow_id": part, "app_version": VERSION}
    worker._queue._client.enqueue(options, job.id, step)  # type: ignore[arg-type]
    worker._mend()
    assert job_of(home, tape_id).state == "running"
    worker._queue.cancel(part)
    worker._mend()
    job = job_of(home, tape_id)
    assert (job.state, job.error_code) == ("failed", "TR-J04")
    worker._mend()
    assert worker._queue.unfinished() == []


def test_a_workflow_whose_end_is_still_being_written_is_not_cancelled(
    worker: Worker, home: Home, tape_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its job is done, and its thread has left it: only a workflow that stays like that was dropped."""
    with home.database.writing() as session:
        job_state.change(session, job_of(home, tape_id).id, job_state.LIVE, now(), state="done")
    (entry,) = worker._queue.unfinished()
    ending = replace(entry, status="PENDING", worker=worker.name)
    monkeypatch.setattr(worker._queue, "unfinished", lambda: [ending])
    worker._take_over()
    worker._mend()
    assert worker._queue.states([entry.workflow_id]) == {entry.workflow_id: "ENQUEUED"}
    monkeypatch.setattr(worker.home, "settings", worker.home.settings.model_copy(update={"dead_after_seconds": 0.0}))
    worker._take_over()
    worker._mend()
    assert worker._queue.states([entry.workflow_id]) == {entry.workflow_id: "CANCELLED"}


def test_a_workflow_that_was_forgotten_meanwhile_keeps_no_other_from_being_resumed(
    worker: Worker, tape_id: str
) -> None:
    (entry,) = worker._queue.unfinished()
    gone = QueueEntry("gone", "PENDING", entry.queue, "dead", VERSION)
    worker._queue.cancel(entry.workflow_id)
    worker._queue.resume([gone, entry])
    assert [each.workflow_id for each in worker._queue.unfinished()] == [entry.workflow_id]
