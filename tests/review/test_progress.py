"""The box on a tape's page that follows the machine's work, in a browser."""

from __future__ import annotations

import pytest

from pipeline.review.access.viewer import SESSION
from tests.review.coding import browser, server
from tests.review.conftest import Room

pytestmark = pytest.mark.engines


def test_the_focus_stays_in_the_button_while_the_box_is_replaced(room: Room) -> None:
    address, port = room.addressed()
    group = room.group()
    ivy = room.person("Ivy", group)
    tape = room.tape(group, ivy, state="running")
    token = room.app.state.sessions.start(ivy, room.clock(), second_factor=True)
    with browser.chromium() as chromium, server.serving(room.app, port):
        context = chromium.new_context(base_url=address)
        context.set_default_timeout(browser.PATIENCE)
        context.add_cookies([{"name": SESSION, "value": token, "url": address}])
        page = context.new_page()
        page.goto(f"/tapes/{tape}")
        page.get_by_role("button", name="Stop it").focus()
        for _ in range(2):
            page.evaluate("document.getElementById('progress').dataset.before = ''")
            page.wait_for_selector("#progress:not([data-before])")
            page.wait_for_selector("#stop-work:focus")
        context.close()
