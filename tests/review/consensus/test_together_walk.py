"""Together in a browser: on the wall of a room, and apart on two members' own computers."""

from __future__ import annotations

from typing import Any

import pytest

from tests.review.coding import browser
from tests.review.coding.test_coding_page import Sit, Stage, begin, lock, press, ready, sit, stage, stored, until

__all__ = ["sit", "stage"]

pytestmark = pytest.mark.engines


def coded(stage: Stage, sit: Sit) -> tuple[str, Any, Any]:
    """A tape on which two coders differ in three utterances, and their pages on Together."""
    tape, pages = stage.tape(60, 5), []
    for name, code in (("Ada", "o"), ("Ben", "q")):
        page = sit(name, expected="Failed to load resource")
        begin(stage, page, tape)
        for _ in range(3):
            press(page, "ArrowDown", "ArrowDown", code)
        stored(page)
        lock(page)
        page.wait_for_selector("text=This pass is locked")
        pages.append(page)
    for page in pages:
        page.goto(f"{stage.address}/tapes/{tape}/together")
        ready(page)
    return tape, *pages


def test_the_room_view_shows_one_disagreement_large_with_names_masked_for_all(stage: Stage, sit: Sit) -> None:
    tape, page, _ = coded(stage, sit)
    wall = sit("Ivy")  # the interviewer's own computer is at the wall
    names = f"{stage.address}/tapes/{tape}/together"
    wall.goto(names)
    ready(wall)
    state = f"/tapes/{tape}/together/state?codebook=pretags"
    token = wall.get_attribute("meta[name=csrf]", "content")
    begin_pass = wall.request.post(
        f"{stage.address}/tapes/{tape}/coding", form={"task": "all", "codebook": "pretags", "csrf": token}
    )
    pass_url = begin_pass.url
    word = wall.request.get(f"{pass_url}/state").json()["utterances"][2]["words"][0]
    mask = {"id": "m1", "kind": "mask", "utterance_id": "u0003", "payload": {"words": [word["id"]], "on": True}}
    sent = wall.request.post(f"{pass_url}/changes", data={"changes": [mask]}, headers={"X-CSRF-Token": token})
    assert sent.json() == {"refused": []}
    wall.request.post(f"{pass_url}/lock", form={"csrf": token})
    wall.goto(names)
    ready(wall)
    assert word["text"] in wall.text_content('[data-id="u0003"] .said')
    wall.get_by_role("link", name="Room view").press("Enter")
    wall.wait_for_selector(".room")
    ready(wall)
    assert "▇▇▇" in wall.text_content('[data-id="u0003"] .said')
    assert (
        word["text"]
        not in wall.request.get(f"{stage.address}{state}&room=true").json()["places"][2]["words"][0]["text"]
    )
    assert wall.inner_text("#open-count") == "3 disagreements left"
    assert wall.locator("#places .place").count() == 1
    assert wall.locator("#places .lead-in.client").count() == 1  # what the client said before
    assert wall.evaluate("parseFloat(getComputedStyle(document.querySelector('.place .said')).fontSize)") >= 32
    box = wall.locator("#measures").bounding_box()
    assert 0 <= box["y"] < 600  # in sight
    assert browser.faults(wall) == []
    before = wall.get_attribute(".place.current", "data-id")
    press(wall, "o")
    wall.wait_for_selector("#open-count:has-text('2 disagreements left')")
    until(wall, f"document.querySelector('.place.current').dataset.id !== '{before}'")  # it goes on by itself
    press(wall, "Control+z")
    wall.wait_for_selector("#open-count:has-text('3 disagreements left')")
    for size in ((1280, 800), (640, 400), (390, 800)):
        wall.set_viewport_size({"width": size[0], "height": size[1]})
        assert wall.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), size
        assert browser.faults(wall) == []
    assert page.url == names


def test_members_apart_follow_one_place_vote_unseen_and_take_the_lead(stage: Stage, sit: Sit) -> None:
    _, ada, ben = coded(stage, sit)
    for page in (ada, ben):
        page.get_by_role("button", name="Together, apart").press("Enter")
        page.wait_for_selector("#voted:has-text('here')")
    ada.get_by_role("button", name="Take the lead").press("Enter")
    ben.wait_for_selector("#leader:has-text('Ada leads.')")
    press(ada, "n")
    utterance_id = ada.get_attribute(".place.current", "data-id")
    ben.wait_for_selector(f'.place.current[data-id="{utterance_id}"]')
    until(ben, "!sound.paused && Math.abs(sound.currentTime) > 0")
    assert "Closed question" not in ben.text_content(".place.current .opinions")  # until the votes are shown
    press(ben, "o")
    ada.wait_for_selector("#voted:has-text('1 voted')")
    assert ada.inner_text("#votes") == ""
    press(ada, "c")
    ada.wait_for_selector("#voted:has-text('2 voted')")
    assert browser.faults(ada) == []
    ada.get_by_role("button", name="Show the votes").press("Enter")
    ben.wait_for_selector("#votes:has-text('Complex reflection')")
    assert "Closed question" in ben.text_content(".place.current .opinions")
    press(ada, "o")  # now it settles
    ada.wait_for_selector("#open-count:has-text('2 disagreements')")
    ben.get_by_role("button", name="Take the lead").press("Enter")
    ada.wait_for_selector("#leader:has-text('Ben leads.')")
    press(ben, "n")
    utterance_id = ben.get_attribute(".place.current", "data-id")
    ada.wait_for_selector(f'.place.current[data-id="{utterance_id}"]')
