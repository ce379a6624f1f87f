"""Filled-in forms: sealed, one row a person and kind, and the latest answers hold."""

from __future__ import annotations

from sqlalchemy import select

from pipeline.review import form_answers
from pipeline.tapes.db.records import Form
from tests.review.conftest import Room


def test_the_latest_answers_hold_and_nobody_else_s_are_touched(room: Room) -> None:
    group = room.group()
    ada, ben = room.person("Ada", group), room.person("Ben", group)
    tape = room.tape(group, ada)
    with room.home.database.writing() as database:
        assert form_answers.read(database, room.home, tape, ada, "session") == {}
        form_answers.write(database, room.home, tape, ben, "session", {"well": "ZEBRA"}, room.clock())
        for at, well in enumerate(("first", "second")):
            form_answers.write(database, room.home, tape, ada, "session", {"well": well}, room.clock() + at)
        form_answers.write(database, room.home, tape, ada, "appraisal", {"well": "other"}, room.clock())
    with room.home.database.reading() as database:
        assert form_answers.read(database, room.home, tape, ada, "session") == {"well": "second"}
        assert form_answers.read(database, room.home, tape, ada, "appraisal") == {"well": "other"}
        assert form_answers.read(database, room.home, tape, ben, "session") == {"well": "ZEBRA"}
        sealed = database.scalars(select(Form.sealed_answers)).all()
    assert len(sealed) == 3
    assert not any(b"ZEBRA" in answers for answers in sealed)
