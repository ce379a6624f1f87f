"""A job's steps as a worker does them, without processes and without the queue."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from sqlalchemy.exc import OperationalError

from pipeline.errors import ConsentError, SpeechError, TapesError
from pipeline.tapes.clock import now
from pipeline.tapes.db.records import Job
from pipeline.tapes.home import Home
from pipeline.tapes.intake import submission
from pipeline.tapes.jobs import job_state, workflow
from pipeline.tapes.jobs.engine_process import Outcome
from pipeline.tapes.jobs.workflow import Stopped, Work

Deed = Callable[[Callable[[float], None], Callable[[], None]], Outcome]


class Runner:
    """Does whatever a test lets it do, one deed a step."""

    def __init__(self, deeds: list[Deed]) -> None:
        self.deeds = deeds
        self.ended = False

    def do(self, job_id: str, step: str, progress: Callable[[float], None], go_on: Callable[[], None]) -> Outcome:
        return self.deeds.pop(0)(progress, go_on)

    def end(self) -> None:
        self.ended = True


@pytest.fixture(autouse=True)
def _no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workflow, "_PAUSE", 0)
    monkeypatch.setattr(workflow, "_LOOK", 0)


def work(home: Home, *deeds: Deed) -> Work:
    return Work(home, lambda: Runner(list(deeds)), now)  # type: ignore[arg-type, return-value]


def job(home: Home, tape_id: str) -> Job:
    with home.database.reading() as session:
        return job_state.latest(session, tape_id)


def ends(outcome: Outcome = Outcome()) -> Deed:  # noqa: B008
    return lambda progress, go_on: outcome


def test_a_step_that_is_done_is_done_and_its_progress_noted(home: Home, tape_id: str) -> None:
    def half(progress: Callable[[float], None], go_on: Callable[[], None]) -> Outcome:
        progress(0.5)
        go_on()
        return Outcome()

    assert workflow._tried(work(home, half), job(home, tape_id).id, "decode") == "done"
    after = job(home, tape_id)
    assert (after.state, after.stage, after.fraction) == ("running", "decode", job_state.overall("decode", 0.5))


def test_a_failure_that_may_pass_is_tried_again_and_its_reason_noted(home: Home, tape_id: str) -> None:
    done = work(home, ends(Outcome(failure="RuntimeError in at")), ends())
    assert workflow._tried(done, job(home, tape_id).id, "decode") == "done"
    assert job(home, tape_id).attempts == 2


def test_a_mistake_ends_the_job_with_its_code(home: Home, tape_id: str) -> None:
    error = SpeechError("P01", "recording", "has no words", "listen to it")
    assert workflow._tried(work(home, ends(Outcome(error=error))), job(home, tape_id).id, "tag") == "failed"
    assert (job(home, tape_id).state, job(home, tape_id).error_code) == ("failed", "TR-P01")


def test_records_that_are_busy_say_nothing_about_the_job(home: Home, tape_id: str) -> None:
    busy = TapesError("K04", "database", "is busy", "try again")
    with pytest.raises(TapesError, match="TR-K04"):
        workflow._tried(work(home, ends(Outcome(error=busy))), job(home, tape_id).id, "tag")
    assert job(home, tape_id).state == "running"


def test_progress_that_cannot_be_noted_is_no_reason_to_do_a_step_again(
    home: Home, tape_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def busy(*_: object) -> None:
        raise TapesError("K04", "database", "is busy", "try again")

    def half(progress: Callable[[float], None], go_on: Callable[[], None]) -> Outcome:
        with monkeypatch.context() as patch:
            patch.setattr(job_state, "progressed", busy)
            progress(0.5)
        return Outcome()

    assert workflow._tried(work(home, half), job(home, tape_id).id, "decode") == "done"
    assert (job(home, tape_id).fraction, job(home, tape_id).attempts) == (0.0, 1)


def test_a_job_that_its_last_step_has_just_done_is_not_stopped_before_the_answer(home: Home, tape_id: str) -> None:
    """A busy machine takes its time between the two; the process would be ended, and the workflow dropped."""

    def publishes(progress: Callable[[float], None], go_on: Callable[[], None]) -> Outcome:
        with home.database.writing() as session:
            job_state.change(session, job(home, tape_id).id, job_state.LIVE, now(), state="done")
        go_on()
        return Outcome()

    assert workflow._tried(work(home, publishes), job(home, tape_id).id, "report") == "done"


def test_a_workflow_is_under_way_until_the_last_of_its_threads_has_left_it(home: Home) -> None:
    """One that was put back on the queue may come to the same worker while its first thread still ends."""
    worker = work(home)
    with worker.at("w1"):
        with worker.at("w1"), worker.at("w2"):
            assert worker.active() == {"w1", "w2"}
        assert worker.active() == {"w1"}
    assert worker.active() == set()


def test_a_queue_that_cannot_be_used_ends_no_job(home: Home) -> None:
    workflow.working(worker := work(home))
    try:
        with pytest.raises(Stopped), workflow._active():
            assert worker.active()
            raise OperationalError("INSERT", {}, OSError("disk I/O error"))
    finally:
        workflow.working(None)
    assert not worker.active()


def test_a_withdrawn_tape_is_let_go_of_within_the_step(home: Home, tape_id: str) -> None:
    def withdrawn(progress: Callable[[float], None], go_on: Callable[[], None]) -> Outcome:
        submission.withdraw(home, tape_id)
        go_on()
        return Outcome()

    with pytest.raises(Stopped):
        workflow._tried(work(home, withdrawn), job(home, tape_id).id, "decode")


def test_without_consent_no_step_begins(home: Home, tape_id: str) -> None:
    submission.withdraw(home, tape_id)
    with pytest.raises(ConsentError):
        workflow._require(work(home), tape_id)
    with pytest.raises(ConsentError, match="TR-D01"):
        workflow._require(work(home), "nowhere")


def test_a_worker_that_is_asked_to_stop_gives_the_job_back_and_no_try_is_counted(home: Home, tape_id: str) -> None:
    def stopping(progress: Callable[[float], None], go_on: Callable[[], None]) -> Outcome:
        stopped.stopping.set()
        go_on()
        return Outcome()

    stopped = work(home, stopping)
    with pytest.raises(Stopped):
        workflow._tried(stopped, job(home, tape_id).id, "decode")
    assert (job(home, tape_id).state, job(home, tape_id).attempts) == ("queued", 0)


def test_processes_are_used_again_and_end_with_the_worker(home: Home) -> None:
    worker = work(home)
    with worker.runner() as first, worker.runner() as second:
        assert first is not second
    with worker.runner() as again:
        assert again in (first, second)
    worker.rest()
    assert first.ended
    assert second.ended
    with worker.runner() as fresh:
        assert fresh not in (first, second)


def test_a_process_that_is_no_worker_does_no_step() -> None:
    workflow.working(None)
    with pytest.raises(Stopped):
        workflow._work()
