"""A group's way with a tape: who is who, the interviewer first, feedback in its order and measure, the summary."""

from __future__ import annotations

import io
import re

import pytest
from docx import Document
from pypdf import PdfReader

from pipeline.review import authorization
from pipeline.review.reflection import questions
from pipeline.review.reflection.feedback import MOST
from pipeline.tapes.clock import MINUTE
from pipeline.tapes.db.records import AuditRow, Form, Meeting, Person, Review, Tape, TapeState
from tests.review.conftest import Browser, Room


class Peers:
    """A group of three, a coach, and Ada's tape."""

    def __init__(self, room: Room) -> None:
        self.room, self.group = room, room.group()
        self.ada, self.ben, self.eve = (room.person(name, self.group) for name in ("Ada", "Ben", "Eve"))
        self.coach = room.person("Coco", self.group, role="coach")
        self.tape = room.tape(self.group, self.ada)
        self.path = f"/tapes/{self.tape}"

    def opened(self) -> Peers:
        self.room.signed_in(self.ada).post(f"{self.path}/first", {"step": "waive"})
        return self

    def say(self, browser: Browser, kind: str, text: str = "You waited."):
        return browser.post(f"{self.path}/feedback", {"kind": kind, "text": text})


@pytest.fixture
def peers(room: Room) -> Peers:
    return Peers(room)


def test_the_interviewer_decides_who_is_who_and_can_change_it(room: Room, peers: Peers) -> None:
    ada = room.signed_in(peers.ada)
    page = ada.get(f"{peers.path}/voices").text
    assert page.count("<audio") == 4
    assert "Is the right voice marked as the interviewer?" in page
    assert ada.post(f"{peers.path}/voices", {"interviewer": "S2"}).status_code == 303
    page = ada.get(f"{peers.path}/voices").text
    assert page.index("No, this one") < page.index("voice S2") < page.index("Yes, this is the interviewer")
    ada.post(f"{peers.path}/voices", {"interviewer": "S1"})
    page = ada.get(f"{peers.path}/voices").text
    assert page.index("Yes, this is the interviewer") < page.index("voice S2") < page.index("No, this one")
    assert ada.post(f"{peers.path}/voices", {"interviewer": "S9"}).status_code == 404
    assert room.signed_in(peers.ben).get(f"{peers.path}/voices").status_code == 404


@pytest.mark.parametrize(("state", "button"), [("running", "Stop"), ("failed", "Try again")])
def test_only_the_interviewer_is_offered_to_stop_the_work_or_to_try_again(
    room: Room, peers: Peers, state: TapeState, button: str
) -> None:
    path = f"/tapes/{room.tape(peers.group, peers.ada, state=state)}"
    for page in (path, f"{path}/progress"):
        assert f">{button}</button>" in room.signed_in(peers.ada).get(page).text
        assert f">{button}</button>" not in room.signed_in(peers.ben).get(page).text


def test_measures_of_the_wrong_voice_are_left_out_and_that_is_said(room: Room, peers: Peers) -> None:
    peers.opened()
    ada = room.signed_in(peers.ada)
    before = [ada.get(page).text for page in (f"{peers.path}/summary", "/growth")]
    assert all("1.3" in page for page in before)
    ada.post(f"{peers.path}/voices", {"interviewer": "S2"})
    wrong = ada.get(f"{peers.path}/summary").text
    assert "1.3" not in wrong
    assert "The machine took the wrong voice" in wrong
    assert "1.3" not in ada.get("/growth").text
    paper = PdfReader(io.BytesIO(ada.get(f"{peers.path}/summary.pdf").content)).pages[0].extract_text()
    assert "The machine took the wrong voice" in paper
    ada.post(f"{peers.path}/voices", {"interviewer": "S1"})
    assert [ada.get(page).text for page in (f"{peers.path}/summary", "/growth")] == before


def test_a_voice_that_may_be_nobody_is_said_to_be(room: Room, peers: Peers) -> None:
    """Which voices are ghosts was found with the sound; a long one can be one, by its likeness to another."""
    with room.home.database.writing() as database:
        tape = database.get_one(Tape, peers.tape)
        tape.speakers = {**tape.speakers, "roles": {"S1": "interviewer", "S2": "unknown"}, "ghosts": ["S2"]}
    page = room.signed_in(peers.ada).get(f"{peers.path}/voices").text
    voices = dict(zip(("S1", "S2"), page.split("badge")[1:], strict=True))
    assert "Perhaps not a person" in voices["S2"]
    assert "Perhaps not a person" not in voices["S1"]


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


def test_the_interviewer_s_forms_are_kept_sealed_and_shown_to_nobody_else(room: Room, peers: Peers) -> None:
    ada = room.signed_in(peers.ada)
    point = questions.APPRAISAL[0].name
    answers = {"step": "done", "well": "ZEBRA1", "next": "ZEBRA2", f"rate-{point}": "4", f"example-{point}": "ZEBRA3"}
    ada.post(f"{peers.path}/first", answers | {"rate-focus": "9"})
    page = ada.get(f"{peers.path}/first").text
    assert all(f"ZEBRA{number}" in page for number in (1, 2, 3))
    assert f'name="rate-{point}" value="4" checked' in page
    assert page.count("checked") == 1
    with room.home.database.reading() as database:
        assert all(b"ZEBRA" not in form.sealed_answers for form in database.query(Form))
    ben = room.signed_in(peers.ben)
    seen = [ben.get(f"{peers.path}{page}").text for page in ("", "/feedback", "/summary")]
    assert not any("ZEBRA" in text for text in seen)
    assert ben.get(f"{peers.path}/first").status_code == 404
    ada.post(f"{peers.path}/first", answers | {"shown": "yes"})
    assert "ZEBRA1" in ben.get(f"{peers.path}/summary").text
    assert "ZEBRA3" not in ben.get(f"{peers.path}/summary").text


def test_what_is_typed_is_kept_without_opening_anything(room: Room, peers: Peers) -> None:
    """The page sends it by itself, from the fields as they are."""
    ada, ben = room.signed_in(peers.ada), room.signed_in(peers.ben)
    page = ada.get(f"{peers.path}/first").text
    assert f'data-keep="{peers.path}/first"' in page
    assert "keep.js" in page
    kept = ada.post(f"{peers.path}/first", {"step": "keep", "well": "I waited.", "next": "Wait lon"})
    assert (kept.status_code, kept.json()) == (200, {})
    page = ada.get(f"{peers.path}/first").text
    assert "I waited." in page
    assert "Wait lon" in page
    assert ben.get(f"{peers.path}/feedback").status_code == 403
    assert ben.post(f"{peers.path}/first", {"step": "keep", "well": "x"}).status_code == 404


def test_typing_keeps_a_session_alive_and_nothing_else_does(room: Room, peers: Peers) -> None:
    ada, form = room.signed_in(peers.ada), {"step": "keep", "well": "I waited."}
    sent = {"data": form, "headers": {"X-CSRF-Token": ada.token("/account"), "accept": "application/json"}}
    for _ in range(3):
        room.clock.advance(14 * MINUTE)
        assert ada.client.post(f"{peers.path}/first", **sent).status_code == 200
    room.clock.advance(15 * MINUTE)
    assert ada.client.post(f"{peers.path}/first", **sent).status_code == 401  # which the page says, and waits


def test_what_is_typed_as_feedback_is_kept_for_its_author_until_it_is_said(room: Room, peers: Peers) -> None:
    peers.opened()
    ada, ben, at = room.signed_in(peers.ada), room.signed_in(peers.ben), f"{peers.path}/feedback"
    peers.say(ada, "strength", "I waited.")
    peers.say(ben, "strength", "You waited.")
    for kind, words in (("strength", "ZEBRA1"), ("suggestion", "ZEBRA2")):
        assert ben.post(f"{at}/draft", {"kind": kind, "text": words}).json() == {}
    assert all(f">{words}</textarea>" in ben.get(at).text for words in ("ZEBRA1", "ZEBRA2"))
    seen = [
        room.signed_in(person).get(at + page).text for person in (peers.ada, peers.eve) for page in ("", "/../summary")
    ]
    assert "ZEBRA" not in "".join(seen) + ben.get(f"{peers.path}/summary").text
    with room.home.database.reading() as database:
        assert all(b"ZEBRA" not in form.sealed_answers for form in database.query(Form))
    peers.say(ben, "strength", "ZEBRA1, and more.")
    page = ben.get(at).text
    assert ">ZEBRA1" not in page.partition("Your feedback")[2]
    assert ">ZEBRA2</textarea>" in page
    ada.post(f"{at}/close")
    assert ben.post(f"{at}/draft", {"kind": "strength", "text": "x"}).status_code == 422


def test_the_two_forms_ask_what_they_should() -> None:
    assert len(questions.REVIEW) == 8
    assert len([point for point in questions.APPRAISAL if not point.text.startswith("Spirit")]) == 12
    assert len([point for point in questions.APPRAISAL if point.text.startswith("Spirit")]) == 4  # the thirteenth
    assert questions.SCALE == (0, 1, 2, 3, 4, 5)


def test_the_interviewer_speaks_first_then_the_client_of_a_real_play(room: Room, peers: Peers) -> None:
    peers.opened()
    ada, ben, eve = (room.signed_in(person) for person in (peers.ada, peers.ben, peers.eve))
    assert "speaks first" in peers.say(ben, "strength").text
    ada.post(f"{peers.path}/feedback/play", {"person_id": peers.eve})
    assert peers.say(ada, "strength").status_code == 303
    assert "client speaks first" in peers.say(ben, "strength").text
    assert peers.say(eve, "strength").status_code == 303
    assert peers.say(ben, "strength").status_code == 303
    assert ada.post(f"{peers.path}/feedback/play", {"person_id": "0" * 16}).status_code == 404


def test_a_strength_comes_first_and_one_suggestion_is_all(room: Room, peers: Peers) -> None:
    peers.opened()
    ada, ben = room.signed_in(peers.ada), room.signed_in(peers.ben)
    peers.say(ada, "strength")
    assert "strengths come first" in peers.say(ben, "suggestion").text.lower()
    assert peers.say(ben, "strength").status_code == 303
    assert peers.say(ben, "suggestion", "Try waiting.").status_code == 303
    again = peers.say(ben, "suggestion", "And another.")
    assert again.status_code == 422
    assert "And another" not in ben.get(f"{peers.path}/feedback").text
    for _ in range(MOST):
        last = peers.say(ben, "strength")
    assert last.status_code == 422
    page = room.signed_in(peers.eve).get(f"{peers.path}/feedback").text
    assert page.index("Strengths") < page.index("Try waiting.")


def test_words_are_taken_back_by_who_said_them(room: Room, peers: Peers) -> None:
    peers.opened()
    ada, ben = room.signed_in(peers.ada), room.signed_in(peers.ben)
    peers.say(ada, "strength", "I waited.")
    form = ada.get(f"{peers.path}/feedback").text
    path = form.split(f'action="{peers.path}/feedback/')[1].split('"')[0]
    assert ben.post(f"{peers.path}/feedback/{path}").status_code == 404
    assert ada.post(f"{peers.path}/feedback/{path}").status_code == 303
    assert "I waited." not in ada.get(f"{peers.path}/feedback").text


def test_words_stand_in_the_order_in_which_they_were_given_whatever_was_taken_back(room: Room, peers: Peers) -> None:
    peers.opened()
    ada = room.signed_in(peers.ada)
    for text in ("First.", "Second.", "Third."):
        peers.say(ada, "strength", text)
    for _ in range(2):
        form = ada.get(f"{peers.path}/feedback").text
        feedback_id = form.split(f'action="{peers.path}/feedback/')[1].split('"')[0]
        ada.post(f"{peers.path}/feedback/{feedback_id}")
    peers.say(ada, "strength", "Fourth.")
    page = ada.get(f"{peers.path}/feedback").text
    assert "First." not in page
    assert "Second." not in page
    assert page.index("Third.") < page.index("Fourth.")


def test_what_is_taken_back_leaves_no_bare_suggestion_and_no_closed_round_changed(room: Room, peers: Peers) -> None:
    peers.opened()
    ada, ben = room.signed_in(peers.ada), room.signed_in(peers.ben)
    peers.say(ada, "strength")
    peers.say(ben, "strength", "You waited long.")
    peers.say(ben, "suggestion", "Ask less.")
    form = ben.get(f"{peers.path}/feedback").text
    strength, suggestion = (
        part.split('"')[0] for part in form.split(f'action="{peers.path}/feedback/')[1:] if "/remove" in part[:40]
    )
    refused = ben.post(f"{peers.path}/feedback/{strength}")
    assert refused.status_code == 422
    assert "A suggestion needs a strength beside it" in refused.text
    ada.post(f"{peers.path}/feedback/close")
    late = ben.post(f"{peers.path}/feedback/{suggestion}")
    assert late.status_code == 422
    assert "The round is closed" in late.text
    page = ben.get(f"{peers.path}/summary").text
    assert "You waited long." in page
    assert "Ask less." in page


def test_the_interviewer_can_open_a_closed_round_again(room: Room, peers: Peers) -> None:
    peers.opened()
    ada, ben = room.signed_in(peers.ada), room.signed_in(peers.ben)
    peers.say(ada, "strength")
    again = f"{peers.path}/feedback/reopen"
    assert again not in ada.get(f"{peers.path}/feedback").text
    ada.post(again)  # nothing is closed yet
    ada.post(f"{peers.path}/feedback/close")
    assert "The round is closed; the interviewer can reopen it." in peers.say(ben, "strength").text
    assert again not in ben.get(f"{peers.path}/feedback").text
    assert ben.post(again).status_code == 404
    assert peers.say(ben, "strength").status_code == 422
    assert again in ada.get(f"{peers.path}/feedback").text
    assert ada.post(again).headers["location"] == f"{peers.path}/feedback?note=reopened"
    assert peers.say(ben, "strength").status_code == 303
    with room.home.database.reading() as database:
        review = database.query(Review).one()
        assert (review.stage, review.closed_at) == ("feedback", None)
        told = [row.action for row in database.query(AuditRow) if row.action.startswith("review.")]
    assert told == ["review.waive", "review.close", "review.reopen"]


def test_the_summary_says_it_all_on_a_page_and_on_paper(room: Room, peers: Peers) -> None:
    peers.opened()
    ada, ben = room.signed_in(peers.ada), room.signed_in(peers.ben)
    peers.say(ada, "strength", "I waited a long time.")
    peers.say(ben, "strength", "Ты ждала, Łucja.")
    peers.say(ben, "suggestion", "Ask less.")
    assert ada.post(f"{peers.path}/feedback/close").headers["location"].startswith(f"{peers.path}/summary")
    assert peers.say(ben, "strength").status_code == 422
    page = ben.get(f"{peers.path}/summary").text
    answer = ben.get(f"{peers.path}/summary.pdf")
    assert answer.headers["content-type"] == "application/pdf"
    paper = "\n".join(sheet.extract_text() for sheet in PdfReader(io.BytesIO(answer.content)).pages)
    answer = ben.get(f"{peers.path}/summary.docx")
    assert answer.headers["content-type"].startswith("application/vnd.openxmlformats-officedocument")
    document = Document(io.BytesIO(answer.content))
    assert (document.core_properties.author, document.core_properties.comments) == ("", "")
    note = "\n".join(paragraph.text for paragraph in document.paragraphs)
    assert " ".join(note.split()) == " ".join(paper.split())
    for words in ("drinking less", "I waited a long time.", "Ты ждала, Łucja.", "Ask less.", "1.3", "0.9 to 1.6"):
        assert words in page
        assert words in paper
    for text in (page, paper):
        assert text.index("I waited") < text.index("Ask less.") < text.index("1.3")


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


@pytest.mark.parametrize(("state", "page"), [("ready", ""), ("draft", "/recording")])
@pytest.mark.parametrize("ending", ["withdraw", "destroy"])
def test_a_tape_is_ended_only_after_a_page_that_names_it_and_asks(
    room: Room, peers: Peers, state: TapeState, page: str, ending: str
) -> None:
    path = f"/tapes/{room.tape(peers.group, peers.ada, state=state)}"
    ada = room.signed_in(peers.ada)
    before = ada.get(path + page).text
    assert not re.search(r'action="[^"]*/(withdraw|destroy)"', before)
    assert f'href="{path}/destroy"' in before
    assert (f'href="{path}/withdraw"' in before) == (state == "ready")
    asked = ada.get(f"{path}/{ending}").text
    assert "Ada with Robin" in asked
    assert "This cannot be undone." in asked
    assert f'action="{path}/{ending}"' in asked
    assert f'href="{path}"' in asked
    assert ada.get(path + page).status_code == 200  # to have asked has done nothing
    root = room.signed_in(room.person("Root", is_admin=True)).get(f"{path}/{ending}")
    assert root.status_code == 200
    assert "Robin" not in root.text


def test_a_destroyed_tape_is_gone(room: Room, peers: Peers) -> None:
    ada = room.signed_in(peers.ada)
    assert ada.post(f"{peers.path}/destroy").headers["location"] == "/?note=destroyed"
    assert ada.get(peers.path).status_code == 404
    assert not room.home.vault.has_key(peers.tape)


def test_the_desk_says_what_is_next_for_whom(room: Room, peers: Peers) -> None:
    ada, ben = room.signed_in(peers.ada), room.signed_in(peers.ben)
    assert "Who is who" in ada.get("/").text
    assert "reviews their own work first" in ben.get("/").text
    ada.post(f"{peers.path}/voices", {"interviewer": "S1"})
    assert "You first" in ada.get("/").text
    peers.opened()
    assert "Listen and code" in ben.get("/").text
    coach = room.signed_in(peers.coach)
    assert "Submit a tape" not in coach.get("/").text


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
