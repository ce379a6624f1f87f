"""You first in a browser: one sitting, one screen at a time, with the tape beside the questions."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest

from pipeline.review.auth.current_user import SESSION
from pipeline.review.reflection.questions import SCREENS
from pipeline.tapes.db.records import Review
from tests.review.coding import shelf
from tests.review.coding.browser import PATIENCE, chromium, faults
from tests.review.coding.server import serving
from tests.review.conftest import Room

pytestmark = pytest.mark.engines

COUNT = len(SCREENS) + 2  # what went well, the questions, thanks


class Sitting:
    """Ada at her own tape, which nobody has reviewed."""

    def __init__(self, room: Room, chromium: Any, address: str) -> None:
        self.room, self.chromium, self.address = room, chromium, address
        group = room.group()
        self.ada = room.person("Ada", group)
        tape = shelf.put_tape(room.home, group, self.ada, room.clock(), 40, 2.0, reviewed=False)
        self.path = f"/tapes/{tape}/first"
        self.faults: list[str] = []

    def page(self, width: int = 1280, **given: Any) -> Any:
        context = self.chromium.new_context(base_url=self.address, viewport={"width": width, "height": 800}, **given)
        context.set_default_timeout(PATIENCE)
        token = self.room.app.state.context.sessions.start(self.ada, self.room.clock(), second_factor=True)
        context.add_cookies([{"name": SESSION, "value": token, "url": self.address}])
        page = context.new_page()
        page.on("console", lambda message: message.type == "error" and self.faults.append(message.text))
        page.on("pageerror", lambda error: self.faults.append(str(error)))
        page.goto(self.path)
        return page

    def stored(self, field: str) -> str:
        """What the server gives who opens the page, in a session of its own."""
        page = self.room.signed_in(self.ada).get(self.path).text
        return page.partition(f'name="{field}"')[2].partition(">")[2].partition("</textarea>")[0]

    def is_open(self) -> bool:
        with self.room.home.database.reading() as database:
            return database.query(Review).one().interviewer_done_at is not None


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with chromium() as made:
        yield made


@pytest.fixture
def sitting(room: Room, browser: Any) -> Iterator[Sitting]:
    address, port = room.addressed()
    with serving(room.app, port):
        made = Sitting(room, browser, address)
        yield made
        for context in browser.contexts:
            context.close()
    assert made.faults == []


def next_screen(page: Any) -> None:
    """Turn, and wait until it is done: the heading takes the focus, and a key that is pressed too early."""
    before = page.locator("[data-count]").text_content()
    page.get_by_role("button", name="Next").click()
    page.wait_for_function("before => document.querySelector('[data-count]').textContent !== before", arg=before)


def test_one_sitting_from_the_first_question_to_the_thanks(sitting: Sitting) -> None:
    page = sitting.page()
    heading = page.locator("[data-screen]:visible h2")
    assert heading.all_text_contents() == ["What went well"]
    page.locator("#well").press_sequentially("I waited")
    next_screen(page)
    assert heading.all_text_contents() == ["Trust and listening"]
    assert page.evaluate("document.activeElement.textContent") == "Trust and listening"  # where a screen reader goes on
    assert not page.get_by_role("button", name="I am done").is_visible()
    with page.expect_response(lambda answer: answer.request.method == "POST"):
        page.locator("#safety").press_sequentially("I asked first")
    page.get_by_text("Saved at").wait_for()
    assert (sitting.stored("well"), sitting.stored("safety")) == ("I waited", "I asked first")
    page.reload()
    assert heading.all_text_contents() == ["Trust and listening"]
    page.go_back()
    assert heading.all_text_contents() == ["What went well"]
    for number in range(2, COUNT + 1):
        next_screen(page)
        page.get_by_text(f"{number} of {COUNT}").wait_for()
    assert heading.all_text_contents() == ["Thank you"]
    assert not page.get_by_role("button", name="Next").is_visible()
    assert not sitting.is_open()
    page.get_by_role("button", name="I am done").click()
    page.get_by_text("Thank you for looking at your own work first.").wait_for()
    assert sitting.is_open()


@pytest.mark.parametrize("width", [1280, 390])
def test_each_screen_fits_without_scrolling(sitting: Sitting, width: int) -> None:
    page = sitting.page(width)
    assert faults(page) == []
    for number in range(2, COUNT):
        next_screen(page)
        page.get_by_text(f"{number} of {COUNT}").wait_for()
        for shown in (page.locator("[data-screen]:visible h2"), page.get_by_role("button", name="Next")):
            box = shown.bounding_box()
            assert box, number
            assert box["y"] >= 0, number
            assert box["y"] + box["height"] <= 800, number
    assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
    assert faults(page) == []


def test_the_transcript_plays_and_follows_while_the_screens_turn(sitting: Sitting) -> None:
    page = sitting.page()
    page.locator('.lines a:text-is("1:00")').click()  # the 21st of forty utterances in two minutes
    page.wait_for_function("document.querySelector('audio').currentTime >= 60")
    current = page.locator(".lines [aria-current]")
    current.wait_for()
    assert re.match(r"\s*1:0\d", current.text_content())
    next_screen(page)
    assert page.evaluate("document.querySelector('audio').currentTime") >= 60
    assert not page.evaluate("document.querySelector('audio').paused")
    page.evaluate("document.querySelector('audio').currentTime = 110")
    page.locator('.lines li[aria-current]:has-text("1:5")').wait_for()
    inside = """() => { const list = document.querySelector(".lines").getBoundingClientRect();
        const line = document.querySelector(".lines [aria-current]").getBoundingClientRect();
        return line.top >= list.top && line.bottom <= list.bottom; }"""
    page.wait_for_function(inside)
    page.evaluate("document.querySelector('audio').pause()")


def test_enter_in_a_rating_saves_and_opens_nothing(sitting: Sitting) -> None:
    """The form's first button was the one that opens the tape to the group."""
    page = sitting.page()
    page.fill("#well", "I waited")
    for _ in range(5):
        next_screen(page)
    with page.expect_navigation():
        page.locator("[name=rate-presence][value='4']").press("Enter")
    page.get_by_text("Saved.").wait_for()
    assert sitting.stored("well") == "I waited"
    assert not sitting.is_open()


def test_without_scripts_it_is_one_form(sitting: Sitting) -> None:
    page = sitting.page(java_script_enabled=False)
    assert page.locator("[data-screen]:visible").count() == COUNT
    assert not page.get_by_role("button", name="Next").is_visible()
    page.fill("#well", "I waited")
    page.fill("#next", "Wait longer")
    page.get_by_role("button", name="I am done").click()
    page.get_by_text("Thank you for looking at your own work first.").wait_for()
    assert sitting.stored("next") == "Wait longer"
