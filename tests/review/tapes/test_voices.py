"""Who is who on a tape: the interviewer decides, and figures of the wrong voice are left out."""

from __future__ import annotations

import io

from pypdf import PdfReader

from pipeline.tapes.db.records import Tape
from tests.review.conftest import Room
from tests.review.peers import Peers


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
