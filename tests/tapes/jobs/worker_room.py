"""A home with real workers, looked at from outside; what the tests of workers share."""

from __future__ import annotations

import os
import shutil
import signal
import sqlite3
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from types import SimpleNamespace

import psutil
from sqlalchemy import NullPool, bindparam, create_engine, select, text

from pipeline import settings
from pipeline.settings import Settings
from pipeline.tapes.checks import home as doctor
from pipeline.tapes.clock import now
from pipeline.tapes.db.records import Item
from pipeline.tapes.home import Home
from pipeline.tapes.intake import submission
from pipeline.tapes.jobs import job_state, queue, workflow
from pipeline.tapes.jobs.engine_process import Outcome
from pipeline.tapes.jobs.queue import UNFINISHED
from pipeline.tapes.jobs.worker import WhichJobs, Worker
from tests.tapes import stacks
from tests.tapes.clean_process import Target, started
from tests.tapes.fakes import group, quick, submitted

ALL_LIVE = {"heartbeat_seconds": 1.0, "dead_after_seconds": 120.0}
"""For tests in which no worker dies: a machine that is too busy for a heartbeat is not taken for a dead worker."""

STILL_SECONDS = 300.0
"""A room in which nothing has changed for so long will not come to its end."""


class Room:
    """A home, looked at from outside."""

    def __init__(self, folder: Path, recording: Path, **changes: object) -> None:
        self.folder, self.recording, self.log = folder, recording, folder.parent / f"{folder.name}.log"
        self.stacks = folder.parent / f"{folder.name}.stacks"
        self.workers: list[ForkServerProcess] = []
        whole = settings.load().settings
        tapes = quick(whole.tapes, home=str(folder), **({"database": "", "tries": 3} | changes))
        self.settings: Settings = whole.model_copy(update={"tapes": tapes})

    def change(self, **changes: object) -> None:
        """Other settings, for the workers that start from now on."""
        self.settings = self.settings.model_copy(update={"tapes": self.settings.tapes.model_copy(update=changes)})

    @contextmanager
    def open(self) -> Iterator[Home]:
        home = Home.open(self.settings.tapes)
        try:
            yield home
        finally:
            home.close()

    def tapes(self, count: int) -> list[str]:
        """Submit some tapes."""
        with self.open() as home:
            group(home)
            return [submitted(home, self.settings, self.recording) for _ in range(count)]

    def start(self, which: WhichJobs = "all", hurt: Target | None = None, **environment: object) -> ForkServerProcess:
        """A worker, in a process of its own; SIGTERM ends it from now on."""
        names = {f"FAKE_{name.upper()}": str(value) for name, value in environment.items()}
        names |= {"FAKE_LOG": str(self.log), "FAKE_STACKS": str(self.stacks)}
        process = started(work, self.settings, which, hurt, names)
        self.workers.append(process)
        return process

    def clear(self) -> None:
        """End what a failed test left."""
        for process in self.workers:
            process.kill()
            process.join()

    def frozen(self, worker: ForkServerProcess) -> None:
        """Freeze a worker at a moment at which it keeps nobody from the databases: there nothing would help but it."""
        while True:
            os.kill(worker.pid or 0, signal.SIGSTOP)
            if all(free(path) for path in self.folder.glob("*.sqlite3")):
                return
            os.kill(worker.pid or 0, signal.SIGCONT)
            time.sleep(0.1)

    @property
    def url(self) -> str:
        """The records, to be read without a trace."""
        return self.settings.tapes.database or f"sqlite:///file:{self.folder}/tapes.sqlite3?mode=ro&uri=true"

    def rows(self) -> list[SimpleNamespace]:
        """Every job, read without a trace."""
        engine = create_engine(self.url, poolclass=NullPool)
        with engine.connect() as connection:
            columns = "tape_id, state, stage, attempts, fraction, error_code, error"
            result = connection.execute(text(f"SELECT {columns} FROM jobs"))
            return [SimpleNamespace(**row) for row in result.mappings()]

    def until(self, seconds: float, holds: Callable[[list[SimpleNamespace]], bool]) -> list[SimpleNamespace]:
        """The jobs as soon as something holds of them; fails when it is late, or when nothing changes any more."""
        deadline, changed, before = time.monotonic() + seconds, time.monotonic(), None
        while not holds(rows := self.rows()):
            now = time.monotonic()
            if rows != before:
                changed, before = now, rows
            assert now < min(deadline, changed + STILL_SECONDS), self.report(rows)
            time.sleep(0.05)
        return rows

    def report(self, rows: list[SimpleNamespace]) -> str:
        """What there is to see of a room that does not come to its end: the briefest first."""
        counts = Counter(f"{row.state} {row.stage} {row.attempts} {row.error_code or ''}".strip() for row in rows)
        errors = Counter(row.error for row in rows if row.error)
        exits = [process.exitcode for process in self.workers]
        lines = [f"jobs: {dict(counts)}; errors: {dict(errors)}; the workers' exit codes: {exits}", "the queue:"]
        lines += [" ".join(map(str, entry)) for entry in self.queued()]
        return "\n".join([*lines, *stacks.of_all(self.stacks)])

    def kept(self, stage: str) -> bool:
        """Whether a stage's result lies in the vault."""
        engine = create_engine(self.url, poolclass=NullPool)
        with engine.connect() as connection:
            query = text("SELECT 1 FROM items WHERE kind LIKE :kind")
            return connection.execute(query, {"kind": f"stage:{stage}:%"}).first() is not None

    def finished(self, seconds: float = 300) -> list[SimpleNamespace]:
        """The jobs when all have ended and the queue knows it: a job is done before its workflow is."""
        return self.until(
            seconds, lambda rows: all(row.state not in job_state.LIVE for row in rows) and not self.queued()
        )

    def queued(self) -> list[tuple[str, str, str]]:
        """The workflows that the queue holds as unfinished, their status and worker, read without a trace."""
        url, table = self.settings.tapes.database, "dbos.workflow_status"
        if not url:
            url, table = f"sqlite:///file:{self.folder}/jobs.sqlite3?mode=ro&uri=true", "workflow_status"
        with create_engine(url, poolclass=NullPool).connect() as connection:
            query = (
                f"SELECT workflow_uuid, status, executor_id FROM {table} "
                "WHERE status IN :unfinished AND substr(workflow_uuid, 1, 1) <> '_'"
            )
            named = text(query).bindparams(bindparam("unfinished", UNFINISHED, expanding=True))
            return [tuple(row) for row in connection.execute(named)]

    def computed(self) -> Counter[str]:
        """How often each stage was computed."""
        lines = self.log.read_text().splitlines() if self.log.exists() else []
        return Counter(line.split()[0] for line in lines)

    def contents(self) -> dict[tuple[str, str], bytes]:
        """Everything in the vault, decrypted: tape and kind -> bytes."""
        with self.open() as home:
            with home.database.reading() as session:
                items = session.scalars(select(Item)).all()
            assert len(items) == len({(item.tape_id, item.kind) for item in items})
            return {(item.tape_id, item.kind): home.vault.read(item) for item in items}

    def assert_tidy(self) -> None:
        """Nothing is left over: no file without a row, none unpublished, nothing unencrypted; the doctor is content."""
        with self.open() as home:
            submission.sweep(home, -1)
            home.vault.sweep()
            assert submission.rowless(home, -1) == home.vault.leftovers() == []
            assert home.vault.scratch.leftovers() == []
        missed = {finding.what for finding in doctor.check(self.settings.tapes, now()) if not finding.fine}
        assert missed == {"administrators", "backup"}  # which a home made by a test has not


def work(settings: Settings, which: WhichJobs, hurt: Target | None, environment: dict[str, str]) -> None:
    os.environ.update(environment)
    stacks.shown_on_signal()
    if hurt is not None:
        hurt()
    stop: list[int] = []
    signal.signal(signal.SIGTERM, lambda number, frame: stop.append(number))
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})
    home = Home.open(settings.tapes)
    with Worker(home, settings, which, engines="tests.tapes.fakes:Fakes"):
        while not stop:
            time.sleep(0.02)
    home.close()


def free(path: Path) -> bool:
    """Whether a database can be written now."""
    connection = sqlite3.connect(path, timeout=0.2)
    try:
        connection.execute("BEGIN IMMEDIATE")
        connection.rollback()
        return True
    except sqlite3.OperationalError:
        return False
    finally:
        connection.close()


def ended(process: ForkServerProcess, number: int = signal.SIGTERM) -> None:
    """End a worker, gently or not."""
    if process.is_alive():
        os.kill(process.pid or 0, number)
    process.join(120)
    assert process.exitcode == (0 if number == signal.SIGTERM else -number)


def unbroken(room: Room) -> dict[tuple[str, str], bytes]:
    """What the tapes of a room become in a copy that nobody disturbs."""
    folder = room.folder.with_name("undisturbed")
    shutil.copytree(room.folder, folder)
    calm = Room(folder, room.recording)
    worker = calm.start()
    calm.finished()
    ended(worker)
    return calm.contents()


def dies_after(step: str) -> Target:
    """Have a worker die when a step is done, before anybody notes it."""
    return partial(_dies_after, step)


def _dies_after(step: str) -> None:
    once = workflow._once

    def dying(work: workflow.Work, job_id: str, name: str) -> Outcome:
        outcome = once(work, job_id, name)
        if name == step:
            os.kill(os.getpid(), signal.SIGKILL)
        return outcome

    workflow._once = dying


def is_large(megabytes: int) -> None:
    """Have a worker need memory."""
    _held.append(b"x" * (megabytes * 1_000_000))


def is_of_version(version: str) -> None:
    """Have a worker be an older program's."""
    queue.VERSION = version


_held: list[bytes] = []


def wait(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 300
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def let_go(busy: list[psutil.Process]) -> None:
    """Wait until these processes have ended, long before their step would; a busy machine takes its time."""
    _, left = psutil.wait_procs(busy, timeout=120)
    assert not left


def children(worker: ForkServerProcess) -> list[psutil.Process]:
    return psutil.Process(worker.pid).children()
