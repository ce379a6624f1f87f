"""Attack 2: everything is killed while a recording is decoded, the tape is withdrawn, and its sound lies about."""

from __future__ import annotations

import os
import random
import secrets
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
import wave
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

import psutil
import pytest
from sqlalchemy import select
from typer.testing import CliRunner

from pipeline import settings
from pipeline.audio.file_layout import FileLayout
from pipeline.audio.recording import Recording
from pipeline.cli.main import app
from pipeline.errors import VaultError
from pipeline.review.upload import chunked_uploads
from pipeline.run.engines import Engines
from pipeline.run.progress import Progress
from pipeline.tapes.checks import home as doctor
from pipeline.tapes.clock import now
from pipeline.tapes.db.records import Tape
from pipeline.tapes.home import Home
from pipeline.tapes.intake import submission
from pipeline.tapes.jobs.worker import Worker
from pipeline.tapes.retention import certificates, destruction
from tests.tapes.clean_process import started
from tests.tapes.fakes import Fakes, group, quick, submitted
from tests.tapes.group import make_consent, sample_group

KILLS = int(os.environ.get("TAPE_REVIEW_KILLS", "6"))
MINUTES = 3


class Decoding(Fakes):
    """The real decoder; all that follows is quick."""

    def decode(
        self, recordings: Sequence[Path], layout: FileLayout, start: int | None, end: int | None, progress: Progress
    ) -> Recording:
        return Engines.decode(self, recordings, layout, start, end, progress)


def marked(path: Path) -> bytes:
    """Minutes of sound that say the same 32 bytes again and again; the bytes."""
    mark = secrets.token_bytes(32)
    with wave.open(str(path), "wb") as file:
        file.setparams((2, 2, 48_000, 0, "NONE", ""))
        file.writeframes(mark * (MINUTES * 60 * 48_000 * 4 // 32))
    return mark


def holding(mark: bytes, *folders: Path) -> list[Path]:
    """The files anywhere in some places that hold the mark."""
    paths = []
    # os.walk passes over a folder that somebody else removes meanwhile, where rglob raises.
    for folder, _, names in (entry for root in folders for entry in os.walk(root)):
        for path in (Path(folder, name) for name in names):
            try:
                if path.is_file() and mark in path.read_bytes():
                    paths.append(path)
            except OSError:
                continue
    return paths


def readable(mark: bytes, home: Path) -> list[Path]:
    """What anybody could open: in the home, in memory's folder, among temporary files."""
    memory = Path("/dev/shm")  # noqa: S108 - looked at alone
    ours = [folder for parent in (memory, Path(tempfile.gettempdir())) for folder in parent.glob("tape-review*")]
    return holding(mark, home, *ours)


@pytest.fixture
def home_folder(template: Path, quick_folder: Path) -> Path:
    return Path(shutil.copytree(template, quick_folder / "home"))


def chosen(folder: Path) -> settings.Settings:
    whole = settings.load().settings
    tapes = quick(whole.tapes, home=str(folder), database="", tries=100, heartbeat_seconds=0.1, dead_after_seconds=0.5)
    return whole.model_copy(update={"tapes": tapes})


@contextmanager
def opened(folder: Path) -> Iterator[Home]:
    home = Home.open(chosen(folder).tapes)
    try:
        yield home
    finally:
        home.close()


def has_work(folder: Path) -> bool:
    """Whether a job waits or is under way, read without a trace."""
    with closing(sqlite3.connect(f"file:{folder}/tapes.sqlite3?mode=ro", uri=True)) as records:
        return bool(records.execute("SELECT 1 FROM jobs WHERE state IN ('queued', 'running')").fetchone())


def until(happens: Callable[[], object]) -> None:
    deadline = time.monotonic() + 300
    while not happens():
        assert time.monotonic() < deadline
        time.sleep(0.005)


def has_plaintext(process: psutil.Process) -> bool:
    """Whether a process decrypts a recording right now: it serves a decoder."""
    try:
        return any("decoder_process" in " ".join(child.cmdline()) for child in process.children())
    except psutil.Error:
        return False


def kill_all(process: psutil.Process) -> list[psutil.Process]:
    """Kill a process and all below it, as a service manager does; return those that are not dead afterwards.

    One of several threads that has ended leaves the process a zombie whose files the others still hold: it is dead
    when nothing is left of it.
    """
    os.kill(process.pid, signal.SIGSTOP)  # it starts no more
    group = [process, *process.children(recursive=True)]
    for each in group:
        try:
            each.kill()
        except psutil.NoSuchProcess:
            continue
    _, alive = psutil.wait_procs(group, 120)
    return alive


def work(folder: Path) -> None:
    with opened(folder) as home, Worker(home, chosen(folder), engines=f"{__name__}:Decoding"):
        time.sleep(600)


def receive(folder: Path, tape_id: str) -> None:
    with opened(folder) as home:
        while True:  # the last piece is asked about again and again
            chunked_uploads.finish(home, chosen(folder).audio, tape_id, now())


def uploaded(home: Home, recording: Path) -> str:
    """A draft whose recording is here in pieces."""
    with home.database.writing() as session:
        known = session.scalars(select(Tape)).first()
        if known is None:
            sample = sample_group(session, now())
            group_id, interviewer_id = sample.group.id, sample.interviewer.id
        else:
            group_id, interviewer_id = known.group_id, known.interviewer_id
        tape = Tape(group_id=group_id, interviewer_id=interviewer_id, created_at=now())
        session.add(tape)
        session.flush()
        make_consent(session, tape, now(), "group_review")
        home.vault.create_key(tape.id)
    content, at = recording.read_bytes(), 0
    while at < len(content):
        at = chunked_uploads.keep(home, tape.id, at, content[at : at + (16 << 20)], now())
    return tape.id


def process(target: Callable[..., None], *arguments: object) -> psutil.Process:
    return psutil.Process(started(target, *arguments).pid)


def assert_withdrawal_is_clean(folder: Path, tape_id: str, mark: bytes, sealed: frozenset[str] = frozenset()) -> None:
    """After anything of ours has run, nothing can be read; then the certificate is right and the doctor content.

    ``sealed``: what the doctor may name besides, encrypted pieces that wait for a worker's start.
    """
    result = CliRunner().invoke(app, ["withdraw", tape_id, "--yes", "--home", str(folder)])
    assert result.exit_code == 0, result.output
    assert readable(mark, folder) == []
    assert certificates.read(folder / "certificates" / f"{tape_id}.json").facts["tape"] == tape_id
    wrong = {finding.what for finding in doctor.check(chosen(folder).tapes, now()) if not finding.fine}
    assert wrong <= {"administrators", "backup"} | sealed


@pytest.mark.engines
@pytest.mark.timeout(1800)
def test_a_worker_that_is_killed_with_all_below_it_leaves_nothing_readable(home_folder: Path, tmp_path: Path) -> None:
    mark = marked(tmp_path / "recording.wav")
    with opened(home_folder) as home:
        group(home)
        tape_id = submitted(home, chosen(home_folder), tmp_path / "recording.wav")
    dice, caught = random.Random(KILLS), 0
    for number in range(KILLS):
        if not has_work(home_folder):  # nobody speaks on the tape, TR-P01: another one to be killed at
            with opened(home_folder) as home:
                tape_id = submitted(home, chosen(home_folder), tmp_path / "recording.wav")
        worker = process(work, home_folder)
        if number % 3:
            until(lambda worker=worker: any(map(has_plaintext, worker.children())) or not has_work(home_folder))
        time.sleep(dice.uniform(0, 0.5))
        caught += any(map(has_plaintext, worker.children(recursive=True)))
        assert kill_all(worker) == []
        assert readable(mark, home_folder) == []
        with opened(home_folder) as home:
            assert home.vault.scratch.leftovers() == []
    assert caught >= KILLS // 3
    assert_withdrawal_is_clean(home_folder, tape_id, mark)


@pytest.mark.engines
def test_a_room_that_is_killed_while_it_looks_a_recording_over_leaves_nothing_readable(
    home_folder: Path, tmp_path: Path
) -> None:
    mark = marked(tmp_path / "recording.wav")
    dice, caught = random.Random(KILLS), 0
    for number in range(KILLS):
        with opened(home_folder) as home:
            tape_id = uploaded(home, tmp_path / "recording.wav")
        room = process(receive, home_folder, tape_id)
        if number % 3:
            until(lambda room=room: has_plaintext(room))
        time.sleep(dice.uniform(0, 1))
        caught += has_plaintext(room)
        assert kill_all(room) == []
        assert readable(mark, home_folder) == []
    assert caught > 0
    # No worker has run: what the rooms were about to store of the other drafts lies there encrypted.
    sealed = frozenset({"what killed processes left", "files without a record"})
    assert_withdrawal_is_clean(home_folder, tape_id, mark, sealed)


DECODE = """
import sys
from pathlib import Path
from pipeline import settings
from pipeline.audio.recording import decode
print("begins", flush=True)
while True:
    decode(Path(sys.argv[1]), settings.load().settings.audio)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere the decoder ends with the next message")
def test_a_decoder_ends_with_the_process_that_waits_for_it(tmp_path: Path) -> None:
    marked(tmp_path / "recording.wav")
    command = [sys.executable, "-c", DECODE, str(tmp_path / "recording.wav")]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as parent:
        assert parent.stdout
        parent.stdout.readline()
        until(psutil.Process(parent.pid).children)
        decoders = psutil.Process(parent.pid).children()
        parent.kill()
    _, alive = psutil.wait_procs(decoders, 30)
    assert alive == []


def hold(folder: Path, tape_id: str) -> None:
    with opened(folder) as home, home.vault.locks.working(tape_id), home.vault.scratch.file():
        time.sleep(600)


def test_no_certificate_while_any_process_has_plaintext_of_the_tape(
    home_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mark = marked(tmp_path / "recording.wav")
    with opened(home_folder) as home:
        tape_id = uploaded(home, tmp_path / "recording.wav")
    holder = process(hold, home_folder, tape_id)
    with opened(home_folder) as home:
        until(lambda: home.vault.locks.in_use(tape_id))
        submission.withdraw(home, tape_id)
        with monkeypatch.context() as impatient, pytest.raises(VaultError, match=r"TR-V14 .*work under way"):
            impatient.setattr(destruction, "_LETTING_GO", 0.1)
            destruction.resume(home, now())
        assert not home.vault.has_key(tape_id)  # what can go is gone
        assert not (home_folder / "certificates").exists()
        faults = {finding.what for finding in doctor.check(home.settings, now()) if not finding.fine}
        assert {"the dead are dead", "destructions that did not end"} <= faults
        assert kill_all(holder) == []
        assert [done.tape_id for done in destruction.resume(home, now())] == [tape_id]
        assert readable(mark, home_folder) == []


def test_what_an_older_version_left_keeps_the_certificate_back_while_it_is_in_use(home: Home) -> None:
    import fcntl

    root = next(root for root in home.vault.scratch._roots() if root.parent.is_dir())
    with home.database.writing() as session:
        sample = sample_group(session, now())
        tape = Tape(group_id=sample.group.id, interviewer_id=sample.interviewer.id, created_at=now())
        session.add(tape)
        session.flush()
    (root / "4711-0").mkdir(parents=True)
    try:
        (root / "4711-0" / "recording").write_bytes(b"what was said")
        handle = os.open(root / "4711-0", os.O_RDONLY | os.O_DIRECTORY)
        fcntl.flock(handle, fcntl.LOCK_SH)
        with pytest.raises(VaultError, match=r"TR-V14 .*plaintext"):
            destruction.destroy(home, tape.id, "by hand", now())
        os.close(handle)
        assert len(destruction.resume(home, now())) == 1
        assert not root.exists()
    finally:
        shutil.rmtree(root, ignore_errors=True)
