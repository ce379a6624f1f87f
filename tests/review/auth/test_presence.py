"""The question of a page whether it may stay."""

from __future__ import annotations

from pipeline.tapes.clock import MINUTE
from tests.review.conftest import Room


def test_a_page_that_asks_by_itself_keeps_nobody_signed_in(room: Room) -> None:
    browser = room.signed_in(room.person("Ada"))
    seen = []
    for _ in range(2):
        room.clock.advance(10 * MINUTE)
        seen.append(browser.get("/growth", headers={"X-Unattended": "1"}).status_code)
    assert seen == [200, 303]
