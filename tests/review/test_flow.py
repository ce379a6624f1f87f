"""A group's way with a tape: who is who, the interviewer first, feedback in its order and measure, the summary."""

from __future__ import annotations

from pipeline.review import authorization
from pipeline.tapes.db.records import AuditRow, Meeting, Person, Review, Tape
from tests.review.conftest import Room
from tests.review.peers import Peers


def test_nobody_else_sees_codes_or_measures_before_the_interviewer_is_done(room: Room, peers: Peers) -> None:
    gated = [f"{peers.path}/{page}" for page in ("feedback", "summary", "summary.pdf", "summary.docx")]
    others = [room.signed_in(person) for person in (peers.ben, peers.coach)]
    for browser in others:
        assert [browser.get(path).status_code for path in gated] == [403] * len(gated)
        assert peers.say(browser, "strength").status_code == 403
        assert "reviews their own work first" in browser.get(peers.path).text
    ada = room.signed_in(peers.ada)
    assert [ada.get(path).status_code for path in gated] == [200] * len(gated)
    ada.post(f"{peers.path}/first", {"step": "save", "well": "I waited."})
    assert others[0].get(gated[0]).status_code == 403
    refused = ada.post(f"{peers.path}/first", {"step": "done", "well": ""})
    assert "That comes first" in refused.text
    assert others[0].get(gated[0]).status_code == 403
    assert ada.post(f"{peers.path}/first", {"step": "done", "well": "I waited."}).status_code == 303
    for browser in others:
        assert [browser.get(path).status_code for path in gated] == [200] * len(gated)


def test_one_function_decides_who_may_see(room: Room, peers: Peers) -> None:
    with room.home.database.writing() as database:
        tape = database.get_one(Tape, peers.tape)
        cases = [(None, None, False), (5, None, True), (None, 5, True)]
        assert not authorization.is_open(database, peers.ben, tape)  # without any row
        review = Review(tape_id=peers.tape, stage="interviewer")
        database.add(review)
        for done, waived, expected in cases:
            review.interviewer_done_at, review.waived_at = done, waived
            database.flush()
            assert authorization.is_open(database, peers.ben, tape) is expected
            assert authorization.is_open(database, peers.ada, tape)


def test_reading_and_changing_is_audited(room: Room, peers: Peers) -> None:
    peers.opened()
    ada, ben = room.signed_in(peers.ada), room.signed_in(peers.ben)
    peers.say(ada, "strength")
    ben.get(f"{peers.path}/summary.pdf")
    ben.get(f"{peers.path}/summary.docx")
    with room.home.database.reading() as database:
        rows = {(row.actor_id, row.action, row.thing) for row in database.query(AuditRow) if row.tape_id == peers.tape}
        assert not room.home.audit.verify(database)
    assert {(peers.ada, "review.waive", ""), (peers.ben, "read", "summary.pdf")} <= rows
    assert (peers.ben, "read", "summary.docx") in rows
    assert any(action == "feedback.add" for _, action, _ in rows)


def test_a_withdrawal_ends_every_way_to_the_tape_at_once(room: Room, peers: Peers) -> None:
    peers.opened()
    ben, admin = room.signed_in(peers.ben), room.signed_in(room.person("Root", is_admin=True))
    assert ben.get(peers.path).status_code == 200
    assert ben.post(f"{peers.path}/withdraw").status_code == 404
    assert admin.post(f"{peers.path}/withdraw").status_code == 303
    for browser in (ben, room.signed_in(peers.ada)):
        for page in ("", "/voices", "/first", "/feedback", "/summary", "/summary.pdf", "/summary.docx", "/progress"):
            assert browser.get(peers.path + page).status_code == 404
        assert "Robin" not in browser.get("/").text
        assert "No tape has measures yet" in browser.get("/growth").text


def test_growth_is_shared_with_whom_one_chooses_and_only_open_tapes_show(room: Room, peers: Peers) -> None:
    ada, ben, eve = (room.signed_in(person) for person in (peers.ada, peers.ben, peers.eve))
    assert "1.3" in ada.get("/growth").text
    assert ben.get(f"/growth/{peers.ada}").status_code == 404
    assert ada.post("/growth/share", {"person_id": peers.ben}).status_code == 303
    assert "1.3" not in ben.get(f"/growth/{peers.ada}").text  # the interviewer comes first here, too
    peers.opened()
    assert "1.3" in ben.get(f"/growth/{peers.ada}").text
    assert "Ada" in ben.get("/growth").text
    assert eve.get(f"/growth/{peers.ada}").status_code == 404
    ada.post("/growth/unshare", {"person_id": peers.ben})
    assert ben.get(f"/growth/{peers.ada}").status_code == 404
    outsider = room.person("Zoe")
    assert ada.post("/growth/share", {"person_id": outsider}).status_code == 404


def test_no_page_shows_several_people_s_figures(room: Room, peers: Peers) -> None:
    other = room.tape(peers.group, peers.ben)
    peers.opened()
    room.signed_in(peers.ben).post(f"/tapes/{other}/first", {"step": "waive"})
    eve = room.signed_in(peers.eve)
    for path in ("/", "/meetings", f"/groups/{peers.group}", "/growth"):
        assert "1.3" not in eve.get(path).text
    with room.home.database.reading() as database:
        assert database.get_one(Person, peers.eve).name == "Eve"


def test_notes_about_a_tape_stay_with_it(room: Room, peers: Peers) -> None:
    ada, other = room.signed_in(peers.ada), room.tape(peers.group, peers.ada)
    peers.opened()
    ada.post(f"/tapes/{other}/first", {"step": "waive"})
    planned = ada.post("/meetings", {"group_id": peers.group, "at": "2030-01-01T18:00"}).headers["location"]
    path = planned.partition("?")[0]

    def chosen(tape_id: str) -> int:
        return ada.post(f"{path}/tape", {"tape_id": tape_id}).status_code

    def kept() -> tuple[str | None, bytes | None]:
        with room.home.database.reading() as database:
            meeting = database.get_one(Meeting, path.rpartition("/")[2])
            return meeting.tape_id, meeting.sealed_notes

    ada.post(f"{path}/notes", {"notes": "Written before a tape was chosen."})
    assert chosen(peers.tape) == 303
    ada.post(f"{path}/notes", {"notes": "She waited for an answer."})
    before = kept()
    for another in (other, ""):
        refused = ada.post(f"{path}/tape", {"tape_id": another})
        assert refused.status_code == 409
        assert "The notes are about this tape" in refused.text
        assert kept() == before
    assert chosen(peers.tape) == 303
    assert "She waited" in ada.get(path).text
    ada.post(f"{path}/notes", {"notes": ""})
    assert chosen(other) == 303
    ada.post(f"{path}/end")
    for another in (peers.tape, ""):
        assert chosen(another) == 409
    assert kept() == (other, None)
