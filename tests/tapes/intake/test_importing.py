"""From the results of a job to a tape that can be reviewed: in one transaction, and once."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from sqlalchemy import select, update

from pipeline import settings
from pipeline.audio.file_layout import ONE_FILE
from pipeline.run.progress import ignore
from pipeline.settings import Settings
from pipeline.stages import STEPS
from pipeline.tapes.clock import now
from pipeline.tapes.db.records import Job, Utterance
from pipeline.tapes.home import Home
from pipeline.tapes.intake import importing
from pipeline.tapes.jobs import job_state, steps
from tests.tapes.fakes import Fakes
from tests.tapes.submitted import do


def test_a_job_that_was_cancelled_meanwhile_publishes_nothing(home: Home, chosen: Settings, tape_id: str) -> None:
    for step in list(STEPS)[:-1]:
        do(home, chosen, tape_id, step)
    before = home.vault.files(tape_id)
    with home.database.writing() as session:
        job_id = job_state.latest(session, tape_id).id
        session.execute(update(Job).values(state="cancelled"))
    steps.perform(home, chosen, Fakes, job_id, "report", ignore, now)
    assert home.vault.files(tape_id) == before
    with home.database.reading() as session:
        assert session.scalars(select(Utterance)).all() == []


def test_mono_and_peaks_are_the_same_for_the_same_sound(recording: Path) -> None:
    read = Fakes(settings.load().settings).decode((recording,), ONE_FILE, None, None, ignore)
    assert importing.mono(read) == importing.mono(read)
    assert importing.drawn(replace(read, start=1)) == importing.drawn(read)
