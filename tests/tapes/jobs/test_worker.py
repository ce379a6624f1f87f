"""Jobs with real workers, which are killed, stopped, raced and starved: none is lost, none is done twice.

The full sizes of what is counted take minutes, and CI runs them: ``TAPE_REVIEW_KILLS=30 TAPE_REVIEW_RACE=500
TAPE_REVIEW_SOAK=200``.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import random
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing.context import ForkProcess
from pathlib import Path
from types import SimpleNamespace

import psutil
import pytest
from sqlalchemy import NullPool, bindparam, create_engine, select, text
from typer.testing import CliRunner

from pipeline import settings
from pipeline.cli.main import app
from pipeline.cli.submit import EXAMPLE
from pipeline.settings import Settings
from pipeline.stages import STEPS
from pipeline.tapes.checks import home as doctor
from pipeline.tapes.clock import now
from pipeline.tapes.db.records import Item, Job
from pipeline.tapes.home import Home
from pipeline.tapes.intake import submission
from pipeline.tapes.jobs import job_state, workflow
from pipeline.tapes.jobs.engine_process import Outcome
from pipeline.tapes.jobs.queue import UNFINISHED
from pipeline.tapes.jobs.worker import Which, Worker
from pipeline.tapes.retention import destruction
from pipeline.tapes.retention.certificates import read
from tests.conftest import tape_review
from tests.guard import guarded
from tests.tapes.fakes import ADDRESS, GROUP, PHRASE, TARGET, group, quick, submitted, two_voices
from tests.tapes.postgres import Server

pytestmark = pytest.mark.engines

KILLS = int(os.environ.get("TAPE_REVIEW_KILLS", "10"))
RACE = int(os.environ.get("TAPE_REVIEW_RACE", "30"))
SOAK = int(os.environ.get("TAPE_REVIEW_SOAK", "20"))

ALL_LIVE = {"heartbeat_seconds": 1.0, "dead_after_seconds": 120.0}
"""For tests in which no worker dies: a machine that is too busy for a heartbeat is not taken for a dead worker."""

_FORK = multiprocessing.get_context("fork")  # a worker is there at once: it need not import anything


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return two_voices(tmp_path_factory.mktemp("recording") / "recording.wav")


@pytest.fixture
def room(template: Path, recording: Path, quick_folder: Path) -> Iterator[Room]:
    """A home that only processes of their own have open: this one forks."""
    shutil.copytree(template, quick_folder / "home")
    made = Room(quick_folder / "home", recording)
    yield made
    made.clear()


class Room:
    """A home, looked at from outside."""

    def __init__(self, folder: Path, recording: Path, **changes: object) -> None:
        self.folder, self.recording, self.log = folder, recording, folder.parent / f"{folder.name}.log"
        self.workers: list[ForkProcess] = []
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

    def start(self, which: Which = "all", hurt: Callable[[], None] | None = None, **environment: object) -> ForkProcess:
        """A worker, in a process of its own."""
        names = {f"FAKE_{name.upper()}": str(value) for name, value in environment.items()}
        process = _FORK.Process(target=_work, args=(self, which, hurt, {"FAKE_LOG": str(self.log)} | names))
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})  # who ends it at once is heard when it listens
        process.start()
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})
        self.workers.append(process)
        return process

    def clear(self) -> None:
        """End what a failed test left."""
        for process in self.workers:
            process.kill()
            process.join()

    def frozen(self, worker: ForkProcess) -> None:
        """Freeze a worker at a moment at which it keeps nobody from the databases: there nothing would help but it."""
        while True:
            os.kill(worker.pid or 0, signal.SIGSTOP)
            if all(_free(path) for path in self.folder.glob("*.sqlite3")):
                return
            os.kill(worker.pid or 0, signal.SIGCONT)
            time.sleep(0.1)

    @property
    def url(self) -> str:
        """The records, to be read without a trace."""
        return self.settings.tapes.database or f"sqlite:///file:{self.folder}/tapes.sqlite3?mode=ro&uri=true"

    def rows(self) -> list[SimpleNamespace]:
        """Every job, read without a trace."""
        engine = create_engine(self.url, poolclass=NullPool)  # nothing stays open: this process forks
        with engine.connect() as connection:
            result = connection.execute(text("SELECT tape_id, state, stage, attempts, error_code, error FROM jobs"))
            return [SimpleNamespace(**row) for row in result.mappings()]

    def until(self, seconds: float, holds: Callable[[list[SimpleNamespace]], bool]) -> list[SimpleNamespace]:
        """The jobs as soon as something holds of them."""
        deadline = time.monotonic() + seconds
        while not holds(rows := self.rows()):
            assert time.monotonic() < deadline, [(row.state, row.stage, row.attempts, row.error) for row in rows]
            time.sleep(0.05)
        return rows

    def kept(self, stage: str) -> bool:
        """Whether a stage's result lies in the vault."""
        engine = create_engine(self.url, poolclass=NullPool)
        with engine.connect() as connection:
            query = text("SELECT 1 FROM items WHERE kind LIKE :kind")
            return connection.execute(query, {"kind": f"stage:{stage}:%"}).first() is not None

    def finished(self, seconds: float = 300) -> list[SimpleNamespace]:
        """The jobs when all have ended and the queue knows it: a job is done before its workflow is."""
        rows = self.until(seconds, lambda rows: all(row.state not in job_state.LIVE for row in rows))
        _wait(lambda: not self.queued())
        return rows

    def queued(self) -> int:
        """How many workflows the queue holds as unfinished, read without a trace."""
        url, table = self.settings.tapes.database, "dbos.workflow_status"
        if not url:
            url, table = f"sqlite:///file:{self.folder}/jobs.sqlite3?mode=ro&uri=true", "workflow_status"
        with create_engine(url, poolclass=NullPool).connect() as connection:
            query = f"SELECT count(*) FROM {table} WHERE status IN :unfinished AND substr(workflow_uuid, 1, 1) <> '_'"
            named = text(query).bindparams(bindparam("unfinished", UNFINISHED, expanding=True))
            return connection.execute(named).scalar_one()

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


def _work(room: Room, which: Which, hurt: Callable[[], None] | None, environment: dict[str, str]) -> None:
    os.environ.update(environment)
    if hurt is not None:
        hurt()
    stop: list[int] = []
    signal.signal(signal.SIGTERM, lambda number, frame: stop.append(number))
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})
    with room.open() as home, Worker(home, room.settings, which, engines="tests.tapes.fakes:Fakes"):
        while not stop:
            time.sleep(0.02)


def _free(path: Path) -> bool:
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


def ended(process: ForkProcess, number: int = signal.SIGTERM) -> None:
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


def dies_after(step: str) -> Callable[[], None]:
    """Have a worker die when a step is done, before anybody notes it."""

    def hurt() -> None:
        once = workflow._once

        def dying(work: workflow.Work, job_id: str, name: str) -> Outcome:
            outcome = once(work, job_id, name)
            if name == step:
                os.kill(os.getpid(), signal.SIGKILL)
            return outcome

        workflow._once = dying

    return hurt


def test_killed_at_every_step_boundary_it_becomes_the_same_bytes(room: Room) -> None:
    room.tapes(1)
    wanted = unbroken(room)
    for step in STEPS:
        if step == "listen":  # its two stages run side by side: each is kept as soon as it is done
            worker = room.start(deed="transcribe:hang")
            _wait(lambda: room.kept("diarize"))
            ended(worker, signal.SIGKILL)
        worker = room.start(hurt=dies_after(step))
        worker.join(300)
        assert worker.exitcode == -signal.SIGKILL, step
    worker = room.start()
    assert [row.state for row in room.finished()] == ["done"]
    ended(worker)
    assert room.contents() == wanted
    assert room.computed() == dict.fromkeys(room.computed(), 1) | {"transcribe": 2}
    room.assert_tidy()


def test_a_job_that_an_older_program_began_is_finished_by_the_next(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the older one queued and had half done; its workflow had another shape, its stages another version."""
    with monkeypatch.context() as older:
        older.setattr("pipeline.tapes.jobs.queue.VERSION", "tapes-0")
        room.tapes(1)
        worker = room.start(deed="attribute:hang", version="0.0.1")
        _wait(lambda: {"transcribe", "diarize", "attribute"} <= set(room.computed()))
        ended(worker, signal.SIGKILL)
    wanted = unbroken(room)
    worker = room.start()
    assert [row.state for row in room.finished()] == ["done"]
    ended(worker)
    contents = room.contents()
    assert {name: contents[name] for name in wanted} == wanted
    assert b"0.0.1" not in contents[room.rows()[0].tape_id, "provenance.json"]
    room.assert_tidy()


def test_killed_at_any_moment_it_becomes_the_same_bytes(room: Room) -> None:
    room.change(tries=100, jobs_at_once=2)
    room.tapes(4)
    wanted = unbroken(room)
    dice, survived = random.Random(KILLS), 0
    for _ in range(KILLS):
        worker = room.start(seconds=0.2)
        worker.join(dice.uniform(0.1, 4))
        survived += worker.is_alive()
        ended(worker, signal.SIGKILL)
    assert survived == KILLS
    worker = room.start()
    assert {row.state for row in room.finished()} == {"done"}
    ended(worker)
    assert room.contents() == wanted
    stages = room.computed()
    assert sum(stages.values()) <= 4 * len(stages) + 2 * 2 * KILLS  # two jobs, whose step has two stages at most
    room.assert_tidy()


@pytest.mark.timeout(3600)
def test_two_workers_lose_none_and_do_none_twice(room: Room) -> None:
    room.change(**ALL_LIVE)
    tapes = room.tapes(RACE)
    workers = [room.start(), room.start()]
    rows = room.finished(300 + 6 * RACE)
    for worker in workers:
        ended(worker)
    assert sorted(row.tape_id for row in rows) == sorted(tapes)
    assert {row.state for row in rows} == {"done"}
    assert set(room.computed().values()) == {RACE}
    room.assert_tidy()


def test_a_job_is_taken_over_from_a_worker_that_never_returns_and_from_one_that_does(room: Room) -> None:
    room.tapes(1)
    wanted = unbroken(room)
    frozen = room.start(seconds=2)
    room.until(300, lambda rows: rows[0].stage == "listen")
    room.frozen(frozen)
    helper = room.start()
    assert [row.state for row in room.finished()] == ["done"]
    os.kill(frozen.pid or 0, signal.SIGCONT)
    time.sleep(2)
    assert [row.state for row in room.rows()] == ["done"]
    ended(frozen)
    ended(helper)
    assert room.contents() == wanted
    room.assert_tidy()


def test_a_worker_that_is_asked_to_stop_leaves_its_job_to_the_next(room: Room) -> None:
    room.tapes(1)
    worker = room.start(deed="transcribe:hang")
    room.until(300, lambda rows: rows[0].stage == "listen")
    ended(worker)
    assert [(row.state, row.attempts) for row in room.rows()] == [("queued", 0)]
    worker = room.start()
    assert [row.state for row in room.finished()] == ["done"]
    ended(worker)


def test_a_job_is_cancelled_within_seconds_and_tried_again_from_where_it_was(room: Room) -> None:
    (tape_id,) = room.tapes(1)
    worker = room.start(deed="transcribe:hang")
    room.until(300, lambda rows: rows[0].stage == "listen")
    busy = _children(worker)
    with room.open() as home:
        job_state.cancel(home, tape_id)
    _let_go(busy)
    ended(worker)
    with room.open() as home:
        job_state.retry(home, tape_id)
    worker = room.start()
    assert sorted(row.state for row in room.finished()) == ["cancelled", "done"]
    ended(worker)
    assert room.computed()["decode"] == 1
    room.assert_tidy()


def test_a_withdrawn_tape_is_let_go_of_and_leaves_nothing_while_the_worker_goes_on(room: Room) -> None:
    first, second = room.tapes(2)
    worker = room.start(deed="attribute:hang")
    room.until(300, lambda rows: rows[0].stage == "attribute")
    busy = _children(worker)
    with room.open() as home:
        submission.withdraw(home, first)
        _let_go(busy)
        done = destruction.destroy(home, first, "withdrawn", now())
        assert destruction.survivors(home, first) == []
        assert read(done.path).facts["why"] == "withdrawn"
        queue = job_state.queue_of(home)
        assert len(queue.unfinished()) == 1
        queue.close()
    ended(worker, signal.SIGKILL)
    worker = room.start()
    assert [(row.tape_id, row.state) for row in room.finished()] == [(second, "done")]
    ended(worker)
    for path in room.folder.rglob("*"):
        assert path.is_dir() or PHRASE.encode() not in path.read_bytes()


@pytest.mark.parametrize(
    ("deed", "code", "reason", "attempts"),
    [
        ("tag:crash", "TR-J03", "signal 11", 3),
        ("tag:raise", "TR-J03", "RuntimeError in at", 3),
        ("tag:full", "TR-J06", "disk is full; free some space", 1),
    ],
)
def test_a_job_that_cannot_go_on_stops_with_its_reason_and_can_be_tried_again(
    room: Room, deed: str, code: str, reason: str, attempts: int
) -> None:
    (tape_id,) = room.tapes(1)
    worker = room.start(deed=deed)
    (row,) = room.finished()
    ended(worker)
    assert (row.state, row.error_code, row.attempts) == ("failed", code, attempts)
    assert reason in row.error
    assert PHRASE not in row.error
    with room.open() as home:
        job_state.retry(home, tape_id)
    worker = room.start()
    assert sorted(row.state for row in room.finished()) == ["done", "failed"]
    ended(worker)
    room.assert_tidy()


@pytest.mark.parametrize(("number", "words"), [(28, "No space left"), (30, "Read-only"), (13, "Permission denied")])
def test_a_vault_that_cannot_be_written_is_told_and_leaves_nothing_half(room: Room, number: int, words: str) -> None:
    (tape_id,) = room.tapes(1)
    before = room.contents()
    worker = room.start(disk=number)
    (row,) = room.finished()
    ended(worker)
    assert (row.state, row.error_code) == ("failed", "TR-V08")
    assert words in row.error
    assert room.contents() == before
    with room.open() as home:
        job_state.retry(home, tape_id)
    worker = room.start()
    assert sorted(row.state for row in room.finished()) == ["done", "failed"]
    ended(worker)
    room.assert_tidy()


def test_what_was_never_queued_is_queued_by_a_worker(room: Room) -> None:
    room.tapes(1)
    with room.open() as home, home.database.reading() as session:
        queue = job_state.queue_of(home)
        queue.forget([session.scalars(select(Job.workflow_id)).one()])  # as if submit was killed before it was there
        queue.close()
    worker = room.start()
    assert [row.state for row in room.finished()] == ["done"]
    ended(worker)


def test_steps_for_a_graphics_card_wait_for_a_worker_that_has_one(room: Room) -> None:
    room.change(gpu_queue=True, **ALL_LIVE)
    room.tapes(2)
    plain = room.start("cpu")
    room.until(300, lambda rows: "decode" in {row.stage for row in rows} and "decode" in room.computed())
    time.sleep(1)
    assert set(room.computed()) == {"decode"}
    card = room.start("gpu")
    assert {row.state for row in room.finished()} == {"done"}
    ended(plain)
    ended(card)
    assert set(room.computed().values()) == {2}


def test_workers_share_a_postgresql_and_one_of_them_dies(
    template: Path, recording: Path, quick_folder: Path, postgres: Server, request: pytest.FixtureRequest
) -> None:
    shutil.copytree(template, quick_folder / "home")
    with postgres.migrated() as url:
        room = Room(quick_folder / "home", recording, database=url, dead_after_seconds=15.0)
        tapes = room.tapes(6)
        request.addfinalizer(room.clear)
        workers = [room.start(seconds=0.2), room.start(seconds=0.2)]
        room.until(300, lambda rows: sum(row.state == "done" for row in rows) >= 2)
        ended(workers[0], signal.SIGKILL)
        assert {row.state for row in room.finished()} == {"done"}
        ended(workers[1])
        stages = room.computed()
        assert sum(stages.values()) <= 6 * len(stages) + 2
        room.assert_tidy()
        with room.open() as home:
            destruction.destroy(home, tapes[0], "by hand", now())
        with create_engine(url, poolclass=NullPool).connect() as connection:
            assert connection.execute(text("SELECT count(*) FROM dbos.workflow_status")).scalar() == 5


@pytest.mark.timeout(3600)
def test_memory_and_handles_stay_flat(room: Room) -> None:
    room.change(**ALL_LIVE)
    room.tapes(SOAK)
    worker = room.start()
    process = psutil.Process(worker.pid)
    seen: list[tuple[int, tuple[int, int, int]]] = []

    def done(rows: list[SimpleNamespace]) -> bool:
        number = sum(row.state == "done" for row in rows)
        # The worker alone: each step has a process of its own, which ends with it.
        seen.append((number, (process.memory_info().rss, process.num_fds(), process.num_threads())))
        return number >= 0.95 * SOAK

    room.until(300 + 6 * SOAK, done)
    room.finished()
    ended(worker)
    # What a step holds while it runs comes and goes; what leaks is there at the quietest moment, too.
    early, late = (
        [sample for at, sample in seen if first * SOAK <= at < last * SOAK] for first, last in ((0.2, 0.5), (0.65, 1))
    )
    (memory, handles, threads), (later, more, most) = (
        tuple(map(min, zip(*each, strict=True))) for each in (early, late)
    )
    assert later - memory < 40_000_000
    assert more - handles <= 4
    assert most - threads <= 4
    room.assert_tidy()


_held: list[bytes] = []


def test_a_large_worker_does_its_jobs_in_one_process(room: Room) -> None:
    """A process counts as its own the memory of the one that started it: that must not end it after each step."""
    room.tapes(2)
    worker = room.start(hurt=lambda: _held.append(b"x" * 800_000_000))
    room.finished()
    ended(worker)
    assert len({line.split()[-1] for line in room.log.read_text().splitlines()}) == 1


def test_a_member_sees_how_far_the_work_is(room: Room, tmp_path: Path) -> None:
    room.tapes(0)
    (tmp_path / "consent.toml").write_text(EXAMPLE.replace("2027-03-31", "2100-01-01"))
    gate = tmp_path / "gate"
    worker = room.start(deed="transcribe:wait", gate=gate)
    asked = ["--consent", str(tmp_path / "consent.toml"), "--target-behavior", TARGET, "--group", GROUP]
    home = ["--home", str(room.folder)]
    command = tape_review("submit", str(room.recording), *asked, "--interviewer", ADDRESS, "--watch", *home)
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        lines = iter(process.stdout)
        seen = [next(lines)]
        assert re.fullmatch(r"Tape [0-9a-f]{16} is queued\n", seen[0])
        while "transcribing the speech" not in seen[-1]:
            seen.append(next(lines))
        _wait(lambda: room.kept("diarize"))
        shown = CliRunner().invoke(app, ["status", *home], env={"COLUMNS": "160"}).stdout
        assert re.search(r"running +│ +[1-9]\d? ?%", shown)
        gate.touch()
        seen += lines
    assert process.returncode == 0
    assert seen[-1].split()[1] == "done:"
    ended(worker)
    whole = CliRunner().invoke(app, ["status", "--watch", *home], env={"COLUMNS": "160"})
    assert (whole.exit_code, whole.stdout.split()[1:]) == (0, ["done:"])


def test_watching_ends_with_the_reason_of_a_failure(room: Room) -> None:
    room.tapes(1)
    worker = room.start(deed="tag:full")
    whole = CliRunner().invoke(app, ["status", "--watch", "--home", str(room.folder)], env={"COLUMNS": "160"})
    ended(worker)
    assert whole.exit_code == 1
    assert "failed: TR-J06" in whole.stdout


def test_a_worker_says_nothing_to_anybody(room: Room, tmp_path: Path) -> None:
    """Neither it nor the process that does the steps of a job."""
    room.tapes(1)
    fakes = "Worker.__init__.__kwdefaults__['engines'] = 'tests.tapes.fakes:Fakes'"
    code = f"from pipeline.tapes.jobs.worker import Worker; {fakes}; from pipeline.cli.main import app; app()"
    command = [sys.executable, "-c", code, "worker", "--until-empty", "--home", str(room.folder)]
    done = guarded(command, tmp_path / "attempts", cwd=Path(__file__).parents[3])
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "attempts").read_text() == ""
    events = [json.loads(line)["event"] for line in done.stderr.splitlines()]
    assert events == ["worker.start", *["job.stage"] * len(STEPS), "worker.stop"]
    assert done.stdout.splitlines()[-1] == "Nothing is left"
    assert [row.state for row in room.rows()] == ["done"]


def _wait(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 300
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def _let_go(busy: list[psutil.Process]) -> None:
    """Wait until these processes have ended, long before their step would; a busy machine takes its time."""
    _, left = psutil.wait_procs(busy, timeout=120)
    assert not left


def _children(worker: ForkProcess) -> list[psutil.Process]:
    return psutil.Process(worker.pid).children()
