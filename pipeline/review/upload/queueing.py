"""From a draft to a job: what was asked for goes into the vault, the job on the queue; a text is queued as it is."""

from __future__ import annotations

from contextlib import suppress

from sqlalchemy import delete, select
from sqlalchemy.orm import Session
from starlette.exceptions import HTTPException

from pipeline.errors import JobError, ReviewError
from pipeline.review.upload.chunked_uploads import UPLOAD
from pipeline.tapes import audit_log
from pipeline.tapes.consent import consent
from pipeline.tapes.db.records import Item, Job, Review, Tape, TapeTurn
from pipeline.tapes.home import Home
from pipeline.tapes.jobs import job_state
from pipeline.tapes.jobs.steps import ASKED, RECORDING, WRITTEN, Asked
from pipeline.tapes.vault.stage_store import item_row


def queue(home: Home, tape_id: str, by: str, sha256: str, start: int, end: int, speakers: int | None, now: int) -> None:
    """Queue the job of a draft whose recording is here.

    Raises
    ------
    ConsentError: the consent ended meanwhile.
    """
    request = home.vault.put(tape_id, ASKED, Asked(sha256, start, end, speakers).packed())
    with home.database.writing() as database:
        tape = _draft(database, tape_id, now)
        tape.start_ms, tape.end_ms = start, end
        database.execute(delete(Item).where(Item.tape_id == tape_id, Item.kind == ASKED))
        database.add(item_row(request, now))
        job = _queued(database, tape, by, now)
    _on_its_way(home, job)


def queue_text(home: Home, tape_id: str, by: str, now: int) -> None:
    """Queue the job of a draft whose transcript is here and is to be coded without sound.

    Raises
    ------
    ConsentError: the consent ended meanwhile. ReviewError: R10 there is no transcript any more, or sound is here, too.
    """
    with home.database.writing() as database:
        tape = _draft(database, tape_id, now)
        kinds = set(database.scalars(select(Item.kind).where(Item.tape_id == tape_id)))
        if WRITTEN not in kinds:
            raise ReviewError("R10", "transcript", "the transcript is not here anymore", "upload it again")
        if RECORDING in kinds or any(kind.startswith(UPLOAD) for kind in kinds):
            value = "this tape has a recording"
            raise ReviewError("R10", "transcript", value, "go on with it, or remove it first to code the text alone")
        tape.from_text = True
        job = _queued(database, tape, by, now)
    _on_its_way(home, job)


def _draft(database: Session, tape_id: str, now: int) -> Tape:
    tape = database.get_one(Tape, tape_id)
    if tape.state != "draft":
        raise HTTPException(409, "This tape is being processed already.")
    consent.allows(database, None, "process", tape, now).require()
    return tape


def _queued(database: Session, tape: Tape, by: str, now: int) -> Job:
    """Make the job of a draft that is whole."""
    tape.state = "queued"
    if database.scalar(select(Review).where(Review.tape_id == tape.id)) is None:
        database.add(Review(tape_id=tape.id, stage="interviewer"))
    database.add(TapeTurn(group_id=tape.group_id, person_id=tape.interviewer_id, at=now))
    job = job_state.add(database, tape.id, now)
    audit_log.record(database, now, by, "tape.submit", tape.id)
    return job


def _on_its_way(home: Home, job: Job) -> None:
    with suppress(JobError):  # the job waits in the records, and a worker puts it on the queue
        waiting = job_state.queue_of(home)
        try:
            waiting.create()
            job_state.enqueue(home, waiting, job)
        finally:
            waiting.close()
