"""The queue of jobs: DBOS's tables, in an SQLite file beside the records or in the same PostgreSQL.

A workflow's rows hold the ids of a job and its steps, as plain JSON: no speech, no file name, no error text (DBOS's own
way would be pickles). Nothing is reported to anybody: no console, no telemetry.
"""

from __future__ import annotations

import json
import logging
import sqlite3
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from dbos import DBOS, DBOSClient, DBOSConfig, Serializer, error
from sqlalchemy import Engine, create_engine, event, inspect, make_url, text
from sqlalchemy.exc import SQLAlchemyError

from pipeline.errors import JobError
from pipeline.tapes.db.database import sqlite_url
from pipeline.tapes.vault.atomic_files import closed

APPLICATION = "tape-review"
VERSION = "tapes-1"
"""The shape of the workflow, not of the program: a newer program goes on with the jobs of an older one. It changes only
when the order of steps does; workers then begin the jobs that are under way anew, and finished stages are reused."""

WORKFLOW = "tape"
CPU, GPU = "tapes", "tapes-gpu"
"""The queues' names."""

UNFINISHED = ["ENQUEUED", "DELAYED", "PENDING"]
SUCCESS = "SUCCESS"
"""How a workflow ended that returned a result; the other ends are an error, a cancellation and too many tries."""

_WAIT_MS = 30_000  # for another's write, as `database` waits
_LOG_SECONDS = 10.0  # in which readers let go of the write-ahead log; each has it for a moment


class Plain(Serializer):
    """Return a value as JSON for DBOS to store; of an error, its kind alone."""

    def serialize(self, data: Any) -> str:
        """JSON, or `TypeError` for what is not plain."""
        if isinstance(data, BaseException):
            data = {"error": type(data).__name__}
        return json.dumps(data)

    def deserialize(self, serialized_data: str) -> Any:
        """Return a stored value."""
        value = json.loads(serialized_data)
        return RuntimeError(value["error"]) if isinstance(value, dict) and set(value) == {"error"} else value

    def name(self) -> str:
        """How DBOS notes which serializer wrote a row."""
        return "tape-review-json"


@dataclass(frozen=True)
class QueueEntry:
    """A workflow that is not finished, and which worker has it."""

    workflow_id: str
    status: str
    queue: str
    worker: str
    version: str


class Queue:
    """A handle on the queue from outside of a worker: adds, cancels, forgets.

    Parameters
    ----------
    url: where DBOS's tables are, as an SQLAlchemy URL.
    """

    def __init__(self, url: str) -> None:
        quiet()
        self.url = url
        self.name = f"queue in {make_url(url).get_backend_name()} database {make_url(url).database}"

    def create(self) -> None:
        """Make the tables, or bring them up to date.

        Raises
        ------
        JobError: J05.
        """
        with self._as_our_errors():
            if self.url.startswith("sqlite"):
                closed(Path(make_url(self.url).database or ""))
            DBOS.migrate(self.url)

    def config(self, worker: str) -> DBOSConfig:
        """Return the configuration of DBOS in a worker."""
        return DBOSConfig(
            name=APPLICATION,
            application_version=VERSION,
            executor_id=worker,
            system_database_url=self.url,
            system_database_engine=self.engine,
            serializer=Plain(),
            enable_otlp=False,
            log_level="ERROR",
            run_migrations=True,
        )

    @cached_property
    def engine(self) -> Engine | None:
        """Our own connections where it is SQLite: what is deleted there is overwritten. None leaves them to DBOS."""
        return _sqlite(self.url) if self.url.startswith("sqlite") else None

    def add(self, workflow_id: str, job_id: str, apart: bool) -> None:
        """Queue a job; one that is queued already stays as it is.

        Raises
        ------
        JobError: J05.
        """
        with self._as_our_errors():
            self._client.enqueue(
                {"workflow_name": WORKFLOW, "queue_name": CPU, "workflow_id": workflow_id, "app_version": VERSION},
                job_id,
                apart,
            )

    def cancel(self, workflow_id: str) -> None:
        """Take a workflow off the queue, or keep it from going on."""
        with self._as_our_errors():
            if self._statuses([workflow_id]):
                self._client.cancel_workflow(workflow_id, cancel_children=True)

    def resume(self, entries: Iterable[QueueEntry]) -> None:
        """Put workflows whose worker is gone back on their queues."""
        with self._as_our_errors():
            for entry in entries:
                with suppress(error.DBOSNonExistentWorkflowError):  # forgotten meanwhile: the others go on
                    self._client.resume_workflow(entry.workflow_id, queue_name=entry.queue)

    def exists(self) -> bool:
        """Whether anything was ever queued here."""
        url = make_url(self.url)
        if url.get_backend_name() == "sqlite":
            return Path(url.database or "").exists()
        with self._as_our_errors():
            engine = create_engine(url.set(drivername="postgresql+psycopg"))
            try:
                return inspect(engine).has_table("workflow_status", schema="dbos")
            finally:
                engine.dispose()

    def forget(self, workflow_ids: list[str]) -> int:
        """Remove every row of some workflows, from the log and free pages too; how many workflows there were."""
        with self._as_our_errors():
            statuses = self._statuses(workflow_ids)
            if statuses:
                self._client.delete_workflows(list(statuses), delete_children=True)
            if statuses and self.engine is not None:
                self._empty_log(self.engine)
            return len(statuses)

    def _empty_log(self, engine: Engine) -> None:
        """Leave nothing of what was deleted in the write-ahead log; a worker that reads keeps it for a moment."""
        deadline = time.monotonic() + _LOG_SECONDS
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            while connection.execute(text("PRAGMA wal_checkpoint(TRUNCATE)")).scalar_one():
                if time.monotonic() > deadline:
                    raise JobError("J05", self.name, "is being read all the time", "try again in a minute")
                time.sleep(0.05)

    def unfinished(self) -> list[QueueEntry]:
        """Every workflow that waits or is being worked on."""
        with self._as_our_errors():
            workflows = self._client.list_workflows(status=UNFINISHED, load_input=False, load_output=False)
            return [
                QueueEntry(
                    *(workflow.workflow_id, workflow.status, workflow.queue_name or CPU),
                    *(workflow.executor_id or "", workflow.app_version or VERSION),
                )
                for workflow in workflows
                if not workflow.workflow_id.startswith("_")
            ]

    def states(self, workflow_ids: list[str]) -> dict[str, str]:
        """Return the status of each workflow that DBOS knows."""
        with self._as_our_errors():
            return self._statuses(workflow_ids)

    def close(self) -> None:
        """Let go of the connections."""
        if "_client" in self.__dict__:
            self._client.destroy()
        if self.engine is not None:
            self.engine.dispose()

    @cached_property
    def _client(self) -> DBOSClient:
        return DBOSClient(
            system_database_url=self.url,
            system_database_engine=self.engine,
            serializer=Plain(),
            application_name=APPLICATION,
            retry_connection_errors=False,
        )

    def _statuses(self, workflow_ids: list[str]) -> dict[str, str]:
        if not workflow_ids:
            return {}
        listed = self._client.list_workflows(workflow_ids=workflow_ids, load_input=False, load_output=False)
        return {workflow.workflow_id: workflow.status for workflow in listed}

    @contextmanager
    def _as_our_errors(self) -> Iterator[None]:
        """The errors of database and DBOS in our words."""
        try:
            yield
        except (SQLAlchemyError, error.DBOSException, OSError) as problem:
            reason = str(getattr(problem, "orig", None) or type(problem).__name__).splitlines()[0]
            remedy = "check that its disk has space and that it is reachable and writable, then try again"
            raise JobError("J05", self.name, f"cannot be used ({reason})", remedy) from problem


def database_url(folder: Path, records: str, chosen: str) -> str:
    """The URL of the queue: the one that was chosen, else the records' PostgreSQL, else a file in the home."""
    if chosen or records.startswith("postgresql"):
        return chosen or records
    return sqlite_url(folder / "jobs.sqlite3")


def quiet() -> None:
    """Keep DBOS from writing to the terminal: it would name folders there."""
    logger = logging.getLogger("dbos")
    if not logger.handlers:
        logger.addHandler(logging.NullHandler())
        logger.propagate = False


def _sqlite(url: str) -> Engine:
    engine = create_engine(url)

    @event.listens_for(engine, "connect")
    def prepare(connection: sqlite3.Connection, _: object) -> None:
        connection.isolation_level = "IMMEDIATE"  # writers take turns, as DBOS's own engine does it
        connection.execute(f"PRAGMA busy_timeout = {_WAIT_MS}")
        for pragma in ("journal_mode = WAL", "synchronous = NORMAL", "foreign_keys = ON", "secure_delete = ON"):
            connection.execute(f"PRAGMA {pragma}")

    return engine
