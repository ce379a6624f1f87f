"""A tape that was handed in: its state, and its steps done without a worker."""

from __future__ import annotations

from pathlib import Path

from pipeline.settings import Settings
from pipeline.tapes.clock import now
from pipeline.tapes.db.records import Tape
from pipeline.tapes.home import Home
from pipeline.tapes.jobs import job_state, steps
from tests.tapes.fakes import Fakes


def state(home: Home, tape_id: str) -> tuple[str, str]:
    """Of the job, and of the tape."""
    with home.database.reading() as session:
        return job_state.latest(session, tape_id).state, session.get_one(Tape, tape_id).state


def everything(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file())


def do(home: Home, whole: Settings, tape_id: str, step: str) -> list[float]:
    seen: list[float] = []
    with home.database.writing() as session:
        job_id = job_state.latest(session, tape_id).id
        job_state.begin(session, job_id, step, now(), 3)
    steps.perform(home, whole, Fakes, job_id, step, seen.append, now)
    return seen
