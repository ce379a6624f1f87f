"""Workers among whom every hundredth deed goes wrong: no job waits for ever, and none is ended for it."""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from dbos._sys_db_sqlite import SQLiteSystemDatabase
from sqlalchemy.exc import OperationalError

from pipeline.errors import TapesError
from pipeline.settings import Settings
from pipeline.tapes.clock import now
from pipeline.tapes.home import Home
from pipeline.tapes.jobs import job_state, worker, workflow
from pipeline.tapes.jobs.engine_process import Outcome
from tests.tapes.jobs.worker_room import Room, ended

pytestmark = pytest.mark.engines

JOBS = 30
QUEUE_DEEDS = (
    "record_operation_result",
    "update_workflow_outcome",
    "check_operation_execution",
    "get_workflow_statuses",
    "start_queued_workflows",
)
"""What DBOS does for a workflow."""


class TroubledRunner:
    """Does steps at once, most of them well."""

    def __init__(self, dice: random.Random, home: Home, settings: Settings, engines: str) -> None:
        self._dice, self._home = dice, home

    def do(self, job_id: str, step: str, progress: Callable[[float], None], go_on: Callable[[], None]) -> Outcome:
        self._trouble()
        progress(0.5)
        go_on()
        if step == "report":
            with self._home.database.writing() as session:
                job_state.change(session, job_id, job_state.LIVE, now(), state="done")
        self._trouble()
        return Outcome(failure="it crashed") if self._dice.random() < 0.05 else Outcome()

    def end(self) -> None:
        """Nothing to end."""

    def _trouble(self) -> None:
        if self._dice.random() < 0.1:
            busy, lost = (TapesError(code, "database", "is out of reach", "try again") for code in ("K04", "K03"))
            raise self._dice.choice([busy, lost, workflow.Stopped(), ValueError("a mistake of ours")])


def has_trouble(seed: int) -> None:
    """Have a worker meet trouble in its steps, and in the queue before and after each deed."""
    dice = random.Random(seed)

    def troubled(deed: Callable[..., Any]) -> Callable[..., Any]:
        def either(*arguments: Any, **named: Any) -> Any:
            if dice.random() < 0.01:
                raise OperationalError("", {}, sqlite3.OperationalError("disk I/O error"))
            result = deed(*arguments, **named)
            if dice.random() < 0.01:
                raise OperationalError("", {}, sqlite3.OperationalError("disk I/O error"))
            return result

        return either

    for name in QUEUE_DEEDS:
        setattr(SQLiteSystemDatabase, name, troubled(getattr(SQLiteSystemDatabase, name)))
    worker.Runner = partial(TroubledRunner, dice)  # type: ignore[assignment, misc]
    workflow._PAUSE = 0.01


def test_trouble_with_steps_records_and_queue_leaves_no_job_behind(room: Room) -> None:
    room.change(tries=1000, heartbeat_seconds=0.1, dead_after_seconds=1.0, jobs_at_once=3)
    room.tapes(JOBS)
    workers = [room.start(hurt=partial(has_trouble, seed)) for seed in (1, 2)]
    assert {(row.state, row.error_code) for row in room.finished()} == {("done", None)}
    for process in workers:
        ended(process)
