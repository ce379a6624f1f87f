"""The script that keeps what is typed: while somebody types, over the end of a session, and never while nobody does."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from pipeline.review.auth.current_user import SESSION
from pipeline.tapes.clock import MINUTE
from pipeline.tapes.db.records import Review
from tests.review.coding.browser import PATIENCE, chromium
from tests.review.coding.server import serving
from tests.review.conftest import PASSWORD, Room

pytestmark = pytest.mark.engines


class DraftPage:
    """Ada's browser at her tape."""

    def __init__(self, room: Room, chromium: Any, address: str) -> None:
        self.room, group = room, room.group()
        self.ada = room.person("Ada", group)
        self.path = f"/tapes/{room.tape(group, self.ada)}"
        self.context = chromium.new_context(base_url=address)
        self.context.set_default_timeout(PATIENCE)
        token = room.app.state.context.sessions.start(self.ada, room.clock(), second_factor=True)
        self.context.add_cookies([{"name": SESSION, "value": token, "url": address}])
        self.page = self.context.new_page()

    def type(self, words: str, field: str = "well") -> None:
        self.page.locator(f"[name={field}]").first.press_sequentially(words)

    def stored(self, field: str = "well") -> str:
        """What the server gives who opens the page, in a session of its own."""
        page = self.room.signed_in(self.ada).get(self.page.url.partition("?")[0]).text
        return page.partition(f'name="{field}"')[2].partition(">")[2].partition("</textarea>")[0]


@pytest.fixture
def draft_page(room: Room) -> Iterator[DraftPage]:
    address, port = room.addressed()
    with serving(room.app, port), chromium() as browser:
        yield DraftPage(room, browser, address)


def test_who_types_for_long_loses_nothing_and_stays_signed_in(draft_page: DraftPage) -> None:
    page = draft_page.page
    page.goto(f"{draft_page.path}/first")
    for words in ("I waited", ", and he went on"):
        draft_page.room.clock.advance(14 * MINUTE)
        with page.expect_response(lambda answer: answer.request.method == "POST"):
            draft_page.type(words)
    page.get_by_text("Saved at").wait_for()
    assert draft_page.stored() == "I waited, and he went on"
    asked: list[str] = []
    page.on("request", lambda request: "/here" in request.url or asked.append(request.url))
    page.wait_for_timeout(7000)
    assert asked == []  # nobody types


def test_a_session_that_ran_out_loses_nothing_that_was_typed(draft_page: DraftPage) -> None:
    page = draft_page.page
    page.goto(f"{draft_page.path}/first")
    draft_page.room.clock.advance(16 * MINUTE)
    draft_page.type("I waited")
    page.get_by_role("button", name="I am done").click()
    page.get_by_text("You are signed out").wait_for()
    assert page.input_value("#well") == "I waited"
    assert draft_page.stored() == ""
    with draft_page.context.expect_page() as opened:
        page.get_by_role("link", name="sign in in another tab.").click()
    opened.value.get_by_label("E-mail").fill("ada@example.org")
    opened.value.get_by_label("Password").fill(PASSWORD)
    opened.value.get_by_role("button", name="Sign in").click()
    opened.value.get_by_text("Hello, Ada").wait_for()
    page.bring_to_front()
    with page.expect_navigation():
        page.get_by_role("button", name="I am done").click()
    page.get_by_text("The group may now see").wait_for()
    assert draft_page.room.signed_in(draft_page.ada).get(f"{draft_page.path}/first").text.count("I waited") == 1
    with draft_page.room.home.database.reading() as database:
        assert database.query(Review).one().interviewer_done_at
    kept = page.evaluate("JSON.stringify([{ ...localStorage }, { ...sessionStorage }])")
    assert "waited" not in kept


def test_feedback_is_kept_until_it_is_said(draft_page: DraftPage) -> None:
    page = draft_page.page
    draft_page.room.signed_in(draft_page.ada).post(f"{draft_page.path}/first", {"step": "waive"})
    page.goto(f"{draft_page.path}/feedback")
    with page.expect_response("**/feedback/draft"):
        draft_page.type("I waited", "text")
    assert draft_page.stored("text") == "I waited"
    draft_page.type(" long", "text")
    with page.expect_navigation():
        page.get_by_role("button", name="Add a strength").click()
    assert page.get_by_text("I waited long").count() == 1
    assert draft_page.stored("text") == ""
