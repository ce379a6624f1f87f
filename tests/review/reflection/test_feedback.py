"""Feedback in its order and measure: strengths first, one suggestion, and taken back by who gave it."""

from __future__ import annotations

from pipeline.review.reflection.feedback import MOST
from pipeline.tapes.db.records import AuditRow, Form, Review
from tests.review.conftest import Room
from tests.review.peers import Peers


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
