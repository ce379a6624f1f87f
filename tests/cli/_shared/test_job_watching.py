"""The work on tapes as a terminal shows it, without a worker; with workers it is in tests/tapes/jobs/test_worker.py."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
import typer
from rich.console import Console

from pipeline.cli._shared import job_watching
from pipeline.stages import STEP_LABELS
from pipeline.tapes.clock import now
from pipeline.tapes.db.records import Worker
from pipeline.tapes.home import Home
from pipeline.tapes.jobs.job_state import View


def view(state: str, job_id: str = "j1", **changes: object) -> View:
    given: dict[str, object] = {"tape_id": f"tape-{job_id}", "group_id": "g", "job_id": job_id, "state": state}
    given |= {"stage": None, "fraction": 0.0, "attempts": 1, "error_code": None, "error": None}
    return View(**(given | {"created_at": 0, "updated_at": 0, "ahead": 0} | changes))  # type: ignore[arg-type]


@pytest.fixture
def looks(monkeypatch: pytest.MonkeyPatch) -> list[Sequence[View]]:
    """What the jobs are, look after look; the last stays."""
    states: list[Sequence[View]] = []
    monkeypatch.setattr(job_watching, "_LOOK", 0)
    monkeypatch.setattr(job_watching, "_views", lambda home, tape: states.pop(0) if len(states) > 1 else states[0])
    return states


STEP = next(iter(STEP_LABELS))


@pytest.mark.parametrize(
    ("job", "words"),
    [
        (view("failed", error_code="TR-J06", error="the disk is full"), "TR-J06 the disk is full"),
        (view("queued", ahead=2), "after 2 others"),
        (view("queued"), ""),
        (view("running", stage=STEP), STEP_LABELS[STEP].lower()),
        (view("running", stage=STEP, attempts=3), f"{STEP_LABELS[STEP].lower()} (try 3)"),
        (view("done"), ""),
    ],
)
def test_a_job_says_what_it_waits_for_or_why_it_failed(
    job: View, words: str, looks: list[Sequence[View]], home: Home, capsys: pytest.CaptureFixture[str]
) -> None:
    looks.append([job])
    Console(width=200).print(job_watching.job_table(home, None))
    row = next(line for line in capsys.readouterr().out.splitlines() if job.tape_id in line)
    assert [cell.strip() for cell in row.strip("│").split("│")][1:4] == [job.state, "0%", words]


def test_each_change_is_printed_once_until_nothing_is_left(
    looks: list[Sequence[View]], home: Home, capsys: pytest.CaptureFixture[str]
) -> None:
    running = view("running", stage=STEP, fraction=0.5)
    looks += [[view("queued", ahead=1)], [running], [running], [view("done")]]
    job_watching.follow_jobs(home, None)
    assert capsys.readouterr().out.splitlines() == [
        "tape-j1 queued: after 1 others",
        f"tape-j1 running: {STEP_LABELS[STEP].lower()}",
        "tape-j1 done: ",
    ]


def test_one_failed_job_of_two_ends_with_status_1(looks: list[Sequence[View]], home: Home) -> None:
    looks.append([view("done"), view("failed", "j2", error_code="TR-J03", error="it ended")])
    with pytest.raises(typer.Exit) as ended:
        job_watching.follow_jobs(home, None)
    assert ended.value.exit_code == 1


@pytest.mark.parametrize(
    ("state", "seconds_ago", "warned"),
    [("queued", None, True), ("queued", 3600, True), ("queued", 0, False), ("done", None, False)],
)
def test_jobs_that_wait_while_no_worker_lives_are_warned_of(
    state: str,
    seconds_ago: int | None,
    warned: bool,
    looks: list[Sequence[View]],
    home: Home,
    capsys: pytest.CaptureFixture[str],
) -> None:
    looks.append([view(state)])
    if seconds_ago is not None:
        with home.database.writing() as session:
            session.add(Worker(id="w1", queues="all", beats=1, seen_at=now() - 1000 * seconds_ago))
    job_watching.warn_without_worker(home)
    assert ("No worker is running" in capsys.readouterr().err) is warned
