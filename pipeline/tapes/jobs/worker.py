"""The worker: takes jobs off the queue, shows that it lives, and takes over from those that do not.

Every worker counts its heartbeats in a row of its own; the others watch whether the number grows (`heartbeats`). Where
it does not, the worker is taken for dead, and its jobs go back on the queue. If it was only slow, DBOS heeds nothing
that it writes from then on, and its steps' results are the same bytes anyway.
"""

from __future__ import annotations

import os
import secrets
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from itertools import chain
from threading import Event, Thread
from types import TracebackType
from typing import Literal

from dbos import DBOS
from sqlalchemy import delete, select

from pipeline.errors import JobError, TapeReviewError
from pipeline.settings import Settings
from pipeline.tapes import logs
from pipeline.tapes.clock import Clock
from pipeline.tapes.clock import now as real_time
from pipeline.tapes.db.records import Job
from pipeline.tapes.db.records import Worker as Row
from pipeline.tapes.home import Home
from pipeline.tapes.intake import submission
from pipeline.tapes.jobs import job_state, workflow
from pipeline.tapes.jobs.engine_process import Runner
from pipeline.tapes.jobs.liveness import Watch
from pipeline.tapes.jobs.queue import CPU, GPU, SUCCESS, UNFINISHED, VERSION, QueueEntry
from pipeline.tapes.jobs.suggestion_thread import SuggestionThread
from pipeline.tapes.retention import retention

WhichJobs = Literal["all", "cpu", "gpu"]
QUEUES: dict[WhichJobs, tuple[str, ...]] = {"all": (CPU, GPU), "cpu": (CPU,), "gpu": (GPU,)}

ENGINES = "pipeline.run.engines:Engines"

_IDLE_SECONDS = 60.0  # without a job, after which models leave the memory: the next tape may follow at once
_TIDY_SECONDS = 60.0  # between two looks for what is due, which is counted in days


class Worker:
    """Works from ``with`` on until it ends, in threads and processes of its own. One a process.

    Parameters
    ----------
    which: the queues to take jobs from.
    engines: what makes the engines: the seam for tests, ``"module:name"``.
    """

    def __init__(
        self,
        home: Home,
        settings: Settings,
        which: WhichJobs = "all",
        *,
        engines: str = ENGINES,
        clock: Clock = real_time,
    ) -> None:
        self.home, self.settings, self._which, self._engines, self._clock = home, settings, which, engines, clock
        self.name = f"w{os.getpid()}-{secrets.token_hex(4)}"
        self._watch = Watch(self.name, home.settings.dead_after_seconds)
        self._dropped: dict[str, float] = {}
        self._long_dropped: set[str] = set()
        self._busy, self._tidied = time.monotonic(), float("-inf")
        self._ended = Event()

    def __enter__(self) -> Worker:
        tapes = self.home.settings
        self.home.vault.ring  # noqa: B018 - ask for the passphrase now, not in the middle of the work
        self.home.vault.sweep()
        new_runner = partial(Runner, self.home, self.settings, self._engines)
        self._work = workflow.Work(self.home, new_runner, self._clock)
        self._suggesting = SuggestionThread(
            self.home, self.name, new_runner, lambda: bool(self._work.active()), self._ended, self._clock
        )
        self._queue = job_state.queue_of(self.home)
        self._queue.create()
        workflow.working(self._work)
        DBOS(config=self._queue.config(self.name))
        DBOS.listen_queues(list(QUEUES[self._which]))
        self._beat(1)
        DBOS.launch()
        for name in QUEUES[self._which]:
            DBOS.register_queue(
                name,
                worker_concurrency=tapes.jobs_at_once,
                polling_interval_sec=tapes.poll_seconds,
                on_conflict="always_update",
            )
        self._thread = Thread(target=self._live, name="heartbeat", daemon=True)
        self._thread.start()
        if self._which != "gpu":
            self._suggesting.start()
        logs.get().info("worker.start", worker=self.name)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._work.stopping.set()
        self._ended.set()
        self._thread.join()
        if self._which != "gpu":
            self._suggesting.join()
        self._wait_for(lambda: not self._work.active(), 5)
        self._work.rest()
        workflow.working(None)
        DBOS.destroy()
        with suppress(TapeReviewError), self.home.database.writing() as session:
            session.execute(delete(Row).where(Row.id == self.name))
        with suppress(TapeReviewError):  # what we had goes back at once, not when we are found dead
            self._queue.resume(entry for entry in self._queue.unfinished() if entry.worker == self.name)
        self._queue.close()
        logs.get().info("worker.stop", worker=self.name)

    def idle(self) -> bool:
        """Whether nothing is queued or under way, here neither: a job is done before the last of its steps is noted."""
        if self._work.active():
            return False
        with self.home.database.reading() as session:
            return session.scalars(select(Job.id).where(Job.state.in_(job_state.LIVE)).limit(1)).first() is None

    def _live(self) -> None:
        beats, pause = 1, self.home.settings.heartbeat_seconds
        while not self._ended.wait(pause):
            beats += 1
            try:
                self._beat(beats)
                self._take_over()
                self._mend()
                self._tidy()
            except Exception:
                logs.get().warning("worker.trouble", worker=self.name, exc_info=True)
                continue  # the database is busy or away: others may take over, and the next beat tries again
            if self._work.active():
                self._busy = time.monotonic()
            elif time.monotonic() - self._busy > _IDLE_SECONDS:
                self._work.rest()

    def _beat(self, beats: int) -> None:
        with self.home.database.writing() as session:
            session.merge(Row(id=self.name, beats=beats, seen_at=self._clock(), queues=self._which))

    def _take_over(self) -> None:
        """Put the jobs of dead workers back on the queue, and those of ours that we dropped."""
        held = [entry for entry in self._queue.unfinished() if entry.status == "PENDING"]
        with self.home.database.reading() as session:
            beats = {row.id: row.beats for row in session.scalars(select(Row))}
        dead = self._watch.dead(beats, {entry.worker for entry in held}, time.monotonic())
        for name in dead:
            if name not in beats or self._bury(name):
                logs.get().warning("worker.takeover", worker=name)
                self._queue.resume(entry for entry in held if entry.worker == name)
        self._long_dropped = self._dropped_for_long(held)
        self._queue.resume(entry for entry in held if entry.workflow_id in self._long_dropped)

    def _dropped_for_long(self, held: Sequence[QueueEntry]) -> set[str]:
        """Those of our workflows that nobody here is at, for so long that none of them is only about to begin."""
        now, idle = time.monotonic(), {entry.workflow_id for entry in held if entry.worker == self.name}
        idle -= self._work.active()
        self._dropped = {mark: self._dropped.get(mark, now) for mark in idle}
        marks = {mark for mark, since in self._dropped.items() if now - since >= self.home.settings.dead_after_seconds}
        for mark in marks:
            del self._dropped[mark]
        return marks

    def _bury(self, name: str) -> bool:
        """Remove a dead worker's row; False where another worker was faster, who then takes over."""
        with self.home.database.writing() as session:
            return session.execute(delete(Row).where(Row.id == name).returning(Row.id)).first() is not None

    def _mend(self) -> None:
        """Make the queue follow the records, and the records what the queue has ended."""
        queued = self._queue.unfinished()  # before the records: a job is in them before it is on the queue
        with self.home.database.reading() as session:
            live = {job.workflow_id: job for job in session.scalars(select(Job).where(Job.state.in_(job_state.LIVE)))}
        parts = {workflow_id: workflow.heavy_ids(workflow_id) for workflow_id, job in live.items() if job.stage}
        known = self._queue.states([*live, *chain.from_iterable(parts.values())])
        for workflow_id, job in live.items():
            state = known.get(workflow_id)
            ends = {known[part] for part in parts.get(workflow_id, ()) if part in known}
            failed = ends.difference(UNFINISHED, [SUCCESS])
            if state is None:
                job_state.enqueue(self.home, self._queue, job)
            elif state not in UNFINISHED or failed:  # what waits for such a part waits for ever
                error = JobError("J04", f"job of tape {job.tape_id}", "ended without a reason", "try it again")
                with self.home.database.writing() as session:
                    job_state.fail(session, job.id, error, self._clock())
        for entry in queued:
            if entry.version != VERSION and entry.status != "PENDING" and entry.workflow_id in live:
                self._queue.forget([entry.workflow_id])  # an older program's; what it finished lies in the vault
                job_state.enqueue(self.home, self._queue, live[entry.workflow_id])
                continue
            waits = entry.status != "PENDING" or entry.workflow_id in self._long_dropped
            if waits and entry.workflow_id.partition("-")[0] not in live:
                self._queue.cancel(entry.workflow_id)

    def _tidy(self) -> None:
        """From time to time: destroy what is due, and remove what killed processes left."""
        if time.monotonic() - self._tidied > _TIDY_SECONDS:
            self._tidied = time.monotonic()
            retention.enforce(self.home, self._clock())
            submission.sweep(self.home)

    def _wait_for(self, done: Callable[[], bool], seconds: float) -> None:
        deadline = time.monotonic() + seconds
        while not done() and time.monotonic() < deadline:
            time.sleep(0.02)
