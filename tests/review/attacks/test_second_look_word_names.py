"""A peer who gives two corrections names that begin alike gives two words one name: a mask on it covers both."""

from __future__ import annotations

import pytest

from tests.review.attacks.test_04_masks import NAME, Peers, text, words
from tests.review.conftest import Room


@pytest.fixture
def peers(room: Room) -> Peers:
    return Peers(room)


def test_a_mask_on_a_name_that_two_words_have_covers_both(peers: Peers) -> None:
    word = words(peers.ada)[2]
    typed = {"replace": [word["id"]], "after": None, "with": ["Mister", f"{NAME}son"]}
    assert peers.ada.correct("text", "u0001", typed, id="samename-1").json() == {"refused": []}
    last = next(word["id"] for word in words(peers.ada) if word["text"] == f"{NAME}son")
    added = {"replace": [], "after": last, "with": ["and", "so"]}
    assert peers.ada.correct("text", "u0001", added, id="samename-2").json() == {"refused": []}
    alike = [word["id"] for word in words(peers.ivy) if word["text"] in (f"{NAME}son", "so")]
    assert alike[0] == alike[1]
    assert peers.ivy.correct("mask", "u0001", {"words": [alike[0]], "on": True}).json() == {"refused": []}
    assert NAME not in text(peers.ben)
    assert peers.sound(peers.ben, word["start"], word["end"]) == 0
