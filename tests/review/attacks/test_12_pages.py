"""A page that may no longer be seen goes, by itself, and another page is never shown inside of it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from pipeline.review.auth.current_user import SESSION
from pipeline.tapes.db.records import Person
from pipeline.tapes.home import Home
from pipeline.tapes.intake import submission
from tests.review.coding import browser, server, shelf
from tests.review.conftest import Room, home_settings
from tests.tapes.conftest import FakeClock

CLIENT = ("Robin", "drinking less")


class Stage:
    """A server, a browser, and an interviewer in front of both."""

    def __init__(self, room: Room, address: str, chromium: Any) -> None:
        self.room, self.address, self.chromium = room, address, chromium
        self.group = room.group()
        self.ivy = room.person("Ivy", self.group)

    def open(self, path: str) -> Any:
        """A page with a client's words, for somebody who is signed in."""
        context = self.chromium.new_context()
        context.set_default_timeout(15_000)
        token = self.room.app.state.context.sessions.start(self.ivy, self.room.clock(), second_factor=True)
        context.add_cookies([{"name": SESSION, "value": token, "url": self.address}])
        page = context.new_page()
        page.goto(self.address + path)
        assert any(word in page.content() for word in CLIENT)
        return page

    def withdraw(self, tape: str) -> None:
        with self.room.home.database.reading() as database:
            ivy = database.get_one(Person, self.ivy)
        submission.withdraw(self.room.home, tape, ivy, clock=self.room.clock)

    def sign_out(self) -> None:
        self.room.app.state.context.sessions.end_all(self.ivy)


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    home = Home.create(home_settings(tmp_path_factory.mktemp("pages") / "home"))
    room = Room(home, FakeClock())
    address, port = room.addressed()
    with browser.chromium() as chromium, server.serving(room.app, port):
        yield Stage(room, address, chromium)
    home.close()


def look(page: Any) -> None:
    """What a page does when it comes into sight again."""
    page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")


def nothing_is_left(page: Any) -> None:
    text = page.content()
    assert [word for word in CLIENT if word in text] == []
    assert page.locator("main").count() == 1
    assert page.locator("h1").count() == 1


Ending = Callable[[Stage, str], None]
ENDINGS: dict[str, tuple[Ending, str]] = {
    "signed out": (lambda stage, _: stage.sign_out(), "Sign in"),
    "withdrawn": (lambda stage, tape: stage.withdraw(tape), "You do not have access to this tape."),
}


@pytest.mark.engines
@pytest.mark.parametrize("ending", ENDINGS)
@pytest.mark.parametrize("state", ["ready", "running"])
def test_a_tapes_page_goes(stage: Stage, ending: str, state: Any) -> None:
    tape = stage.room.tape(stage.group, stage.ivy, state=state)
    page = stage.open(f"/tapes/{tape}")
    end, words = ENDINGS[ending]
    end(stage, tape)
    if state == "ready":  # a page of a tape at work asks every two seconds how far it is
        look(page)
    page.wait_for_selector(f"main :text('{words}')")
    nothing_is_left(page)
    page.context.close()


@pytest.mark.engines
@pytest.mark.parametrize("ending", ENDINGS)
@pytest.mark.parametrize("path", ["passes", "together"])
def test_a_coding_page_goes(stage: Stage, ending: str, path: str) -> None:
    tape = shelf.put_tape(stage.room.home, stage.group, stage.ivy, stage.room.clock())
    page = stage.open(f"/tapes/{tape}/coding")
    page.get_by_role("button", name="Start", exact=True).press("Enter")
    page.wait_for_selector("[data-ready]")
    if path == "together":
        page.get_by_role("button", name="Lock my pass").press("Enter")
        page.get_by_role("button", name="Lock it").press("Enter")
        page.wait_for_selector("text=This pass is locked")
        page.goto(f"{stage.address}/tapes/{tape}/together")
        page.wait_for_selector("[data-ready]")
    assert page.locator(".utterance, .word").count()
    end, words = ENDINGS[ending]
    end(stage, tape)
    page.wait_for_selector(f"main :text('{words}')")
    nothing_is_left(page)
    assert page.locator(".utterance, .word").count() == 0
    page.context.close()


@pytest.mark.engines
def test_the_way_back_shows_nothing_to_who_is_signed_out(stage: Stage) -> None:
    tape = stage.room.tape(stage.group, stage.ivy)
    page = stage.open(f"/tapes/{tape}")
    page.goto(f"{stage.address}/account")
    stage.sign_out()
    page.go_back()
    page.wait_for_url(re.compile("/login.next="))
    nothing_is_left(page)
    page.context.close()


@pytest.mark.engines
def test_what_is_typed_stays_while_one_signs_in_again(stage: Stage) -> None:
    page = stage.open(f"/tapes/{stage.room.tape(stage.group, stage.ivy)}/permission")
    page.fill("[name=method_told]", "shredded")
    stage.sign_out()
    with page.expect_response("**/here*") as answered:
        look(page)
    assert answered.value.status == 401
    page.wait_for_timeout(200)
    assert page.input_value("[name=method_told]") == "shredded"
    page.context.close()


def test_a_part_of_a_page_is_not_replaced_by_a_problem(room: Room) -> None:
    group = room.group()
    ivy = room.person("Ivy", group)
    tape = room.tape(group, ivy, state="running")
    part, asks = f"/tapes/{tape}/progress", {"X-Unattended": "1", "accept": "application/json"}
    member, stranger = room.signed_in(ivy), room.browser()
    assert f'data-follow="{part}"' in member.get(part, headers=asks).text
    for browser_, status in ((stranger, 401), (room.signed_in(room.person("Sam", room.group("Other"))), 404)):
        answer = browser_.get(part, headers=asks)
        assert (answer.status_code, "data-follow" in answer.text) == (status, False)


@pytest.mark.parametrize("signed_in", [True, False])
def test_who_asks_whether_the_page_may_stay_learns_no_more(room: Room, signed_in: bool) -> None:
    group = room.group()
    tape = room.tape(group, room.person("Ivy", group))
    member = room.signed_in(room.person("Ada", group))
    other = room.signed_in(room.person("Sam", room.group("Other"))) if signed_in else room.browser()
    asks = {"accept": "application/json"}
    assert member.get(f"/here?tape={tape}", headers=asks).status_code == 204
    missing = other.get("/here?tape=0123456789abcdef", headers=asks)
    hidden = other.get(f"/here?tape={tape}", headers=asks)
    assert (hidden.status_code, hidden.text) == (missing.status_code, missing.text)
    assert hidden.status_code == (404 if signed_in else 401)
    assert other.get("/here", headers=asks).status_code == (204 if signed_in else 401)
