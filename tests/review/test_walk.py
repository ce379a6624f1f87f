"""The whole way of a tape, as people live it: a browser each for Ada, Ben, Cleo and their coach Kim, before the program
that `tape-review serve` starts, on a minute of the bundled role-play that its worker really works on.

On every page: nothing is wider than the screen at 390 and 1280 pixels, axe finds no serious fault, and the console is
silent. On the coding pages no mouse is used. ``TAPE_REVIEW_TEST_SCREENS=FOLDER`` keeps a picture of each page.
"""

from __future__ import annotations

import io
import os
import re
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyotp
import pytest
from pypdf import PdfReader

from pipeline.review.reflection.questions import SCREENS
from pipeline.stages import STEP_LABELS
from tests.conftest import recording, tape_review
from tests.review.coding import browser
from tests.review.coding.browser import PATIENCE
from tests.review.coding.server import free_port
from tests.review.conftest import PASSWORD

pytestmark = [pytest.mark.engines, pytest.mark.timeout(3000)]

WIDTHS = (390, 1280)
WORK = 1200
"""Seconds that the worker may take for a minute of speech, by the same token."""


class Walker:
    """One person's browser, which looks closely at every page."""

    def __init__(self, chromium: Any, address: str) -> None:
        self.context = chromium.new_context(base_url=address, reduced_motion="reduce")
        self.context.set_default_timeout(PATIENCE)
        self.page = self.context.new_page()
        self.page.set_viewport_size({"width": WIDTHS[-1], "height": 900})
        self.faults: list[str] = []
        self.page.on(
            "console", lambda message: message.type == "error" and self.faults.append(f"console: {message.text}")
        )
        self.page.on("pageerror", lambda error: self.faults.append(f"script: {error}"))

    def go(self, path: str) -> None:
        self.page.goto(path)

    def press(self, name: str) -> None:
        browser.click(self.page.get_by_role("button", name=name, exact=True))

    def send(self, name: str) -> None:
        """Press a button below what was just typed, which the page first keeps."""
        with self.page.expect_navigation():
            self.press(name)

    def follow(self, name: str) -> None:
        browser.click(self.page.get_by_role("link", name=name, exact=True))

    def fill(self, **fields: str) -> None:
        for name, value in fields.items():
            self.page.locator(f"[name={name}]").first.fill(value)

    def keys(self, *keys: str) -> None:
        for key in keys:
            self.page.keyboard.press(key)

    def until(self, expression: str) -> None:
        """Wait until something holds on the page; its policy forbids what the driver would do itself."""
        deadline = time.monotonic() + PATIENCE / 1000
        while not self.page.evaluate(expression):
            assert time.monotonic() < deadline, expression
            self.page.wait_for_timeout(50)

    def status(self, path: str) -> int:
        return int(self.context.request.get(path, max_redirects=0).status)

    @property
    def text(self) -> str:
        return str(self.page.inner_text("body"))

    def look(self, name: str, whole: bool = True) -> None:
        """Hold the page to what every page promises."""
        for width in WIDTHS:
            self.page.set_viewport_size({"width": width, "height": 900})
            wider = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
            if self.page.evaluate(wider) > 0:
                self.faults.append(f"{name} is wider than {width}")
            if folder := os.environ.get("TAPE_REVIEW_TEST_SCREENS"):
                self.page.screenshot(path=Path(folder) / f"{name}-{width}.png", full_page=whole)
        self.faults += [f"{name}: {fault}" for fault in browser.faults(self.page)]
        assert self.faults == []


class Coding:
    """A coding page that was just opened: from here on there is no mouse."""

    def __init__(self, walker: Walker) -> None:
        self.walker, self.page = walker, walker.page
        self.page.wait_for_selector("[data-ready]")
        self.page.evaluate("window.moused = 0; addEventListener('mousedown', () => { window.moused += 1; })")

    @property
    def current(self) -> str:
        return str(self.page.get_attribute(".utterance.current", "data-id"))

    @property
    def rows(self) -> list[tuple[str, str, str]]:
        """(id, role, text) of each utterance."""
        read = """[...document.querySelectorAll(".utterance")].map((row) => [row.dataset.id,
            row.classList.contains("client") ? "client" : "interviewer", row.querySelector(".said").textContent])"""
        return [tuple(row) for row in self.page.evaluate(read)]

    def chips(self, utterance_id: str) -> str:
        return str(self.page.text_content(f'[data-id="{utterance_id}"] .codes'))

    def text_of(self, utterance_id: str) -> str:
        return str(self.page.text_content(f'[data-id="{utterance_id}"] .said'))

    def go(self, utterance_id: str) -> None:
        """With the arrows."""
        order = [name for name, _, _ in self.rows]
        way = order.index(utterance_id) - order.index(self.current)
        self.walker.keys(*["ArrowDown" if way > 0 else "ArrowUp"] * abs(way))
        assert self.current == utterance_id

    def stored(self) -> None:
        self.page.wait_for_selector('#saved[data-waiting="0"]')

    def lock(self) -> None:
        """With Tab and Enter."""
        self.stored()
        for _ in range(300):
            self.walker.keys("Tab")
            if self.page.evaluate("document.activeElement.textContent") == "Lock my pass":
                break
        assert self.page.evaluate("window.moused") == 0
        self.walker.keys("Enter", "Enter")  # it asks once
        self.page.wait_for_selector("text=This pass is locked")


@contextmanager
def serve(home: Path, folder: Path) -> Iterator[tuple[str, str]]:
    """The program with its worker; its address and the link that sets it up."""
    port, told = free_port(), folder / "serve.txt"
    patient = os.environ | {"TAPE_REVIEW_REVIEW__IDLE_MINUTES": "240"}
    with told.open("wb") as out:
        command = tape_review("serve", "--home", str(home), "--port", str(port))
        process = subprocess.Popen(command, stdout=out, stderr=subprocess.DEVNULL, env=patient)
        try:
            deadline = time.monotonic() + PATIENCE / 1000
            while (link := re.search(r"(http://\S+)(/invitation/\S+)\s", told.read_text())) is None:
                assert process.poll() is None, "it ended"
                assert time.monotonic() < deadline, told.read_text()
                time.sleep(0.1)
            yield link[1], link[2]
        finally:
            process.terminate()
            process.wait(60)


def test_the_whole_way_of_a_tape(tmp_path: Path, pristine: Path) -> None:
    shutil.copytree(pristine, tmp_path / "home")
    with serve(tmp_path / "home", tmp_path) as (address, link), browser.chromium() as chromium:
        ada, ben, cleo, kim = (Walker(chromium, address) for _ in range(4))
        set_up(ada, link)
        for walker, name, role in ((ben, "Ben", "member"), (cleo, "Cleo", "member"), (kim, "Kim", "coach")):
            invite(ada, walker, name, role)
        tape = hand_in(ben, "Robin", "0:50", coach=True)
        who_is_who(ben, tape, ada)
        closed = hand_in(ben, "Wren", "0:08", coach=False)
        first(ben, tape)
        disputed = code_blindly(ada, cleo, ben, tape)
        together(ada, cleo, ben, tape, disputed)
        code_what_is_dealt(cleo, tape)
        feedback(ada, ben, cleo, tape)
        meet(cleo, tape)
        grow(ada, ben, cleo)
        visit(kim, tape, closed, disputed)
        withdraw(ada, ben, tape)
        leave(ada)
        assert [walker.faults for walker in (ada, ben, cleo, kim)] == [[]] * 4


def set_up(ada: Walker, link: str) -> None:
    ada.go("/login")
    ada.look("login")
    ada.go(link)
    ada.look("setup")
    ada.fill(name="Ada", email="ada@example.org", group="Tuesday peers", password=PASSWORD, again=PASSWORD)
    ada.press("Set up")
    second_step(ada)
    ada.look("home-empty")
    assert "Hello, Ada" in ada.text


def second_step(walker: Walker) -> None:
    walker.page.wait_for_selector(".secret")
    walker.look("second-step")
    walker.fill(code=pyotp.TOTP(walker.page.inner_text(".secret code")).at(time.time()))
    walker.press("Set up")
    walker.page.wait_for_selector("text=Hello,")


def invite(ada: Walker, walker: Walker, name: str, role: str) -> None:
    ada.go("/people")
    ada.fill(name=name, email=f"{name.lower()}@example.org")
    ada.page.select_option("#role", role)
    ada.press("Invite")
    walker.go(ada.page.inner_text(".use code"))
    if name == "Ben":
        ada.look("people")
        walker.look("invitation")
    walker.fill(password=PASSWORD, again=PASSWORD)
    walker.press("Join")
    if role == "coach":
        second_step(walker)


def hand_in(ben: Walker, pseudonym: str, end: str, coach: bool) -> str:
    """Hand in a piece of the role-play, and follow the work on it; the tape's id."""
    page = ben.page
    ben.go("/")
    ben.follow("Submit a tape")
    ben.press("Continue to the recording")
    assert page.evaluate("document.activeElement.id") == "target_behavior"  # the browser asks for what is required
    ben.fill(target_behavior="drinking less alcohol", pseudonym=pseudonym)
    page.set_checked("#uses-coach_check", coach)
    if coach:
        ben.look("hand-in")
    ben.press("Continue to the recording")
    if coach:
        ben.look("recording")
    page.set_input_files("[name=recording]", recording("roleplay-alcohol"))
    ben.press("Upload")
    page.wait_for_selector("#part svg path")
    if coach:
        ben.press("Play the beginning")
        ben.until("document.getElementById('part-sound').currentTime > 0")
        page.evaluate("document.getElementById('part-sound').pause()")
        ben.look("part")
    ben.fill(end=end)
    ben.press("Start")
    page.wait_for_selector("#progress")
    if coach:
        ben.look("progress")
    # Nobody loads the page anew: it follows the work by itself.
    seen, deadline = "", time.monotonic() + WORK
    while "Next steps" not in (text := page.inner_text("#content")):
        assert time.monotonic() < deadline, text
        seen += text
        page.wait_for_timeout(500)
    assert any(words in seen for words in STEP_LABELS.values())
    return str(page.url.rpartition("/")[2])


def who_is_who(ben: Walker, tape: str, ada: Walker) -> None:
    ada.go(f"/tapes/{tape}")
    assert "reviews their own work first" in ada.text
    assert ada.status(f"/tapes/{tape}/coding") == 403
    ben.go(f"/tapes/{tape}")
    ben.look("tape")
    ben.follow("Listen")
    assert ben.page.locator("audio").count() >= 4
    seconds = ben.page.evaluate(
        "(async (clip) => { await clip.play(); clip.pause(); return clip.duration; })(document.querySelector('audio'))"
    )
    assert seconds > 40
    ben.look("who-is-who")
    before = ben.page.locator(".cards h2").all_inner_texts()
    ben.press("No, this one is the interviewer")
    ben.go(f"/tapes/{tape}/voices")
    swapped = ben.page.locator(".cards h2").all_inner_texts()
    assert [text.split()[0] for text in swapped] == [text.split()[0] for text in before][::-1]
    ben.press("No, this one is the interviewer")


def first(ben: Walker, tape: str) -> None:
    page = ben.page
    ben.go(f"/tapes/{tape}/first")
    assert page.locator("fieldset .scale").count() == 16  # twelve themes, and the spirit's four
    number = 0
    for turned, screen in enumerate(SCREENS, start=2):
        page.get_by_role("button", name="Next").click()
        page.get_by_text(f"{turned} of {len(SCREENS) + 2}", exact=True).wait_for()
        for field in page.locator("textarea[id]:not([id^=example-]):not(#well):visible").all():
            number += 1
            field.fill(f"Answer {number}.")
        if screen.rated:
            page.locator("[data-screen]:visible").get_by_label("4", exact=True).first.check()
        if screen.names[0] in ("safety", "presence"):
            ben.look(f"you-first-{screen.names[0]}")
    assert number == 8
    page.get_by_role("button", name="Next").click()
    ben.send("I am done. Open the tape to the group")
    page.wait_for_selector("[role=alert]")
    assert "what went well" in page.inner_text("[role=alert]")
    ben.faults.clear()  # the browser reports the 422 itself
    ben.fill(well="I waited after my questions.")
    page.evaluate(f"location.hash = '#screen-{len(SCREENS) + 2}'")
    page.check("#shown")
    ben.send("I am done. Open the tape to the group")
    page.wait_for_selector("text=The group may now see")
    ben.look("tape-open")


def begin(walker: Walker, tape: str) -> Coding:
    """Begin a pass by the link that the page offers."""
    browser.click(walker.page.locator(f"a[href='/tapes/{tape}/coding']").first)
    walker.page.wait_for_selector("text=What do you listen for?")
    walker.press("Start")
    return Coding(walker)


def code_blindly(ada: Walker, cleo: Walker, ben: Walker, tape: str) -> str:
    """Both code; where they differ."""
    ada.go("/")
    ada.look("home")
    ada.go(f"/tapes/{tape}/coding")
    ada.look("choose-a-task")
    cleo.go("/")
    ada.go("/")
    hers, mine = begin(cleo, tape), begin(ada, tape)
    ada.look("coding", whole=False)
    ada.keys("?")
    ada.look("keys", whole=False)
    ada.keys("Escape")
    asked, told = edit(ada, mine)
    cleo.until(f"document.querySelector('[data-id=\"{told}\"] .said').textContent.startsWith('Sure enough')")
    for coding, code in ((mine, "o"), (hers, "q")):
        coding.go(asked)
        coding.walker.keys(code)
        coding.go(told)
        coding.walker.keys("+")
    assert "Open question" in mine.chips(asked)
    assert "Closed question" in hers.chips(asked)
    assert cleo.status(f"/tapes/{tape}/together/state?codebook=pretags") == 403
    hers.lock()
    mine.lock()
    ada.follow("Global ratings")
    ada.look("ratings")
    return asked


def edit(ada: Walker, mine: Coding) -> tuple[str, str]:
    """Everything that a coder does with the keys; a question, and something that the client says."""
    page, sound = ada.page, "document.getElementById('sound')"
    rows = mine.rows
    long = [(name, role) for name, role, text in rows if len(text.split()) > 6]
    asked = next(name for name, role in long if role == "interviewer")
    told = next(name for name, role in long if role == "client")
    ada.keys("n")
    assert mine.current == rows[1][0]
    ada.until("document.querySelector('.word.heard') !== null")
    ada.keys(" ")
    ada.until(f"{sound}.paused")
    mine.go(told)
    ada.keys("+", "u")
    assert "unsure" in mine.chips(told)
    ada.keys("z")
    assert "unsure" not in mine.chips(told)
    ada.keys("Control+z", "Control+z")
    assert "Change talk" in mine.chips(told)
    ada.keys("Control+z")
    ada.keys("Shift+e")  # this codebook has a code on "e"
    ada.keys("Control+a")
    page.keyboard.type("Sure enough, that is what it is about")
    ada.keys("Enter")
    assert mine.text_of(told).startswith("Sure enough, that is")
    ada.keys(*["ArrowRight"] * 3, "x")
    halves = [name for name, _, _ in mine.rows if name.partition("~")[0] == told]
    assert len(halves) == 2
    assert mine.current == halves[1]
    ada.keys("m")
    assert [name for name, _, _ in mine.rows if name.partition("~")[0] == told] == [told]
    ada.keys("Control+z")
    assert len(mine.rows) == len(rows) + 1
    ada.keys("Control+z")
    assert len(mine.rows) == len(rows)
    ada.keys("s")
    assert {name: role for name, role, _ in mine.rows}[told] == "interviewer"
    ada.keys("Control+z")
    assert [row[:2] for row in mine.rows] == [row[:2] for row in rows]
    return asked, told


def together(ada: Walker, cleo: Walker, ben: Walker, tape: str, disputed: str) -> None:
    for walker in (ben, ada):
        walker.go(f"/tapes/{tape}")
        walker.follow("Continue together")
        walker.page.wait_for_selector("[data-ready]")
    page = ada.page
    assert page.inner_text("#open-count") == "1 disagreement"
    assert page.get_attribute(".place.current", "data-id") == disputed
    before = page.inner_text("#measures")
    ada.look("together", whole=False)
    ada.keys("b")
    ada.until("document.querySelector('.place.current.sounding') !== null")
    ada.keys("o")
    page.wait_for_selector("#open-count:has-text('0 disagreements')")
    assert page.inner_text("#measures") != before
    opinions = page.evaluate("""[...document.querySelectorAll(".place.current .opinion")].map(
        (one) => `${one.querySelector("dt").textContent}: ${one.querySelector(".chip > span").textContent}`)""")
    assert {"Ada: Open question", "Cleo: Closed question", "Together: Open question"} <= set(opinions)
    ada.look("together-settled", whole=False)
    ben.page.wait_for_selector("#open-count:has-text('0 disagreements')")  # his page follows
    assert ben.page.inner_text("#measures") == page.inner_text("#measures")


def code_what_is_dealt(cleo: Walker, tape: str) -> None:
    """Once more, for what the lot says."""
    cleo.go(f"/tapes/{tape}/coding")
    tasks = cleo.page.locator(".choice:has([name=task]) label").all_inner_texts()
    cleo.page.check("#task-deal")
    cleo.press("Start")
    hers = Coding(cleo)
    assert cleo.page.inner_text(".toolbar h1") in tasks[:-1]
    cleo.look("coding-dealt", whole=False)
    cleo.keys("n", " ", "u")
    assert "unsure" in hers.chips(hers.current)
    hers.lock()


def feedback(ada: Walker, ben: Walker, cleo: Walker, tape: str) -> None:
    path = f"/tapes/{tape}/feedback"
    ada.go(path)
    assert "The interviewer speaks first" in ada.text
    ada.look("feedback-waits")
    ben.go(path)
    ben.page.select_option("#person_id", label="Cleo")  # it was a real play
    ben.press("Save")
    ben.fill(text="I waited, and the client went on.")
    ben.send("Add a strength")
    ada.go(path)
    assert "The person who was the client speaks first" in ada.text
    for walker, words in ((cleo, "Your questions were short."), (ada, "You reflected what mattered.")):
        walker.go(path)
        assert walker.page.get_by_role("heading", name="Cleo, who was the client").count() == 1
        assert walker.page.locator("#suggestion").count() == 0  # strengths come first
        walker.fill(text=words)
        walker.send("Add a strength")
    ada.page.fill("#suggestion", "Wait a little longer.")
    ada.send("Add the suggestion")
    ada.page.wait_for_selector("text=You have given your one suggestion")
    ada.look("feedback")
    ben.go(path)
    ben.press("Close the round and see the summary")
    ben.page.wait_for_selector("text=As a PDF")
    ben.look("summary")
    paper = ben.context.request.get(f"/tapes/{tape}/summary.pdf").body()
    printed = " ".join(sheet.extract_text() for sheet in PdfReader(io.BytesIO(paper)).pages)
    for text in (ben.text, " ".join(printed.split())):
        comments = ("I waited after my questions.", "You reflected what mattered.", "Your questions were short.")
        assert all(words in text for words in (*comments, "Wait a little longer.", "drinking less alcohol"))
        assert text.index("You reflected") < text.index("Wait a little longer.")


def meet(cleo: Walker, tape: str) -> None:
    page = cleo.page
    cleo.go("/meetings")
    cleo.look("meetings")
    cleo.press("Plan the meeting")
    page.wait_for_selector(".agenda")
    roles = [page.eval_on_selector(f"#role-{at}", "box => box.selectedOptions[0].text") for at in (1, 2, 3)]
    assert len(set(roles)) == 3
    assert re.search("next tape comes from (Ada|Cleo)", cleo.text)
    page.select_option("#tape_id", tape)
    browser.click(page.locator("form[action$='/tape'] button"))
    cleo.fill(notes="Bring the kettle.")
    cleo.send("Save the notes")
    page.wait_for_selector("text=Saved.")
    assert page.input_value("#notes") == "Bring the kettle."
    cleo.look("meeting")
    browser.click(page.locator("main a[href^='/groups/']"))
    cleo.look("group")


def grow(ada: Walker, ben: Walker, cleo: Walker) -> None:
    ben.go("/growth")
    ben.press("Share with Ada")
    ben.page.wait_for_selector("text=Shared.")
    ben.look("growth")
    ada.go("/growth")
    ada.follow("Ben")
    ada.look("growth-shared")
    own_url = ada.page.url
    cleo.go("/growth")
    assert cleo.page.get_by_role("link", name="Ben").count() == 0
    assert cleo.status(own_url) == 404


def visit(kim: Walker, tape: str, closed: str, disputed: str) -> None:
    kim.go("/")
    assert "Ben with Robin" in kim.text
    assert "Ben with Wren" not in kim.text
    assert [kim.status(f"/tapes/{tape_id}") for tape_id in (tape, closed)] == [200, 404]
    browser.click(kim.page.get_by_role("link", name="Coach visit"))
    assert "Ben with Robin" in kim.text
    assert "Ben with Wren" not in kim.text
    kim.look("visit-before")
    kim.page.get_by_text("All figures", exact=True).click()
    hers = begin(kim, tape)
    hers.go(disputed)
    kim.keys("q")
    hers.lock()
    kim.go("/")
    browser.click(kim.page.get_by_role("link", name="Coach visit"))
    kim.page.get_by_text("All figures", exact=True).click()
    browser.click(kim.page.get_by_role("link", name="Play them").first)
    kim.look("pair")
    kim.follow("Back to the visit")
    kim.look("visit")


def withdraw(ada: Walker, ben: Walker, tape: str) -> None:
    """The client wants the tape back: it leaves even a page that is open."""
    ada.go(f"/tapes/{tape}/together")
    ada.page.wait_for_selector("[data-ready]")
    ben.go(f"/tapes/{tape}")
    ben.follow("The client has withdrawn permission")
    ben.look("withdraw")
    ben.press("Withdraw and destroy it")
    ben.page.wait_for_selector("text=The permission is withdrawn")
    ada.page.wait_for_selector("text=There is nothing here")
    ada.faults.clear()  # the browser reports the 404 itself


def leave(ada: Walker) -> None:
    ada.go("/program")
    ada.look("program")
    ada.go("/account")
    ada.look("account")
    ada.go("/nowhere")
    ada.faults.clear()  # the browser reports the 404 itself
    ada.look("not-found")
    ada.go("/")
    ada.press("Sign out")
    ada.page.wait_for_selector("text=You are signed out.")
