"""The states of a job: tries, cancelling, and what is shown."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.errors import JobError
from pipeline.settings import Settings
from pipeline.stages import STEPS
from pipeline.tapes.home import Home
from pipeline.tapes.jobs import job_state
from tests.tapes.fakes import submitted
from tests.tapes.submitted import state


def test_tries_are_counted_by_step_and_end(home: Home, tape_id: str) -> None:
    with home.database.writing() as session:
        job_id = job_state.latest(session, tape_id).id
        assert [job_state.begin(session, job_id, step, 1, 2) for step in ("decode", "decode", "listen")] == [
            1,
            2,
            1,
        ]
        assert job_state.begin(session, job_id, "listen", 1, 2) == 2
        with pytest.raises(JobError, match="TR-J03 job of tape .* 2 tries of listen") as caught:
            job_state.begin(session, job_id, "listen", 1, 2)
        job_state.fail(session, job_id, caught.value, 2)
        assert job_state.begin(session, job_id, "listen", 1, 2) is None
    assert state(home, tape_id) == ("failed", "failed")


def test_a_worker_that_leaves_costs_no_try(home: Home, tape_id: str) -> None:
    with home.database.writing() as session:
        job_id = job_state.latest(session, tape_id).id
        for _ in range(9):
            assert job_state.begin(session, job_id, "tag", 1, 3) == 1
            job_state.give_back(session, job_id, 1)


def test_cancel_and_retry_go_from_the_states_that_they_can(home: Home, tape_id: str) -> None:
    with pytest.raises(JobError, match="TR-J02 .* is queued"):
        job_state.retry(home, tape_id)
    job_state.cancel(home, tape_id)
    assert state(home, tape_id) == ("cancelled", "failed")
    with pytest.raises(JobError, match="TR-J02 .* is cancelled"):
        job_state.cancel(home, tape_id)
    again = job_state.retry(home, tape_id)
    assert state(home, tape_id) == ("queued", "queued")
    queue = job_state.queue_of(home)
    assert [entry.workflow_id for entry in queue.unfinished()] == [again.workflow_id]
    queue.close()


def test_an_unknown_tape_has_no_job(home: Home) -> None:
    with pytest.raises(JobError, match="TR-J01 tape nowhere"):
        job_state.cancel(home, "nowhere")


def test_the_whole_is_done_when_its_steps_are() -> None:
    assert sum(job_state.WEIGHTS.values()) == pytest.approx(1)
    shown = [job_state.overall(step, fraction) for step in STEPS for fraction in (0, 0.5, 1)]
    assert shown == sorted(shown)
    assert (shown[0], shown[-1]) == (0, 1)


def test_views_show_the_last_job_of_each_tape_and_who_is_before_it(
    home: Home, chosen: Settings, tape_id: str, recording: Path
) -> None:
    other = submitted(home, chosen, recording)
    with home.database.reading() as session:
        assert [(view.tape_id, view.ahead) for view in job_state.views(session)] == [(tape_id, 0), (other, 1)]
        assert [view.tape_id for view in job_state.views(session, [other])] == [other]
