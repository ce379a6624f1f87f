"""What a tape is called: its interviewer, and its newest pseudonym."""

from __future__ import annotations

from pipeline.review.tapes import titles
from pipeline.tapes import request_trail
from pipeline.tapes.db.records import Consent, Tape
from pipeline.tapes.request_trail import Trail
from tests.review.conftest import Room


def test_the_title_has_this_tape_s_newest_pseudonym(room: Room) -> None:
    group = room.group()
    tape, other = (room.tape(group, room.person(name, group)) for name in ("Ada", "Ben"))
    with room.home.database.writing() as database:
        first = database.query(Consent).filter(Consent.tape_id == tape).one()
        again = {
            name: getattr(first, name)
            for name in ("uses", "group_ids", "destroy_by", "method", "signed_at", "signed_form")
        }
        database.add(Consent(**again | {"tape_id": tape, "pseudonym": "Kim", "given_at": first.given_at - 5}))
        database.query(Consent).filter(Consent.tape_id == other).one().pseudonym = "Lou"
    with room.home.database.reading() as database:
        assert titles.title(database, database.get_one(Tape, tape)) == "Ada with Kim"
        assert titles.title(database, database.get_one(Tape, other)) == "Ben with Lou"


def test_a_title_without_a_pseudonym_is_the_interviewer_s_name(room: Room) -> None:
    group = room.group()
    tape = room.tape(group, room.person("Ada", group))
    with room.home.database.writing() as database:
        database.query(Consent).delete()
        left = Trail("test")
        token = request_trail.current.set(left)
        assert titles.title(database, database.get_one(Tape, tape)) == "Ada"
        request_trail.current.reset(token)
    assert left.tapes == {tape}  # who reads a title has come to the tape
