"""The practice pages in a browser, by keyboard: a pass to the gold, and a skill practice that works offline."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from pipeline.tapes.home import Home
from tests.review.coding import browser, server
from tests.review.coding.test_coding_page import Stage, ready, sign_in, stored
from tests.review.conftest import Room, home_settings
from tests.tapes.conftest import FakeClock

pytestmark = pytest.mark.engines


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    home = Home.create(home_settings(tmp_path_factory.mktemp("practice") / "home"))
    room = Room(home, FakeClock())
    address, port = room.addressed()
    group = room.group()
    with browser.chromium() as chromium, server.serving(room.app, port):
        yield Stage(room, address, chromium, group, {"Ada": room.person("Ada", group)})
    home.close()


@pytest.fixture(params=[1280, 390])
def page(stage: Stage, request: pytest.FixtureRequest) -> Iterator[Any]:
    messages: list[str] = []
    context = stage.chromium.new_context(viewport={"width": request.param, "height": 800})
    context.set_default_timeout(browser.PATIENCE)
    sign_in(stage, context, "Ada")
    opened = context.new_page()
    opened.on("pageerror", lambda error: messages.append(str(error)))
    yield opened
    context.close()
    assert messages == []


def test_a_role_play_is_coded_by_keyboard_and_compared_with_the_gold(stage: Stage, page: Any) -> None:
    page.goto(f"{stage.address}/practice")
    assert browser.faults(page) == []
    page.locator("form[action$=roleplay-swapped] button").press("Enter")
    ready(page)
    # The first line is Carol's and neutral, the second David's greeting. No suggestion is shown.
    for key in ("0", "ArrowDown", "e"):
        page.keyboard.press(key)
    stored(page)
    assert page.locator(".chip.machine, #check:visible").count() == 0
    assert browser.faults(page) == []
    page.locator("form.lock button").press("Enter")
    page.get_by_role("button", name="Lock it").press("Enter")
    page.wait_for_selector("h1:has-text('You and the gold')")
    # 64 lines, of which 9 are mere sounds of listening or thinking and 2 a bare yes: 53 count. Two agree: 4 %.
    assert "You agree on 4 % of" in page.locator("main").inner_text()
    assert browser.faults(page) == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_a_skill_is_practiced_offline_and_nothing_is_kept(stage: Stage, page: Any) -> None:
    page.goto(f"{stage.address}/practice/skills")
    assert browser.faults(page) == []
    page.context.set_offline(True)
    page.fill("#observers", "7")
    page.locator("#deal").press("Enter")
    dealt = page.locator("#dealt li strong").all_text_contents()
    # Six tasks for seven observers: each once before any a second time.
    assert (len(dealt), len(set(dealt[:6])), len(set(dealt))) == (7, 6, 6)
    for name, times in (("open", 2), ("closed", 1), ("complex", 3)):
        for _ in range(times):
            page.locator(f"[data-tally={name}]").press("Enter")
    page.locator("[data-less=complex]").click()
    page.locator("[data-less=summary]").click()
    assert page.locator("#sums").text_content() == "Reflections: 2. Questions: 3."
    assert page.locator("[data-tally=summary] strong").text_content() == "0"
    page.locator("#start").press("Enter")
    page.wait_for_selector("#left:text-matches('^9:5')")
    assert page.locator("#start").text_content() == "Pause"
    with page.expect_download() as download:
        page.locator("#keep").click()
    assert "Open question,2\n" in download.value.path().read_text(encoding="utf-8")
    assert page.evaluate("[localStorage.length, sessionStorage.length]") == [0, 0]
    page.context.set_offline(False)
    page.reload()
    assert page.locator("[data-tally=open] strong").text_content() == "0"
