"""The doctor's look at jobs, queue and workers."""

from __future__ import annotations

from pipeline.tapes.checks import jobs
from pipeline.tapes.checks.installation import Finding
from pipeline.tapes.clock import now
from pipeline.tapes.db.records import Worker
from pipeline.tapes.home import Home
from pipeline.tapes.jobs import job_state


def by_name(home: Home) -> dict[str, Finding]:
    return {finding.what: finding for finding in jobs.check(home, now())}


def test_a_home_without_jobs_needs_no_worker(home: Home) -> None:
    findings = by_name(home)
    assert all(finding.fine for finding in findings.values())
    assert findings["workers"].state == "0 alive"


def test_a_job_that_waits_for_no_worker_is_wrong_until_one_lives(home: Home, tape_id: str) -> None:
    assert by_name(home)["1 jobs, all on the queue"].fine
    assert not by_name(home)["workers"].fine
    with home.database.writing() as session:
        session.add(Worker(id="w1", queues="all", beats=1, seen_at=now()))
        session.add(Worker(id="w2", queues="all", beats=1, seen_at=0))
    assert (by_name(home)["workers"].fine, by_name(home)["workers"].state) == (True, "1 alive, 1 dead")


def test_a_job_that_the_queue_lost_is_named_and_so_is_one_that_it_kept(home: Home, tape_id: str) -> None:
    queue = job_state.queue_of(home)
    with home.database.reading() as session:
        queue.forget([job_state.latest(session, tape_id).workflow_id])
    assert by_name(home)["1 jobs, all on the queue"].state == tape_id
    queue.add("stray", "nobody", False)
    queue.close()
    assert by_name(home)["nothing else is on the queue"].state == "stray"


def test_failed_jobs_are_counted_and_are_no_fault(home: Home, tape_id: str) -> None:
    with home.database.writing() as session:
        job_state.latest(session, tape_id).state = "failed"
    finding = by_name(home)["jobs that failed"]
    assert finding.fine
    assert finding.state.startswith("1: ")
