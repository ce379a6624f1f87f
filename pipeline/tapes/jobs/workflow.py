"""The durable workflow of a tape: one DBOS step after the other, each done once, whoever of the workers does it.

Arguments and results of workflow and steps are ids and single words. A worker that is asked to stop, or whose job is
cancelled, leaves by `Stopped`: DBOS writes nothing down then, and the step will be done by the next who takes the job.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from threading import Event, Lock

from dbos import DBOS, SetWorkflowID
from sqlalchemy.exc import SQLAlchemyError

from pipeline.errors import ConsentError, TapeReviewError, TapesError
from pipeline.stages import STEPS
from pipeline.tapes import logs
from pipeline.tapes.clock import Clock
from pipeline.tapes.consent import consent
from pipeline.tapes.db.records import Job, Tape
from pipeline.tapes.home import Home
from pipeline.tapes.jobs import job_state, stage_durations
from pipeline.tapes.jobs.engine_process import Outcome, Runner
from pipeline.tapes.jobs.queue import GPU, WORKFLOW

ON_GPU = ("listen", "tag")
"""The steps that a graphics card makes faster."""

_LOOK = 0.5
"""Seconds between two looks into the records at whether a job may go on."""

_PAUSE = 1.0
"""Seconds before a step that failed is tried again, times the tries so far."""


_PASSING = ("TR-K03", "TR-K04")
"""The errors that say nothing about the job: the records cannot be reached, or are busy."""


class Stopped(BaseException):
    """This worker is not to go on with a job. No `Exception`: DBOS must not take it for the job's result."""


class Work:
    """The worker's side of a workflow.

    Parameters
    ----------
    new_runner: makes a process for one job at a time; they are used again.
    """

    def __init__(self, home: Home, new_runner: Callable[[], Runner], clock: Clock) -> None:
        self.home, self.clock = home, clock
        self.stopping = Event()
        self._active: Counter[str] = Counter()
        self._new_runner, self._idle, self._lock = new_runner, list[Runner](), Lock()

    @contextmanager
    def runner(self) -> Iterator[Runner]:
        """A process for one step."""
        with self._lock:
            runner = self._idle.pop() if self._idle else self._new_runner()
        try:
            yield runner
        finally:
            with self._lock:
                self._idle.append(runner)

    def active(self) -> set[str]:
        """The workflows that a thread of this process is at."""
        with self._lock:
            return set(self._active)

    @contextmanager
    def at(self, workflow_id: str) -> Iterator[None]:
        """A thread is at a workflow; another may be at it still, from before it was put back on the queue."""
        with self._lock:
            self._active[workflow_id] += 1
        try:
            yield
        finally:
            with self._lock:
                self._active[workflow_id] -= 1
                self._active += Counter()  # keeps what is above zero

    def rest(self) -> None:
        """End the processes that have nothing to do."""
        with self._lock:
            idle, self._idle = self._idle, []
        for runner in idle:
            runner.end()


_works: list[Work] = []


def working(work: Work | None) -> None:
    """Say which worker this process is; None when it stops."""
    _works[:] = [work] if work else []


def _work() -> Work:
    if not _works:
        raise Stopped
    return _works[0]


@DBOS.workflow(name=WORKFLOW)
def tape(job_id: str, apart: bool) -> str:
    """All steps of a job; with ``apart``, those for a graphics card on their own queue."""
    with _active():
        for step in STEPS:
            ended = _elsewhere(job_id, step) if apart and step in ON_GPU else do(job_id, step)
            if ended != "done":
                return ended
        return "done"


@DBOS.workflow(name="step")
def heavy(job_id: str, step: str) -> str:
    """One step, on the queue of the workers with a graphics card."""
    with _active():
        return do(job_id, step)


@DBOS.step(name="step")
def do(job_id: str, step: str) -> str:
    """Do a step, again where it fails without a reason that is known; how it ended: ``done`` or ``failed``."""
    try:
        return _tried(_work(), job_id, step)
    except Exception:  # records or queue are out of reach, which says nothing about the job: somebody will go on later
        raise Stopped from None


def heavy_ids(workflow_id: str) -> list[str]:
    """The ids of the workflows that do the steps on a graphics card for another workflow."""
    return [_heavy_id(workflow_id, step) for step in ON_GPU]


def _heavy_id(workflow_id: str | None, step: str) -> str:
    return f"{workflow_id}-{step}"


def _elsewhere(job_id: str, step: str) -> str:
    try:
        with SetWorkflowID(_heavy_id(DBOS.workflow_id, step)):
            return DBOS.enqueue_workflow(GPU, heavy, job_id, step).get_result()
    except Exception:
        raise Stopped from None


def _tried(work: Work, job_id: str, step: str) -> str:
    while True:
        began = time.monotonic()
        try:
            attempts = _begin(work, job_id, step)
            outcome = _once(work, job_id, step)
            if outcome.error is not None:
                raise outcome.error
        except TapeReviewError as error:
            if error.code in _PASSING:
                raise
            with work.home.database.writing() as session:
                job_state.fail(session, job_id, error, work.clock())
            logs.get().warning("job.fail", job_id=job_id, stage=step, code=error.code)
            return "failed"
        if outcome.failure is None:
            seconds = time.monotonic() - began
            logs.get().info("job.stage", job_id=job_id, stage=step, attempt=attempts, seconds=round(seconds, 3))
            with suppress(TapesError), work.home.database.writing() as session:  # no reason to do a step again
                stage_durations.add(session, step, seconds)
            return "done"
        logs.get().warning("job.retry", job_id=job_id, stage=step, attempt=attempts)
        with work.home.database.writing() as session:
            job_state.note(session, job_id, f"{step} failed: {outcome.failure}", work.clock())
        if work.stopping.wait(_PAUSE * attempts):
            _give_back(work, job_id)


def _begin(work: Work, job_id: str, step: str) -> int:
    """Count the try and ask the consent; how many tries there were."""
    with work.home.database.writing() as session:
        attempts = job_state.begin(session, job_id, step, work.clock(), work.home.settings.tries)
        job = session.get(Job, job_id)
    if attempts is None or job is None:
        raise Stopped
    _require(work, job.tape_id)
    return attempts


def _require(work: Work, tape_id: str) -> None:
    """The consent to go on.

    Raises
    ------
    ConsentError: there is none any more.
    """
    with work.home.database.reading() as session:
        tape = session.get(Tape, tape_id)
        if tape is None:
            raise ConsentError("D01", f"tape {tape_id}", "is destroyed", "nothing can be done with it anymore")
        consent.allows(session, None, "process", tape, work.clock()).require()


def _once(work: Work, job_id: str, step: str) -> Outcome:
    """One try of a step; `Stopped` as soon as the job is not to go on."""
    looked = time.monotonic()

    def go_on() -> None:
        nonlocal looked
        if work.stopping.is_set():
            _give_back(work, job_id)
        if time.monotonic() - looked < _LOOK:
            return
        looked = time.monotonic()
        with work.home.database.reading() as session:
            job = session.get(Job, job_id)
            if job is None or job.state not in ("running", "done"):  # done by the last step, which is about to answer
                raise Stopped
        _require(work, job.tape_id)

    def progress(fraction: float) -> None:
        with suppress(TapesError), work.home.database.writing() as session:  # no reason to do a step again
            job_state.progressed(session, job_id, step, fraction, work.clock())

    with work.runner() as runner:
        return runner.do(job_id, step, progress, go_on)


def _give_back(work: Work, job_id: str) -> None:
    with work.home.database.writing() as session:
        job_state.give_back(session, job_id, work.clock())
    raise Stopped


@contextmanager
def _active() -> Iterator[None]:
    """Note that this process is at a workflow: one that DBOS says is ours and that is not noted has been dropped.

    A queue that cannot be used says nothing about the job: it is dropped, and somebody will go on later.
    """
    with _work().at(DBOS.workflow_id or ""):
        try:
            yield
        except SQLAlchemyError:
            raise Stopped from None
