"""The interviewer first: forms that nobody else sees, and what is typed is kept."""

from __future__ import annotations

from pipeline.review.reflection import questions
from pipeline.tapes.clock import MINUTE
from pipeline.tapes.db.records import Form
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


def test_the_two_forms_ask_what_they_should() -> None:
    assert len(questions.REVIEW) == 8
    assert len([point for point in questions.APPRAISAL if not point.text.startswith("Spirit")]) == 12
    assert len([point for point in questions.APPRAISAL if point.text.startswith("Spirit")]) == 4  # the thirteenth
    assert questions.SCALE == (0, 1, 2, 3, 4, 5)
