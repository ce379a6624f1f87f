"""From a draft to a job: what was asked for goes into the vault, the job on the queue."""

from __future__ import annotations

from contextlib import suppress

from sqlalchemy import delete, select
from starlette.exceptions import HTTPException

from pipeline.errors import JobError
from pipeline.tapes import audit_log
from pipeline.tapes.consent import consent
from pipeline.tapes.db.records import Item, Review, Tape, TapeTurn
from pipeline.tapes.home import Home
from pipeline.tapes.jobs import job_state
from pipeline.tapes.jobs.steps import ASKED, Asked
from pipeline.tapes.vault.stage_store import item_row


def queue(home: Home, tape_id: str, by: str, sha256: str, start: int, end: int, speakers: int | None, now: int) -> None:
    """Queue the job of a draft whose recording is here.

    Raises
    ------
    ConsentError: the consent ended meanwhile.
    """
    asked = home.vault.put(tape_id, ASKED, Asked(sha256, start, end, speakers).packed())
    with home.database.writing() as database:
        tape = database.get_one(Tape, tape_id)
        if tape.state != "draft":
            raise HTTPException(409, "This tape is being processed already.")
        consent.allows(database, None, "process", tape, now).require()
        tape.state, tape.start_ms, tape.end_ms = "queued", start, end
        database.execute(delete(Item).where(Item.tape_id == tape_id, Item.kind == ASKED))
        database.add(item_row(asked, now))
        if database.scalar(select(Review).where(Review.tape_id == tape_id)) is None:
            database.add(Review(tape_id=tape_id, stage="interviewer"))
        database.add(TapeTurn(group_id=tape.group_id, person_id=tape.interviewer_id, at=now))
        job = job_state.add(database, tape_id, now)
        audit_log.record(database, now, by, "tape.submit", tape_id)
    with suppress(JobError):  # the job waits in the records, and a worker puts it on the queue
        waiting = job_state.queue_of(home)
        try:
            waiting.create()
            job_state.enqueue(home, waiting, job)
        finally:
            waiting.close()
