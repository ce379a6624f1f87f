"""What a calibration pass stores, and when it was blind."""

from __future__ import annotations

from pipeline.formats import codebook_files
from pipeline.review.coding.change_requests import ChangeRequest
from pipeline.review.practice import calibration_passes
from tests.review.conftest import Room

BOOK = codebook_files.read("pretags")


def change(name: str, *codes: str, **given: object) -> ChangeRequest:
    return ChangeRequest(id=name, kind="code", utterance_id="u0001", codes=list(codes), **given)  # type: ignore[arg-type]


def test_codes_fold_with_their_undo_and_are_stored_once(room: Room) -> None:
    person = room.person("Ada")
    with room.home.database.writing() as session:
        started = calibration_passes.start(session, person, BOOK, 10, script="roleplay-alcohol")
        first, second = change("a", "question_open"), change("b", "other")
        for sent in ([first], [first, second], [change("c", "other", undoes="b")]):
            assert calibration_passes.store(session, started, BOOK, sent, 20) == []
            session.flush()
        assert [event.id for event in calibration_passes.events(session, started)] == ["a", "b", "c"]
        assert calibration_passes.codes(session, started)["u0001"].codes == ("question_open",)
        refused = calibration_passes.store(session, started, BOOK, [change("d", "sumary"), change("e", "other")], 20)
        assert refused == [{"id": "d", "reason": "the codebook has no code sumary"}]


def test_a_pass_is_blind_until_another_on_its_tape_is_locked(room: Room) -> None:
    person, other = room.person("Ada"), room.person("Ben")
    with room.home.database.writing() as session:

        def start(who: str, script: str, codebook: str = "pretags"):
            return calibration_passes.start(session, who, codebook_files.read(codebook), 10, script=script)

        mark, oars, carol = start(person, "a"), start(person, "a", "oars"), start(person, "b")
        theirs = start(other, "a")
        assert start(person, "a") is mark
        for number, coded in enumerate((mark, oars, carol, theirs)):
            calibration_passes.lock(session, coded, 20 + number)
        assert [coded.blind for coded in (mark, oars, carol, theirs)] == [True, False, True, True]
        calibration_passes.lock(session, mark, 99)
        assert (mark.locked_at, mark.blind) == (20, True), "a locked pass stays as it is"
        again = start(person, "a")
        assert again is not mark
        assert calibration_passes.own_passes(session, other) == [theirs]
