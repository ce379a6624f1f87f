"""The quiet timer of a meeting, in a browser whose clock is wrong."""

from __future__ import annotations

import pytest

from pipeline.review.auth.current_user import SESSION
from pipeline.tapes.clock import DAY, MINUTE
from pipeline.tapes.db.records import Meeting
from tests.review.coding.browser import PATIENCE, chromium, faults
from tests.review.coding.server import serving
from tests.review.conftest import Room
from tests.review.peers import Peers

pytestmark = pytest.mark.engines


def test_the_timer_follows_the_steps_by_the_server_s_clock_and_makes_no_sound(room: Room, peers: Peers) -> None:
    address, port = room.addressed()
    with room.home.database.writing() as database:
        meeting = Meeting(group_id=peers.group, at=room.clock() - 3 * MINUTE, minutes=90)
        database.add(meeting)
    with serving(room.app, port), chromium() as browser:
        context = browser.new_context(base_url=address, viewport={"width": 390, "height": 800})
        context.set_default_timeout(PATIENCE)
        token = room.app.state.context.sessions.start(peers.ada, room.clock(), second_factor=True)
        context.add_cookies([{"name": SESSION, "value": token, "url": address}])
        page = context.new_page()
        page.clock.install(time=(room.clock() - 5 * DAY) / 1000)
        page.goto(f"/meetings/{meeting.id}")
        timer, current = page.locator("#timer"), page.locator("tr[aria-current=step] strong")
        timer.get_by_text("Now: Check-in. 2 minutes left.").wait_for()  # five minutes, three of which are over
        assert current.text_content() == "Check-in"
        assert faults(page) == []
        page.clock.run_for(90_000)
        timer.get_by_text("Now: Check-in. 1 minute left.").wait_for()
        page.clock.run_for(31_000)
        timer.get_by_text("Now: The tape. 25 minutes left.").wait_for()
        assert current.all_text_contents() == ["The tape"]
        page.clock.fast_forward(86 * MINUTE)
        timer.get_by_text("The time of the meeting is over.").wait_for()
        assert current.count() == 0
        page.clock.fast_forward(61 * MINUTE)
        timer.wait_for(state="hidden")
        assert page.locator("audio").count() == 0
        context.close()
