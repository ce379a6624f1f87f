"""The way with a tape, of many tapes at once."""

from __future__ import annotations

from pipeline.review.tapes import tape_steps
from pipeline.review.tapes.tape_steps import TapeProgress
from pipeline.tapes.db.records import Correction, Feedback, Pass, Review, Tape
from tests.review.conftest import Room


def test_how_far_each_of_several_tapes_is_for_a_person(room: Room) -> None:
    group = room.group()
    ada, ben = room.person("Ada", group), room.person("Ben", group)
    fresh, coded, over = (room.tape(group, ada) for _ in range(3))
    with room.home.database.writing() as database:
        for tape_id, person_id, locked_at in ((coded, ben, 5), (coded, ben, None), (over, ben, 5), (over, ada, None)):
            database.add(
                Pass(
                    tape_id=tape_id,
                    person_id=person_id,
                    layer="member",
                    codebook="pretags",
                    codebook_version="1",
                    started_at=1,
                    locked_at=locked_at,
                )
            )
        database.add(Review(tape_id=coded, stage="coding", waived_at=3))
        database.add(Review(tape_id=over, stage="closed", interviewer_done_at=3, closed_at=9))
        database.add(Correction(tape_id=over, person_id=ada, at=2, kind="role", utterance_id="S1"))
        database.add(Feedback(tape_id=over, person_id=ben, kind="strength", sealed_text=b"", at=8))
    with room.home.database.reading() as database:
        tapes = [database.get_one(Tape, tape_id) for tape_id in (fresh, coded, over)]
        progress = tape_steps.progress_of(database, ben, tapes)
        ways = {tape.id: tape_steps.steps(ben, tape, progress[tape.id]) for tape in tapes}
    assert progress == {
        fresh: TapeProgress(),
        coded: TapeProgress(opened=True, passes=2, locked=1),
        over: TapeProgress(opened=True, closed=True, named=True, spoke=True, passes=1, locked=1),
    }
    assert {step.state for step in ways[fresh]} == {"waiting"}
    assert [step.state for step in ways[coded]] == ["now", "later", "now", "later"]
    assert {step.state for step in ways[over]} == {"done"}
