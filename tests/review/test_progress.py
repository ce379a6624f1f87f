"""The box on a tape's page that follows the machine's work, in a browser."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import Page

from pipeline.review.auth.current_user import SESSION
from pipeline.tapes.db.records import Tape
from tests.review.coding import browser, server
from tests.review.conftest import Room

pytestmark = pytest.mark.engines


@contextmanager
def on_the_page_of(room: Room, tape: str, ivy: str) -> Iterator[Page]:
    address, port = room.addressed()
    token = room.app.state.context.sessions.start(ivy, room.clock(), second_factor=True)
    with browser.chromium() as chromium, server.serving(room.app, port):
        context = chromium.new_context(base_url=address)
        context.set_default_timeout(browser.PATIENCE)
        context.add_cookies([{"name": SESSION, "value": token, "url": address}])
        page = context.new_page()
        page.goto(f"/tapes/{tape}")
        yield page
        context.close()


def test_the_focus_stays_in_the_button_while_the_box_is_replaced(room: Room) -> None:
    group = room.group()
    ivy = room.person("Ivy", group)
    with on_the_page_of(room, room.tape(group, ivy, state="running"), ivy) as page:
        page.get_by_role("button", name="Stop").focus()
        for _ in range(2):
            page.evaluate("document.getElementById('progress').dataset.before = ''")
            page.wait_for_selector("#progress:not([data-before])")
            page.wait_for_selector("#stop-work:focus")


def test_the_page_is_loaded_anew_once_the_work_has_ended(room: Room) -> None:
    group = room.group()
    ivy = room.person("Ivy", group)
    tape = room.tape(group, ivy, state="running")
    with on_the_page_of(room, tape, ivy) as page:
        page.wait_for_selector("#stop-work")
        with room.home.database.writing() as session:
            session.get_one(Tape, tape).state = "failed"
        page.get_by_role("button", name="Try again").wait_for()
        assert page.locator("#stop-work").count() == 0


def test_nothing_is_left_of_the_page_once_its_viewer_is_signed_out(room: Room) -> None:
    group = room.group()
    ivy = room.person("Ivy", group)
    with on_the_page_of(room, room.tape(group, ivy, state="running"), ivy) as page:
        page.wait_for_selector("#stop-work")
        room.app.state.context.sessions.end_all(ivy)
        page.wait_for_url(re.compile("/login.next="))
