"""From a draft to a job: a text alone is queued as it is, and nothing is queued twice."""

from __future__ import annotations

import pytest
from sqlalchemy import select
from starlette.exceptions import HTTPException

from pipeline.errors import ReviewError
from pipeline.review.upload import queueing
from pipeline.tapes.db.records import Item, Job, Tape
from pipeline.tapes.jobs.recording_files import RECORDING
from pipeline.tapes.jobs.steps import WRITTEN
from pipeline.tapes.vault.stage_store import item_row
from tests.review.conftest import Room


@pytest.fixture
def draft(room: Room) -> str:
    group = room.group()
    return room.tape(group, room.person("Ada", group), state="draft")


def put(room: Room, tape_id: str, kind: str) -> None:
    put_item = room.home.vault.put(tape_id, kind, b"content")
    with room.home.database.writing() as database:
        database.add(item_row(put_item, room.clock()))


def queue_text(room: Room, tape_id: str) -> None:
    with room.home.database.reading() as database:
        interviewer = database.get_one(Tape, tape_id).interviewer_id
    queueing.queue_text(room.home, tape_id, interviewer, room.clock())


def test_a_text_is_queued_once(room: Room, draft: str) -> None:
    put(room, draft, WRITTEN)
    queue_text(room, draft)
    with room.home.database.reading() as database:
        tape = database.get_one(Tape, draft)
        assert (tape.state, tape.from_text) == ("queued", True)
        assert [job.tape_id for job in database.scalars(select(Job))] == [draft]
    with pytest.raises(HTTPException) as refused:
        queue_text(room, draft)
    assert refused.value.status_code == 409


def test_without_a_text_or_beside_a_sound_nothing_is_queued(room: Room, draft: str) -> None:
    with pytest.raises(ReviewError, match="TR-R10 .*not here anymore"):
        queue_text(room, draft)
    put(room, draft, WRITTEN)
    put(room, draft, RECORDING)
    with pytest.raises(ReviewError, match="TR-R10 .*has a recording"):
        queue_text(room, draft)
    with room.home.database.reading() as database:
        assert database.get_one(Tape, draft).state == "draft"
        assert database.scalars(select(Job)).all() == []
        assert database.scalars(select(Item.kind).where(Item.tape_id == draft, Item.kind == WRITTEN)).all()
