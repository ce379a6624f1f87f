"""The script that sends a recording in pieces: what a lost answer, a cut and another file do to it, in a browser."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from pipeline.review.auth.current_user import SESSION
from pipeline.review.upload import surveys
from pipeline.review.upload.surveys import Surveyed
from pipeline.run import part_suggestion
from pipeline.run.part_suggestion import SuggestedPart
from pipeline.run.progress import ignore
from pipeline.settings import load
from pipeline.tapes.jobs import suggestions
from tests.audio.sessions import leaking, voices, wav
from tests.review.coding.browser import PATIENCE, chromium, faults
from tests.review.coding.server import serving
from tests.review.conftest import Room
from tests.review.upload.test_chunked_uploads import Sender, sound, stored
from tests.review.upload.test_suggestion_routes import LONG
from tests.review.upload.test_two_files import dated
from tests.tapes.fakes import Fakes

pytestmark = pytest.mark.engines

BEGUN = 50_000
"""Bytes that arrive before a cut: more than the smallest of the other files has."""


def picked_with_handles(page: Any) -> None:
    """Thirty seconds: keys move by 1 and 60 s and never past the ends; the fields and the length follow."""
    start, end = page.locator("#start"), page.locator("#end")
    first, last = page.get_by_role("slider", name="Beginning of the part"), page.get_by_role("slider", name="End of")
    assert (start.input_value(), end.input_value()) == ("0:00", "0:30")
    first.press("ArrowRight")
    first.press("ArrowUp")
    last.press("ArrowLeft")
    assert (start.input_value(), end.input_value()) == ("0:02", "0:29")
    assert page.locator("#part-length").inner_text().startswith("Chosen: 0:27 of at most ")
    assert (last.get_attribute("aria-valuenow"), first.get_attribute("aria-valuetext")) == ("29", "0:02, chosen 0:27")
    first.press("PageUp")  # to the last second of the recording, and the end keeps a second after it
    assert (start.input_value(), end.input_value()) == ("0:29", "0:30")
    first.press("Home")
    last.press("PageDown")
    assert (start.input_value(), end.input_value()) == ("0:00", "0:01")
    last.press("End")
    assert (start.input_value(), end.input_value()) == ("0:00", "0:30")
    assert page.locator(".wave-axis span").all_inner_texts() == ["0:00", "0:05", "0:10", "0:15", "0:20", "0:25"]
    box = page.locator("#part svg").bounding_box()

    def drag(begin: float, stop: float) -> None:
        page.mouse.move(box["x"] + begin * box["width"], box["y"] + 20)
        page.mouse.down()
        page.mouse.move(box["x"] + stop * box["width"], box["y"] + 20, steps=4)
        page.mouse.up()

    def part() -> tuple[float, float]:
        return float(start.input_value().split(":")[1]), float(end.input_value().split(":")[1])

    peaks = page.context.request.get(page.locator("#part").get_attribute("data-peaks")).json()

    def snapped(seconds: float) -> Any:
        """The pause nearest to a moment, if it is at most 3 s away; the field has tenths."""
        near = min((pause / 1000 for pause in peaks["pauses"]), key=lambda pause: abs(pause - seconds))
        return pytest.approx(near if abs(near - seconds) <= 3 else seconds, abs=0.11)

    assert (snapped(24), snapped(15)) != (24, 15)  # else nothing below would show that a handle snaps
    drag(0.0, 0.8)  # the handle, to a pause near 24 s
    assert part() == (snapped(24), 30)
    drag(0.05, 0.5)  # across the waveform, from 1.5 s to 15 s, where no pause is near
    assert part() == (snapped(1.5), snapped(15))
    chosen = part()
    page.mouse.click(box["x"] + box["width"] / 5, box["y"] + 20)  # moves no handle: it says where to listen
    page.get_by_role("button", name="Play from here").click()
    page.evaluate(
        """new Promise((arrived) => { const sound = document.getElementById("part-sound");
        sound.addEventListener("timeupdate", () => sound.currentTime > 6 && arrived()); })"""
    )
    assert part() == chosen


class UploadPage:
    """Ada's browser at a draft; ``sent`` are the offsets of the pieces that it sent."""

    def __init__(self, room: Room, chromium: Any, address: str) -> None:
        self.room, self.sender = room, Sender(room)
        self.tape = self.sender.draft()
        self.context = chromium.new_context(base_url=address)
        self.context.set_default_timeout(PATIENCE)
        token = self.sender.browser.client.cookies[SESSION]
        self.context.add_cookies([{"name": SESSION, "value": token, "url": address}])
        self.page: Any = None
        self.sent: list[int] = []

    def open(self, fate: Callable[[Any], None] | None = None) -> None:
        """The page of the recording, anew; the first piece that it sends meets its ``fate``."""
        if self.page:
            self.page.close()
        self.page, self.sent = self.context.new_page(), []

        def met(route: Any) -> None:
            if route.request.method != "PUT":
                route.continue_()
                return
            self.sent.append(int(route.request.headers["upload-offset"]))
            if fate and len(self.sent) == 1:
                fate(route)
                route.abort()
            else:
                route.continue_()

        self.page.route("**/uploads/*", met)
        self.page.goto(f"/tapes/{self.tape}/recording")

    def choose(self, file: Path) -> None:
        self.page.get_by_label("Your recording").set_input_files(str(file))
        self.page.get_by_role("button", name="Upload").click()

    def cut(self, content: bytes) -> Callable[[Any], None]:
        """The fate of a piece of which only the beginning arrives."""
        return lambda _: self.put(content)

    def interrupt(self, file: Path) -> None:
        """Begin to send a file, and lose the connection."""
        self.open(self.cut(file.read_bytes()))
        self.choose(file)
        self.page.get_by_text("Trying again").wait_for()

    def put(self, content: bytes) -> None:
        assert self.sender.put(self.tape, 0, content[:BEGUN], len(content)).json()["offset"] == BEGUN

    def kept(self) -> bytes:
        """The recording that is here in the end."""
        self.page.wait_for_url("**/part")
        return stored(self.room, self.tape)


@pytest.fixture
def upload_page(room: Room) -> Iterator[UploadPage]:
    address, port = room.addressed()
    with serving(room.app, port), chromium() as browser:
        yield UploadPage(room, browser, address)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "a.wav"
    path.write_bytes(sound())
    return path


def test_a_lost_last_answer_sends_nothing_again(upload_page: UploadPage, file: Path) -> None:
    upload_page.open(lambda route: route.fetch())
    upload_page.choose(file)
    assert upload_page.kept() == file.read_bytes()
    assert upload_page.sent == [0]


def test_a_cut_piece_goes_on_on_the_same_page(upload_page: UploadPage, file: Path) -> None:
    upload_page.open(upload_page.cut(file.read_bytes()))
    upload_page.choose(file)
    assert upload_page.kept() == file.read_bytes()
    assert upload_page.sent == [0, BEGUN]


@pytest.mark.parametrize("seconds", [1.5, 3.0, 4.0])
def test_after_a_cut_only_the_same_file_goes_on(
    upload_page: UploadPage, file: Path, tmp_path: Path, seconds: float
) -> None:
    other = tmp_path / "b.wav"
    head, rest = sound(seconds)[:44], sound(seconds)[44:]
    other.write_bytes(head + rest[::-1])
    os.utime(other, (1, 1))
    upload_page.interrupt(file)
    upload_page.open()
    upload_page.choose(other)
    assert upload_page.kept() == other.read_bytes()
    assert upload_page.sent == [0]


def test_after_a_cut_the_same_file_goes_on_when_the_page_is_opened_again(upload_page: UploadPage, file: Path) -> None:
    upload_page.interrupt(file)
    upload_page.open()
    upload_page.choose(file)
    assert upload_page.kept() == file.read_bytes()
    assert upload_page.sent == [BEGUN]


def test_what_was_begun_in_another_browser_is_not_gone_on_with(upload_page: UploadPage, file: Path) -> None:
    upload_page.put(sound(4.0))
    upload_page.open()
    upload_page.choose(file)
    assert upload_page.kept() == file.read_bytes()
    assert upload_page.sent == [0]


def test_two_files_are_sent_put_together_and_heard_at_both_widths(upload_page: UploadPage, tmp_path: Path) -> None:
    """Thirty seconds of two people, a file each; the second begins two seconds later."""
    session = leaking(voices(30), -30)
    first, second = wav(tmp_path / "a.wav", session[0]), wav(tmp_path / "b.wav", session[1, 32_000:])
    upload_page.open()
    upload_page.choose(first)
    upload_page.page.wait_for_url("**/part")
    upload_page.page.get_by_role("link", name="Add it").click()
    upload_page.page.get_by_label("File 2").set_input_files(str(second))
    look(upload_page, "another")
    upload_page.page.get_by_role("button", name="Upload").click()
    upload_page.page.wait_for_url("**/files")
    upload_page.page.get_by_label("Who is in the first file?").select_option("The client")
    look(upload_page, "files")
    upload_page.page.get_by_role("button", name="Put them together").click()
    upload_page.page.wait_for_url("**/part")
    upload_page.page.locator("#part svg").wait_for()
    assert upload_page.page.get_by_text("s after the beginning of the first").is_visible()
    upload_page.page.get_by_role("button", name="Play the beginning").click()
    upload_page.page.evaluate(
        "new Promise((heard) => document.getElementById('part-sound').addEventListener('timeupdate', heard))"
    )
    assert upload_page.page.evaluate("Math.round(document.getElementById('part-sound').duration)") == 30
    look(upload_page, "part")
    picked_with_handles(upload_page.page)


def test_three_parts_are_sent_and_put_in_the_order_that_their_times_suggest(
    upload_page: UploadPage, tmp_path: Path
) -> None:
    """14:00:20, 14:00:00 and 14:00:45 with ten seconds each: the recorder was off for 10 and 15 seconds."""
    session = leaking(voices(30), -30)
    for number, clock in enumerate(("14:00:20", "14:00:00", "14:00:45")):
        sound_of_part = session[:, number * 160_000 : (number + 1) * 160_000]
        (tmp_path / f"{number}.wav").write_bytes(dated(sound_of_part, clock))
    upload_page.open()
    upload_page.choose(tmp_path / "0.wav")
    page = upload_page.page
    page.wait_for_url("**/part")
    page.get_by_role("link", name="Add it").click()
    for number in (1, 2):
        page.get_by_label(f"File {number + 1}").set_input_files(str(tmp_path / f"{number}.wav"))
        page.get_by_role("button", name="Upload").click()
        page.wait_for_url("**/files")
        if number == 1:
            page.get_by_role("link", name="Add another file").click()
    assert page.get_by_text("the order is file 2, file 1, file 3").is_visible()
    page.get_by_label("File 1 is the").select_option("second part")
    page.get_by_label("File 2 is the").select_option("first part")
    page.get_by_label("between the first and the second part").fill("10")
    page.get_by_label("between the second and the third part").fill("15")
    look(upload_page, "three-files")
    page.get_by_role("button", name="Put them together").click()
    page.wait_for_url("**/part")
    assert page.get_by_text("lasts 0:55").is_visible()
    look(upload_page, "three-files-part")


def look(upload_page: UploadPage, name: str) -> None:
    """Check the page at both widths; with the variable, keep pictures of it."""
    for width in (1280, 390):
        upload_page.page.set_viewport_size({"width": width, "height": 900})
        assert upload_page.page.evaluate("document.documentElement.scrollWidth") <= width
        if folder := os.environ.get("TAPE_REVIEW_TEST_SCREENS"):
            upload_page.page.screenshot(path=f"{folder}/{name}-{width}.png", full_page=True)
    assert faults(upload_page.page) == []


def test_a_suggested_part_moves_the_handles_and_what_was_typed_stays(
    upload_page: UploadPage, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(surveys, "of_files", lambda *given: Surveyed(LONG, None))
    upload_page.open()
    upload_page.choose(file)
    page, home, tape = upload_page.page, upload_page.room.home, upload_page.tape
    page.wait_for_url("**/part")
    page.clock.install()
    page.reload()
    page.get_by_label("Names and terms to listen for").fill("Suboxone")
    page.locator("#part svg").wait_for()
    page.get_by_role("button", name="Suggest a part").press("Enter")
    page.get_by_text("Waiting for the computer that processes tapes.").wait_for()
    suggestions.claim(home, "w1", upload_page.room.clock())
    page.clock.fast_forward(6000)
    page.get_by_text("is going through the recording.").wait_for()
    monkeypatch.setattr(part_suggestion, "suggested_part", lambda *given: SuggestedPart(750_000, 1_950_000, 31, 48))
    suggestions.perform(home, load().settings, Fakes, tape, ignore, upload_page.room.clock)
    page.clock.fast_forward(6000)
    link = page.get_by_role("link", name="Use 12:30–32:30")
    link.wait_for()
    look(upload_page, "suggestion")
    link.press("Enter")
    first = page.get_by_role("slider", name="Beginning of the part")
    assert first.get_attribute("aria-valuetext") == "12:30, chosen 20:00"
    assert page.evaluate("document.activeElement.getAttribute('aria-label')") == "Beginning of the part"
    assert (page.locator("#start").input_value(), page.locator("#end").input_value()) == ("12:30", "32:30")
    assert page.get_by_label("Names and terms to listen for").input_value() == "Suboxone"
