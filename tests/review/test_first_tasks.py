"""Ten things that somebody wants on the first day, from the home page by what is written there, in so many clicks.

A field that is typed into, or a file that is chosen, counts as much as a click. The room's README.md has the table.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from pipeline.review.auth.current_user import SESSION
from tests.conftest import recording
from tests.gallery.furnished import Furnished, furnished
from tests.review.coding import browser, server

pytestmark = pytest.mark.engines

TAPE, TAPE_THAT_WAITS, TAPE_TO_WITHDRAW = "Finn with Wren", "Gwen with Lark", "Finn with Robin"


@dataclass
class FirstTimer:
    """Somebody at the home page, whose clicks and entries are counted."""

    page: Any
    count: int = 0

    def click(self, label: str, role: str = "link", within: Any = None) -> None:
        self.count += 1
        where = within or self.page
        browser.click(where.get_by_role(role, name=re.compile(rf"^{re.escape(label)}( ?:|$)")).first)

    def press(self, label: str) -> None:
        self.click(label, "button")

    def on_card(self, title: str, label: str = "") -> None:
        """Click on what a tape's card says; by itself on its title."""
        card = self.page.locator("li").filter(has=self.page.get_by_role("link", name=title, exact=True))
        self.click(label or title, within=card)

    def type(self, label: str, text: str) -> None:
        self.count += 1
        self.page.get_by_label(label, exact=True).first.fill(text)


class Day:
    """The room on its first day."""

    def __init__(self, stage: Furnished, chromium: Any, address: str) -> None:
        self.stage, self._chromium, self._address = stage, chromium, address

    def begins(self, name: str) -> FirstTimer:
        """Somebody opens the home page."""
        context = self._chromium.new_context(base_url=self._address, reduced_motion="reduce", accept_downloads=True)
        context.add_cookies([{"name": SESSION, "value": self.stage.session(name), "url": self._address}])
        context.set_default_timeout(30_000)
        page = context.new_page()
        page.goto("/")
        return FirstTimer(page)


@pytest.fixture(scope="module")
def day(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Day]:
    with furnished(tmp_path_factory.mktemp("first"), tapes=2) as stage:
        address, port = stage.room.addressed()
        with server.serving(stage.room.app, port), browser.chromium() as chromium:
            yield Day(stage, chromium, address)


def test_find_the_change_talk_at_the_turning_point(day: Day) -> None:
    ada = day.begins("Ada")
    ada.on_card(TAPE, f"Summary of {TAPE}")
    turn = ada.page.get_by_role("listitem").filter(has_text="it turned toward change talk").first
    ada.count += 1
    browser.click(turn.get_by_role("link"))
    assert ada.page.locator(".moment-lines .now").count() == 1
    assert ada.count <= 2


def test_mask_a_name(day: Day) -> None:
    finn = day.begins("Finn")
    finn.on_card(TAPE)
    finn.click("Names to mask")
    masks = finn.page.get_by_role("button", name="Mask it")
    before = masks.count()
    finn.count += 1
    browser.click(masks.first)
    assert masks.count() == before - 1
    assert finn.count <= 3


def test_withdraw_a_tape(day: Day) -> None:
    finn = day.begins("Finn")
    finn.on_card(TAPE_TO_WITHDRAW)
    finn.click("The client has withdrawn permission")
    finn.press("Withdraw and destroy it")
    assert "The permission is withdrawn" in finn.page.inner_text("main")
    assert finn.count <= 3


def test_invite_somebody(day: Day) -> None:
    ada = day.begins("Ada")
    ada.click("People")
    ada.type("Name", "Imani")
    ada.type("E-mail address", "imani@sample.invalid")
    ada.press("Invite")
    assert "Invitation for Imani" in ada.page.inner_text("main")
    assert ada.count <= 4


def test_hand_in_a_tape(day: Day) -> None:
    gwen = day.begins("Gwen")
    gwen.click("Submit a tape")
    gwen.type("The change that this session is about", "stopping smoking")
    gwen.type("A made-up word for the client", "Plover")
    gwen.press("Continue to the recording")
    gwen.page.set_input_files("[name=recording]", recording("roleplay-swapped"))
    gwen.count += 1
    gwen.press("Upload")
    gwen.page.wait_for_selector("#part svg path")
    gwen.press("Start")
    gwen.page.wait_for_selector("#progress")
    assert gwen.count <= 7


def test_see_why_two_coders_disagree(day: Day) -> None:
    ada = day.begins("Ada")
    ada.on_card(TAPE)
    ada.click("Continue together")
    ada.page.wait_for_selector("[data-ready]")
    # What each gave stands there at once; the third click plays it.
    codes = ada.page.locator(".place.current .opinion").all_inner_texts()
    assert len({code.splitlines()[-1] for code in codes}) > 1
    ada.press("Next disagreement")
    assert ada.count <= 3


def test_start_practice(day: Day) -> None:
    gwen = day.begins("Gwen")
    gwen.click("Code a calibration tape, or practice a skill")
    gwen.press("Code it")
    gwen.page.wait_for_selector("[data-ready]")
    assert gwen.count <= 2


def test_give_feedback_on_a_moment(day: Day) -> None:
    dan = day.begins("Dan")
    dan.on_card(TAPE)
    dan.click("Go to the feedback")
    dan.type("What was effective", "You waited, and she went on.")
    dan.type("Moment (optional)", "0:20")
    dan.press("Add a strength")
    dan.page.get_by_role("link", name="0:20").wait_for()
    assert dan.count <= 5


def test_download_the_summary(day: Day, tmp_path: Path) -> None:
    ada = day.begins("Ada")
    ada.on_card(TAPE, f"Summary of {TAPE}")
    with ada.page.expect_download() as download:
        ada.click("As a PDF")
    download.value.save_as(tmp_path / "summary.pdf")
    assert (tmp_path / "summary.pdf").read_bytes().startswith(b"%PDF")
    assert ada.count <= 2


def test_ask_for_a_second_coder(day: Day) -> None:
    """The coach codes a tape, too, once its permission says so."""
    label = "A coach may listen to it and code it too"
    gwen = day.begins("Gwen")
    gwen.on_card(TAPE_THAT_WAITS)
    gwen.click("change")
    gwen.page.get_by_label(label).uncheck()
    browser.click(gwen.page.get_by_role("button", name="Save"))
    gwen = day.begins("Gwen")
    gwen.on_card(TAPE_THAT_WAITS)
    gwen.click("change")
    gwen.count += 1
    gwen.page.get_by_label(label).check()
    gwen.press("Save")
    assert "a coach's check" in gwen.page.inner_text(".facts")
    assert gwen.count <= 4
