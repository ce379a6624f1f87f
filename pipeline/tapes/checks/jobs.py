"""The checks of jobs, queue and workers; nothing is changed."""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import func, select

from pipeline.tapes.checks.installation import Finding
from pipeline.tapes.db.records import Job, Worker
from pipeline.tapes.home import Home
from pipeline.tapes.jobs import job_state


def check(home: Home, now: int) -> Iterator[Finding]:
    """Every check of the jobs.

    Raises
    ------
    JobError: J05 the queue cannot be used.
    """
    with home.database.reading() as session:
        live = {
            job.workflow_id: job.tape_id for job in session.scalars(select(Job).where(Job.state.in_(job_state.LIVE)))
        }
        seen = {row.id: row.seen_at for row in session.execute(select(Worker.id, Worker.seen_at))}
        failed = session.scalar(select(func.count()).where(Job.state == "failed")) or 0
    queue = job_state.queue_of(home)
    try:
        unfinished = {entry.workflow_id for entry in queue.unfinished()} if queue.exists() else set()
    finally:
        queue.close()
    unqueued = sorted(tape_id for mark, tape_id in live.items() if mark not in unfinished)
    yield Finding.of(f"{len(live)} jobs, all on the queue", unqueued, "start a worker: it queues them")
    needless = sorted(mark for mark in unfinished if mark.partition("-")[0] not in live)
    yield Finding.of("nothing else is on the queue", needless, "start a worker: it takes them off")
    alive = [name for name, at in seen.items() if at > now - 1000 * home.settings.dead_after_seconds]
    idle = bool(live) and not alive
    words = f"{len(alive)} alive" + (f", {len(seen) - len(alive)} dead" if len(seen) > len(alive) else "")
    remedy = "start `tape-review serve` or `tape-review worker`"
    yield Finding("workers", not idle, words, remedy if idle else "")
    words = f"{failed}: `tape-review status` tells why" if failed else "none"
    yield Finding("jobs that failed", True, words)
