"""The jobs: the work on each tape, as its members see it.

::

    queued ──> running ──> done
       │          │ └────> failed      a mistake that somebody must mend, or three tries in vain
       └──────────┴──────> cancelled

A job's row is what counts: a worker goes on only while it says so, and every change is made on the condition that the
state is still the one that the change starts from. A retry is a new row; what was finished is taken from the vault.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from pipeline.errors import JobError, TapeReviewError
from pipeline.stages import STEPS
from pipeline.tapes import audit_log
from pipeline.tapes.clock import Clock
from pipeline.tapes.clock import now as real_time
from pipeline.tapes.db.records import Job, Tape, new_id
from pipeline.tapes.home import Home

if TYPE_CHECKING:
    from pipeline.tapes.jobs.queue import Queue

State = Literal["queued", "running", "done", "failed", "cancelled"]

LIVE: tuple[State, ...] = ("queued", "running")
"""The states that are not the end."""

WEIGHTS = {"decode": 0.03, "listen": 0.85, "attribute": 0.02, "tag": 0.07, "report": 0.03}
"""The share of a job's time that each step takes."""


@dataclass(frozen=True)
class View:
    """A tape's job as it is shown; ``fraction`` is of the whole job, ``ahead`` counts the jobs before it."""

    tape_id: str
    group_id: str
    job_id: str
    state: str
    stage: str | None
    fraction: float
    attempts: int
    error_code: str | None
    error: str | None
    created_at: int
    updated_at: int
    ahead: int


def queue_of(home: Home) -> Queue:
    """The home's queue. Close it."""
    from pipeline.tapes.jobs.queue import (  # loads DBOS, which the processes that do steps can do without
        Queue,
        database_url,
    )

    return Queue(database_url(home.folder, home.settings.database, home.settings.queue))


def add(session: Session, tape_id: str, now: int) -> Job:
    """A new job for a tape, not yet on the queue: `enqueue` puts it there once the row is kept."""
    job_id = new_id()
    job = Job(id=job_id, tape_id=tape_id, workflow_id=job_id, state="queued", created_at=now, updated_at=now)
    session.add(job)
    return job


def enqueue(home: Home, queue: Queue, job: Job) -> None:
    """Put a job on the queue. A worker does it as well where this process is stopped before."""
    queue.add(job.workflow_id, job.id, home.settings.gpu_queue)


def latest(session: Session, tape_id: str) -> Job:
    """The tape's last job.

    Raises
    ------
    JobError: J01.
    """
    job = session.scalars(
        select(Job).where(Job.tape_id == tape_id).order_by(Job.created_at.desc(), Job.id).limit(1)
    ).first()
    if job is None:
        raise JobError("J01", f"tape {tape_id}", "has no job", "`tape-review status` lists the tapes that have")
    return job


def views(session: Session, tape_ids: Sequence[str] | None = None) -> list[View]:
    """The last job of every tape, or of those named; the newest last."""
    chosen = select(Job, Tape.group_id).join(Tape, Tape.id == Job.tape_id).order_by(Job.created_at, Job.id)
    if tape_ids is not None:
        chosen = chosen.where(Job.tape_id.in_(tape_ids))
    last = {job.tape_id: (job, group_id) for job, group_id in session.execute(chosen)}
    waiting = list(session.scalars(select(Job.id).where(Job.state == "queued").order_by(Job.created_at, Job.id)))
    return [
        View(
            *(job.tape_id, group_id, job.id, job.state, job.stage, job.fraction, job.attempts),
            *(job.error_code, job.error, job.created_at, job.updated_at),
            ahead=waiting.index(job.id) if job.id in waiting else 0,
        )
        for job, group_id in last.values()
    ]


def begin(session: Session, job_id: str, step: str, now: int, tries: int) -> int | None:
    """Count a try of a step; how many there were, or None where the job is not to go on.

    Raises
    ------
    JobError: J03 the step was tried as often as it may be.
    """
    job = session.get(Job, job_id)
    if job is None or job.state not in LIVE:
        return None
    attempts = job.attempts + 1 if job.stage == step else 1
    if attempts > tries:
        value = f"was stopped after {tries} tries of {step}: the worker died each time"
        remedy = "check that the machine has enough memory and disk space, then `tape-review status TAPE --retry`"
        raise JobError("J03", f"job of tape {job.tape_id}", job.error or value, remedy)
    change(session, job_id, LIVE, now, state="running", stage=step, attempts=attempts)
    session.execute(update(Tape).where(Tape.id == job.tape_id, Tape.state == "queued").values(state="running"))
    return attempts


def progressed(session: Session, job_id: str, step: str, fraction: float, now: int) -> None:
    """Note how far a step has come."""
    change(session, job_id, ("running",), now, fraction=overall(step, fraction))


def overall(step: str, fraction: float) -> float:
    """How far the whole job is when a step is done by a fraction."""
    steps = list(STEPS)
    before = sum(WEIGHTS[each] for each in steps[: steps.index(step)])
    return round(before + WEIGHTS[step] * fraction, 3)


def fail(session: Session, job_id: str, error: TapeReviewError, now: int) -> None:
    """End a job with the reason."""
    words = f"{error.thing} {error.value}; {error.remedy}"
    if change(session, job_id, LIVE, now, state="failed", error_code=error.code, error=words):
        _settle(session, job_id, "failed")


def note(session: Session, job_id: str, reason: str, now: int) -> None:
    """Note why a try went wrong, before the next."""
    change(session, job_id, LIVE, now, error=reason)


def give_back(session: Session, job_id: str, now: int) -> None:
    """A worker that is asked to stop leaves a job to the next, without a try being counted."""
    job = session.get(Job, job_id)
    if job is not None:
        change(session, job_id, ("running",), now, state="queued", attempts=max(0, job.attempts - 1))


def change(session: Session, job_id: str, states: Sequence[str], now: int, **values: Any) -> bool:
    """Change a job that is in one of some states; whether it was."""
    chosen = update(Job).where(Job.id == job_id, Job.state.in_(states))
    return session.execute(chosen.values(updated_at=now, **values).returning(Job.id)).first() is not None


def cancel(home: Home, tape_id: str, actor_id: str | None = None, clock: Clock = real_time) -> None:
    """Stop the work on a tape; a worker that is at it lets go within seconds.

    Raises
    ------
    JobError: J01, J02 it is not queued or running.
    """
    with home.database.writing() as session:
        now = clock()
        job = latest(session, tape_id)
        if not change(session, job.id, LIVE, now, state="cancelled"):
            raise JobError(
                "J02", f"job of tape {tape_id}", f"is {job.state}", "only a running or waiting job can be canceled"
            )
        _settle(session, job.id, "failed")
        audit_log.record(session, now, actor_id, "job.cancel", tape_id)
    queue = queue_of(home)
    try:
        queue.cancel(job.workflow_id)
    finally:
        queue.close()


def retry(home: Home, tape_id: str, actor_id: str | None = None, clock: Clock = real_time) -> Job:
    """Queue a tape again whose job failed or was cancelled; finished stages are not repeated.

    Raises
    ------
    JobError: J01, J02 there is nothing to retry.
    """
    with home.database.writing() as session:
        now = clock()
        last = latest(session, tape_id)
        if last.state not in ("failed", "cancelled"):
            remedy = "only a job that failed or was canceled can be retried"
            raise JobError("J02", f"job of tape {tape_id}", f"is {last.state}", remedy)
        job = add(session, tape_id, max(now, last.created_at + 1))
        session.execute(update(Tape).where(Tape.id == tape_id, Tape.state == "failed").values(state="queued"))
        audit_log.record(session, now, actor_id, "job.retry", tape_id)
    queue = queue_of(home)
    try:
        queue.forget([last.workflow_id])
        enqueue(home, queue, job)
    finally:
        queue.close()
    return job


def stop(session: Session, tape_id: str, now: int) -> None:
    """Have every job of a tape end, whatever its state: the consent is withdrawn, or the tape is being destroyed."""
    session.execute(
        update(Job).where(Job.tape_id == tape_id, Job.state.in_(LIVE)).values(state="cancelled", updated_at=now)
    )


def forget(home: Home, tape_id: str) -> int:
    """Remove all that the queue holds of a tape; how many workflows. Destruction calls it while the rows are there."""
    with home.database.reading() as session:
        workflow_ids = list(session.scalars(select(Job.workflow_id).where(Job.tape_id == tape_id)))
    queue = queue_of(home)
    try:
        return queue.forget(workflow_ids) if workflow_ids and queue.exists() else 0
    finally:
        queue.close()


def _settle(session: Session, job_id: str, state: str) -> None:
    """The tape of a job that came to its end."""
    tape_id = select(Job.tape_id).where(Job.id == job_id).scalar_subquery()
    session.execute(update(Tape).where(Tape.id == tape_id, Tape.state.in_(("queued", "running"))).values(state=state))
