"""The coding page and the group's page of a tape without sound, in a real browser as wide as a desk's and a phone's."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pipeline.review.auth.current_user import SESSION
from tests.review.coding import browser
from tests.review.coding.server import serving
from tests.review.conftest import Room
from tests.review.test_text_alone import coded, handed_in
from tests.review.upload.test_chunked_uploads import Sender
from tests.review.upload.test_transcript_routes import work

WIDTHS = (390, 1280)
SCREENS = os.environ.get("TAPE_REVIEW_TEST_SCREENS", "")

pytestmark = pytest.mark.engines


@pytest.fixture
def seat(room: Room) -> Iterator[tuple[Sender, Any]]:
    """Ada, and her browser at the room."""
    address, port = room.addressed()
    sender = Sender(room)
    with serving(room.app, port), browser.chromium() as chromium:
        context = chromium.new_context(base_url=address, reduced_motion="reduce")
        context.set_default_timeout(browser.PATIENCE)
        token = room.app.state.context.sessions.start(sender.ada, room.clock(), second_factor=True)
        context.add_cookies([{"name": SESSION, "value": token, "url": address}])
        page = context.new_page()
        messages: list[str] = []
        page.on("console", lambda message: message.type == "error" and messages.append(message.text))
        page.on("pageerror", lambda error: messages.append(str(error)))
        yield sender, page
        context.close()
        assert messages == []


def look(page: Any, name: str) -> None:
    """Nothing is wider than the screen, and axe finds no serious fault."""
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 900})
        assert page.evaluate("document.documentElement.scrollWidth") <= width, name
        assert browser.faults(page) == []
        if SCREENS:
            page.screenshot(path=str(Path(SCREENS) / f"{name}-{width}.png"), full_page=True)


def current(page: Any) -> str:
    return page.get_attribute(".utterance.current", "data-id")


def test_a_pass_without_sound_by_keyboard_alone(seat: tuple[Sender, Any]) -> None:
    sender, page = seat
    tape = handed_in(sender)
    work(sender.room, tape)
    for name, path in (("tape", ""), ("voices", "/voices"), ("lobby", "/coding")):
        page.goto(f"/tapes/{tape}{path}")
        look(page, f"text-{name}")
    page.locator("main form button").first.press("Enter")
    page.wait_for_selector("[data-ready]")
    assert page.locator("audio, canvas, #play, #clock, #speed").count() == 0
    assert [label.inner_text() for label in page.locator(".utterance .time").all()] == ["#1", "#2", "#3", "#4", "#5"]
    look(page, "text-coding")
    for key in ("o", "ArrowDown", "+", "n", "c"):
        page.keyboard.press(key)
    page.wait_for_selector('#saved[data-waiting="0"]')
    assert current(page) == "u0003"
    assert page.inner_text("#coded").startswith("3 of 5")
    page.keyboard.press("ArrowRight")  # the cursor stands on the first word until it is moved
    page.keyboard.press("ArrowRight")
    cursor = page.locator(".word.cursor").inner_text()
    assert cursor == "want"
    page.keyboard.press("x")
    page.wait_for_selector('#saved[data-waiting="0"]')
    assert page.locator(".utterance .time").last.inner_text() == "#6"
    page.keyboard.press("?")
    keys = page.inner_text("#keys-list")
    assert "Play" not in keys
    assert "play it" not in keys
    assert "Move the cursor one word forward" in keys


def test_the_group_settles_without_sound(seat: tuple[Sender, Any]) -> None:
    sender, page = seat
    tape, ada, ben = coded(sender)
    ada.lock()
    ben.lock()
    page.goto(f"/tapes/{tape}/together")
    page.wait_for_selector("[data-ready]")
    assert page.inner_text("#open-count") == "1 disagreement"
    assert page.locator(".place .time").all_inner_texts() == ["#3"]
    look(page, "text-together")
    page.keyboard.press("c")
    page.get_by_text("0 disagreements").wait_for()
    for name in ("summary", "names"):
        page.goto(f"/tapes/{tape}/{name}")
        look(page, f"text-{name}")
    page.goto("/growth")
    look(page, "text-growth")
