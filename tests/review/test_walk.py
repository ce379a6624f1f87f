"""A real browser walks through the room: setup, invitation, a tape, the interviewer first, feedback, a meeting.

On every page: nothing is wider than the screen at 1280 and 390 pixels, axe finds no serious fault, and the console is
silent. ``TAPE_REVIEW_TEST_SCREENS=FOLDER`` keeps a picture of each page.
"""

from __future__ import annotations

import io
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyotp
import pytest
import soundfile

from pipeline import settings
from pipeline.review import app as application
from pipeline.review.access import invitations
from pipeline.tapes.clock import now
from pipeline.tapes.home import Home
from pipeline.tapes.records import Group, Person
from tests.review.coding.server import free_port, serving
from tests.review.conftest import PASSWORD, QUICK, Room
from tests.tapes.conftest import FakeClock

pytestmark = [pytest.mark.engines]

CHROMIUM = Path(os.environ.get("TAPE_REVIEW_TEST_CHROMIUM", "/usr/bin/chromium"))
FLAGS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
)
WIDTHS = (1280, 390)


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    if not CHROMIUM.exists():
        pytest.skip(f"there is no browser at {CHROMIUM}; TAPE_REVIEW_TEST_CHROMIUM names another")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as driver:
        made = driver.chromium.launch(executable_path=str(CHROMIUM), args=list(FLAGS))
        yield made
        made.close()


class Walker:
    """One person's browser, which looks closely at every page."""

    def __init__(self, chromium: Any, address: str, name: str) -> None:
        self.context = chromium.new_context(base_url=address, reduced_motion="reduce")
        self.page = self.context.new_page()
        self.name, self.faults = name, []  # type: ignore[var-annotated]
        self.page.on("console", lambda said: said.type == "error" and self.faults.append(f"console: {said.text}"))
        self.page.on("pageerror", lambda error: self.faults.append(f"script: {error}"))

    def go(self, path: str) -> None:
        self.page.goto(path)

    def press(self, name: str) -> None:
        self.page.get_by_role("button", name=name, exact=True).click()

    def fill(self, **fields: str) -> None:
        for name, value in fields.items():
            self.page.locator(f"[name={name}]").first.fill(value)

    def look(self, name: str) -> None:
        """Hold the page to what every page promises."""
        from axe_playwright_python.sync_playwright import Axe

        for width in WIDTHS:
            self.page.set_viewport_size({"width": width, "height": 900})
            wider = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
            if self.page.evaluate(wider) > 0:
                self.faults.append(f"{name} is wider than {width}")
            if folder := os.environ.get("TAPE_REVIEW_TEST_SCREENS"):
                self.page.screenshot(path=Path(folder) / f"{name}-{width}.png", full_page=True)
        found = Axe().run(self.page).response["violations"]
        serious = [one for one in found if one["impact"] in ("serious", "critical")]
        self.faults += [f"{name}: {one['id']} {[node['html'][:120] for node in one['nodes']]}" for one in serious]
        assert self.faults == []


def noise(seconds: int) -> bytes:
    file, samples = io.BytesIO(), np.random.default_rng(1).normal(0, 0.1, 16_000 * seconds)
    soundfile.write(file, samples, 16_000, format="FLAC", subtype="PCM_16")
    return file.getvalue()


def code(secret: str) -> str:
    return pyotp.TOTP(secret).at(time.time())


def test_a_group_s_way_through_the_room(chromium: Any, home: Home, tmp_path: Path) -> None:
    port = free_port()
    address = f"http://127.0.0.1:{port}"
    app = application.create(home, settings.load().settings, address=address, passwords=QUICK)
    with serving(app, port):
        ada, ben = Walker(chromium, address, "Ada"), Walker(chromium, address, "Ben")
        set_up(ada, home)
        invite(ada, ben)
        hand_in(ben, tmp_path)
        tape = ready(home)
        reflect(ben, tape)
        talk(ada, ben, tape)
        meet(ada, tape)
        grow(ben)


def set_up(ada: Walker, home: Home) -> None:
    link = invitations.setup_link(home, now())
    assert link
    ada.go("/login")
    ada.look("login")
    ada.go(link)
    ada.look("setup")
    ada.fill(name="Ada", email="ada@example.org", group="Tuesday peers", password=PASSWORD, again=PASSWORD)
    ada.press("Set up")
    ada.look("enroll")
    ada.fill(code=code(ada.page.locator(".secret code").inner_text()))
    ada.press("Set up")
    ada.look("desk-empty")
    assert "Hello, Ada" in ada.page.inner_text("body")


def invite(ada: Walker, ben: Walker) -> None:
    ada.go("/people")
    ada.fill(name="Ben", email="ben@example.org")
    ada.press("Invite")
    ada.look("people")
    ben.go(ada.page.locator(".use code").inner_text())
    ben.look("invitation")
    ben.fill(password=PASSWORD, again=PASSWORD)
    ben.press("Come in")


def hand_in(ben: Walker, folder: Path) -> None:
    page = ben.page
    page.get_by_role("link", name="Hand in a tape").click()
    ben.look("consent")
    ben.fill(target_behavior="drinking less alcohol", pseudonym="Robin")
    ben.press("Go on to the recording")
    ben.look("recording")
    (folder / "tape.flac").write_bytes(noise(40))
    page.set_input_files("[name=recording]", folder / "tape.flac")
    ben.press("Send it")
    page.wait_for_url("**/part")
    page.wait_for_selector("#part svg path")
    ben.look("part")
    ben.fill(end="0:30")
    ben.press("Start")
    ben.look("progress")
    assert "Waiting for its turn" in page.inner_text("body")
    assert page.evaluate("typeof htmx") == "object"
    with page.expect_response("**/progress", timeout=15_000) as polled:
        pass  # htmx asks by itself
    assert polled.value.status == 200


def ready(home: Home) -> str:
    """Another tape of Ben's, on which the machine has done its work."""
    with home.database.reading() as database:
        ben = database.query(Person).filter(Person.name == "Ben").one()
        group = database.query(Group).one().id
    return Room(home, FakeClock(now())).tape(group, ben.id)


def reflect(ben: Walker, tape: str) -> None:
    ben.go(f"/tapes/{tape}")
    ben.look("tape")
    ben.page.get_by_role("link", name="Listen", exact=True).click()
    ben.page.wait_for_url("**/voices")
    ben.faults.clear()  # this tape has no sound to play
    ben.look("voices")
    ben.press("Yes, this is the interviewer")
    ben.go(f"/tapes/{tape}/first")
    ben.look("first")
    ben.fill(well="I waited.", next="Reflect once more.")
    ben.page.get_by_label("4", exact=True).first.check()
    ben.press("I am done: open it to the group")
    ben.look("tape-open")
    ben.go(f"/tapes/{tape}/feedback")
    ben.fill(text="I waited, and the client went on.")
    ben.press("Add a strength")


def talk(ada: Walker, ben: Walker, tape: str) -> None:
    ada.go("/")
    ada.look("desk")
    ada.go(f"/tapes/{tape}/feedback")
    ada.fill(text="You reflected what mattered at 0:10.")
    ada.page.keyboard.press("Tab")
    ada.page.keyboard.press("Enter")
    ada.page.wait_for_selector("#suggestion")
    ada.page.locator("#suggestion").fill("Wait a little longer.")
    ada.press("Add the suggestion")
    ada.look("feedback")
    assert "You gave your one suggestion" in ada.page.inner_text("body")
    ben.go(f"/tapes/{tape}/feedback")
    ben.press("Close the round and see the summary")
    ben.look("summary")
    with ben.page.expect_download() as paper:
        ben.page.get_by_role("link", name="As a PDF").click()
    assert paper.value.suggested_filename.endswith(".pdf")


def meet(ada: Walker, tape: str) -> None:
    ada.go("/meetings")
    ada.look("meetings")
    ada.press("Plan it")
    ada.look("meeting")
    ada.page.locator("#tape_id").select_option(tape)
    ada.page.locator("form[action$='/tape'] button").click()
    ada.fill(notes="Bring the kettle.")
    ada.press("Keep the notes")
    assert ada.page.locator("#notes").input_value() == "Bring the kettle."
    ada.page.get_by_role("link", name="Tuesday peers").click()
    ada.look("group")


def grow(ben: Walker) -> None:
    ben.go("/growth")
    ben.look("growth")
    ben.press("share it with Ada")
    ben.go("/account")
    ben.look("account")
    ben.go("/nowhere")
    ben.faults.clear()  # the browser reports the 404 itself
    ben.look("problem")
    ben.go("/")
    ben.press("Sign out")
    assert "You are signed out." in ben.page.inner_text("body")
