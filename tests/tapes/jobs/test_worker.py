"""Workers that are stopped, starved, cancelled, refused and watched: no job is lost, and each says why it stopped."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from typer.testing import CliRunner

from pipeline.cli.main import app
from pipeline.cli.submit import EXAMPLE
from pipeline.stages import STEPS
from pipeline.tapes.clock import now
from pipeline.tapes.intake import submission
from pipeline.tapes.jobs import job_state, stage_durations
from pipeline.tapes.retention import destruction
from pipeline.tapes.retention.certificates import read
from tests.conftest import tape_review
from tests.guard import guarded
from tests.tapes.fakes import ADDRESS, GROUP, PHRASE, TARGET
from tests.tapes.jobs.worker_room import Room, children, ended, let_go, unbroken, wait

pytestmark = pytest.mark.engines


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
    with room.open() as home, home.database.reading() as session:  # for `/metrics`; a try that was cut short counts not
        durations = stage_durations.histograms(session)
    assert {step: durations[step].count for step in durations} == dict.fromkeys(STEPS, 1)
    assert all(0 < histogram.seconds < 600 for histogram in durations.values())


def test_a_job_is_cancelled_within_seconds_and_tried_again_from_where_it_was(room: Room) -> None:
    (tape_id,) = room.tapes(1)
    worker = room.start(deed="transcribe:hang")
    room.until(300, lambda rows: rows[0].stage == "listen")
    busy = children(worker)
    with room.open() as home:
        job_state.cancel(home, tape_id)
    let_go(busy)
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
    busy = children(worker)
    with room.open() as home:
        submission.withdraw(home, first)
        let_go(busy)
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
        wait(lambda: room.kept("diarize"))
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
