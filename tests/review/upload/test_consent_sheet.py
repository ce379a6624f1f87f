"""The sheet that a client signs: empty, with what is typed so far, and with what was written down."""

from __future__ import annotations

import html
import re

from pipeline.tapes.db.records import Tape
from tests.review.conftest import Room
from tests.review.peers import Peers

TYPED = {
    "pseudonym": "Sky",
    "target_behavior": "drinking less",
    "uses": ["group_review", "adapt_tagger"],
    "destroy_by": "2025-12-31",
    "signed_on": "2025-10-01",
    "signed_form": "written",
    "method": "key_and_paper",
    "people_named": "ben@example.org who@example.org",
}


def boxes(page: str) -> list[str]:
    """What is read out of each box: Yes or No."""
    return re.findall(r"<span class=\"unseen\">(Yes|No): </span>", page)


def test_an_empty_sheet_has_lines_to_write_on(room: Room, peers: Peers) -> None:
    page = room.signed_in(peers.ben).get("/consent-sheet").text
    assert boxes(page) == ["No"] * 3
    assert page.count('class="line"') == 5  # two for who, one for the day, two to sign on
    assert "I can take this permission back at any time" in page


def test_the_sheet_holds_what_is_typed_and_nothing_is_stored(room: Room, peers: Peers) -> None:
    ada = room.signed_in(peers.ada)
    form = TYPED | {"group_ids": [peers.group, "0123456789abcdef"], "group_id": peers.group}
    with room.home.database.reading() as database:
        before = database.query(Tape).count()
    page = html.unescape(ada.post("/consent-sheet", form).text)
    with room.home.database.reading() as database:
        assert database.query(Tape).count() == before
    names = re.search(r"Who may hear it</h2>\s*<ul>(.*?)</ul>", page, re.DOTALL)
    assert names
    assert re.findall(r"<li>(.*?)</li>", names[1]) == ["Tuesday peers", "Ben", "who@example.org"]
    assert boxes(page) == ["Yes", "No", "Yes"]
    assert "December 31, 2025" in page
    assert "the tape's key is destroyed, then its files and records; the signed paper is shredded." in page
    assert "Sky" not in page  # a made-up word on a signed paper would say whose it is
    assert "drinking" not in page
    assert page.count('class="line"') == 2


def test_a_sheet_of_a_tape_is_its_interviewer_s(room: Room, peers: Peers) -> None:
    page = room.signed_in(peers.ada).get(f"{peers.path}/permission/sheet").text
    assert boxes(page) == ["Yes", "Yes", "No"]
    assert "the key is destroyed." in page
    assert room.signed_in(peers.ben).get(f"{peers.path}/permission/sheet").status_code == 404


def test_the_form_asks_in_the_order_in_which_people_think(room: Room, peers: Peers) -> None:
    page = room.signed_in(peers.ada).get("/tapes/new").text
    order = ("Your recording", "The session", "Who may hear it", "Until when", "How it is destroyed", "The signature")
    at = [page.index(f">{title}<") for title in order]
    assert at == sorted(at)
    assert re.search(r'name="method" type="radio" value="key" checked', page)
    # Enter in a field presses a form's first button.
    assert page.index(">Continue to the recording<") < page.index(">Print a sheet for the client<")
