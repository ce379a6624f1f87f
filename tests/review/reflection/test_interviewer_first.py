"""The interviewer first: forms that nobody else sees, and what is typed is kept."""

from __future__ import annotations

import re

from pipeline.review.reflection import questions
from pipeline.tapes.clock import MINUTE
from pipeline.tapes.db.records import AuditRow, Form, Tape
from tests.review.coding import shelf
from tests.review.conftest import Room
from tests.review.peers import Peers


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


def test_the_tape_stands_beside_the_questions_and_thanks_at_their_end(room: Room) -> None:
    group = room.group()
    ada, ben = (room.person(name, group) for name in ("Ada", "Ben"))
    spoken = shelf.talk(6, 1.0)
    path = f"/tapes/{shelf.put_tape(room.home, group, ada, room.clock(), 6, reviewed=False, utterances=spoken)}"
    browser = room.signed_in(ada)
    page = browser.get(f"{path}/first").text
    shown = re.findall(r'data-at="(\d+)"><a class="moment" href="([^"]+)">([\d:]+)</a>', page)
    assert shown == [
        (str(10_000 * number), f"{path}/moment?at={10_000 * number}", f"0:{number}0" if number else "0:00")
        for number in range(6)  # a minute in six equal parts
    ]
    assert f'src="{path}/sound"' in page
    assert all(utterance["text"] in page for utterance in spoken)
    assert browser.get(shown[3][1]).status_code == 200
    assert not any(utterance["code"] in page for utterance in spoken if "_" in utterance["code"])  # no suggestion
    with room.home.database.reading() as database:
        assert database.query(AuditRow).filter(AuditRow.action == "tape.show", AuditRow.thing == "first").count() == 1
    assert room.signed_in(ben).get(f"{path}/first").status_code == 404
    done = browser.post(f"{path}/first", {"step": "done", "well": "I waited."})
    page = browser.get(done.headers["location"]).text
    assert "Thank you for looking at your own work first. The group may now see the codes and measures." in page


def test_a_tape_from_text_has_its_transcript_beside_and_no_player(room: Room) -> None:
    group = room.group()
    ada = room.person("Ada", group)
    tape = shelf.put_tape(room.home, group, ada, room.clock(), 4, reviewed=False)
    with room.home.database.writing() as database:
        database.get_one(Tape, tape).from_text = True
    page = room.signed_in(ada).get(f"/tapes/{tape}/first").text
    assert "<audio" not in page
    assert ">#4</a>" in page
