"""The figures of a home that a monitor watches: counts and seconds, and nothing of any tape."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from pipeline.tapes.db.records import Job, Tape, Tombstone, Worker
from pipeline.tapes.home import Home
from pipeline.tapes.jobs import stage_durations
from pipeline.tapes.jobs.stage_durations import StageHistogram
from pipeline.tapes.retention import retention

JOB_STATES = ("queued", "running", "done", "failed", "cancelled")


@dataclass(frozen=True)
class Figures:
    """A home at one moment.

    ``jobs``: state -> how many; those of destroyed tapes are gone. ``failures``: error code -> how many jobs stand
    failed with it. ``workers``: how many are alive. ``destruction_lag``: seconds since the tape that is due for longest
    should have been destroyed; 0 where none is due. ``audit_lag``: rows of the audit that its copy in the home does not
    vouch for yet. ``stages``: how long each stage took.
    """

    jobs: Mapping[str, int]
    failures: Mapping[str, int]
    workers: int
    destruction_lag: float
    audit_lag: int
    stages: Mapping[str, StageHistogram]


def read(home: Home, now: int) -> Figures:
    """The figures of now.

    Raises
    ------
    TapesError: K03, K04 the database.
    """
    with home.database.reading() as session:
        by_state = _counts(session, select(Job.state, func.count()).group_by(Job.state))
        failed = select(func.coalesce(Job.error_code, ""), func.count()).where(Job.state == "failed")
        failures = _counts(session, failed.group_by(Job.error_code))
        alive_since = now - int(1000 * home.settings.dead_after_seconds)
        return Figures(
            jobs={state: by_state.get(state, 0) for state in JOB_STATES},
            failures={code or "none": count for code, count in failures.items()},
            workers=session.scalar(select(func.count()).where(Worker.seen_at > alive_since)) or 0,
            destruction_lag=_destruction_lag(session, now),
            audit_lag=home.audit.lag(session),
            stages=stage_durations.histograms(session),
        )


def _counts(session: Session, query: Select[str, int]) -> dict[str, int]:
    return dict(session.execute(query).all())


def _destruction_lag(session: Session, now: int) -> float:
    """Seconds since the first of the tapes that are due, or whose destruction has not come to its end, was due."""
    begun = select(func.min(Tombstone.destroyed_at)).join(Tape, Tape.id == Tombstone.tape_id)
    since = [each.since for each in retention.due(session, now)[:1]]
    since += [at for at in [session.scalar(begun.where(Tape.state == "destroyed"))] if at is not None]
    return max(0.0, (now - min(since)) / 1000) if since else 0.0
