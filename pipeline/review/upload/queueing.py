"""From a draft to a job: what was asked for goes into the vault, the job on the queue; a text is queued as it is."""

from __future__ import annotations

from contextlib import suppress

from sqlalchemy import delete, select
from sqlalchemy.orm import Session
from starlette.exceptions import HTTPException

from pipeline.errors import JobError, ReviewError
from pipeline.tapes.db.records import Item, Job, Tape
from pipeline.tapes.home import Home
from pipeline.tapes.intake import submission
from pipeline.tapes.jobs.recording_files import is_recording
from pipeline.tapes.jobs.steps import ASKED, WRITTEN, JobOptions
from pipeline.tapes.vault.stage_store import item_row


def queue(home: Home, tape_id: str, by: str, job_options: JobOptions, now: int) -> None:
    """Queue the job of a draft whose recording is here.

    Raises
    ------
    ConsentError: the consent ended meanwhile.
    """
    asked_item = home.vault.put(tape_id, ASKED, job_options.packed())
    with home.database.writing() as database:
        tape = _draft(database, tape_id)
        database.execute(delete(Item).where(Item.tape_id == tape_id, Item.kind == ASKED))
        database.add(item_row(asked_item, now))
        job = submission.queue(database, tape, job_options, now, by)
    _enqueue(home, job)


def queue_text(home: Home, tape_id: str, by: str, now: int) -> None:
    """Queue the job of a draft whose transcript is here and is to be coded without sound.

    Raises
    ------
    ConsentError: the consent ended meanwhile. ReviewError: R10 there is no transcript any more, or sound is here, too.
    """
    with home.database.writing() as database:
        tape = _draft(database, tape_id)
        kinds = set(database.scalars(select(Item.kind).where(Item.tape_id == tape_id)))
        if WRITTEN not in kinds:
            raise ReviewError("R10", "transcript", "the transcript is not here anymore", "upload it again")
        if any(map(is_recording, kinds)):
            value = "this tape has a recording"
            raise ReviewError("R10", "transcript", value, "go on with it, or remove it first to code the text alone")
        job = submission.queue(database, tape, None, now, by)
    _enqueue(home, job)


def _draft(database: Session, tape_id: str) -> Tape:
    tape = database.get_one(Tape, tape_id)
    if tape.state != "draft":
        raise HTTPException(409, "This tape is being processed already.")
    return tape


def _enqueue(home: Home, job: Job) -> None:
    with suppress(JobError):  # the job waits in the records, and a worker puts it on the queue
        submission.enqueue(home, job)
