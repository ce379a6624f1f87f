"""What makes two hours of coding easy, walked in a browser: undo, search, two tabs, a reload, rows that are read."""

from __future__ import annotations

from typing import Any

import pytest

from tests.review.coding import browser
from tests.review.coding.test_coding_page import (
    Sit,
    Stage,
    begin,
    chips,
    current,
    lock,
    press,
    ready,
    sit,
    stage,
    stored,
    until,
)

__all__ = ["sit", "stage"]

pytestmark = pytest.mark.engines

FOCUSED = "document.activeElement.dataset.id"


def test_the_row_that_the_arrow_keys_reach_has_the_focus_and_keeps_it(stage: Stage, sit: Sit) -> None:
    """A screen reader reads what has the focus; a code that is given draws the row anew, and must not lose it."""
    page = sit("Ada")
    begin(stage, page, stage.tape())
    press(page, "ArrowDown", "ArrowDown")
    assert page.evaluate(FOCUSED) == "u0003"
    press(page, "r")
    assert page.evaluate(FOCUSED) == "u0003"
    row = "document.activeElement"
    assert page.evaluate(f"[{row}.role, {row}.ariaSelected, {row}.tabIndex].join()") == "row,true,0"
    assert page.evaluate("document.querySelectorAll('#transcript [tabindex=\"0\"]').length") == 1
    assert "Simple reflection" in page.evaluate(f"{row}.textContent")
    page.get_by_role("button", name="Next utterance").focus()
    press(page, "Enter")
    assert page.evaluate("document.activeElement.id") == "next"  # whoever presses a button stays there
    assert browser.faults(page) == []


def test_an_undo_says_what_it_undid_and_shows_where(stage: Stage, sit: Sit) -> None:
    page = sit("Ada")
    begin(stage, page, stage.tape(60, 5))
    press(page, "o", *["ArrowDown"] * 40)
    press(page, "Control+z")
    assert page.inner_text("#hint") == "Undone: Open question at 0:00."
    assert current(page) == "u0001"
    until(page, "document.querySelector('.utterance.current').getBoundingClientRect().top > 0")
    press(page, "Control+Shift+z")
    assert page.inner_text("#hint") == "Done again: Open question at 0:00."
    assert "Open question" in chips(page, "u0001")
    press(page, "Control+z", "Control+z")
    assert page.inner_text("#hint") == "There is nothing to undo."


def test_a_text_is_corrected_at_the_word_and_nothing_is_selected(stage: Stage, sit: Sit) -> None:
    page = sit("Ada")
    begin(stage, page, stage.tape())
    third = page.locator('[data-id="u0002"] .word').nth(2)
    words = page.locator('[data-id="u0002"] .word').all_text_contents()
    third.click()
    press(page, "Shift+e")  # this codebook has a code on "e"
    field = "document.querySelector('textarea.edit')"
    caret = len(" ".join(words[:2])) + 1
    assert page.evaluate(f"[{field}.selectionStart, {field}.selectionEnd]") == [caret, caret]
    page.keyboard.type("um, ")
    press(page, "Enter")
    assert page.text_content('[data-id="u0002"] .said').split()[:4] == [*words[:2], "um,", words[2]]
    assert page.evaluate(FOCUSED) == "u0002"


def test_one_utterance_changes_its_speaker_by_one_key(stage: Stage, sit: Sit) -> None:
    page = sit("Ada")
    begin(stage, page, stage.tape())
    press(page, "ArrowDown", "v")
    roles = [page.get_attribute(f'[data-id="u000{number}"]', "class").split()[1] for number in (1, 2, 3, 4)]
    assert roles == ["interviewer", "interviewer", "interviewer", "client"]
    stored(page)
    page.reload()
    ready(page)
    assert "interviewer" in page.get_attribute('[data-id="u0002"]', "class")
    assert "client" in page.get_attribute('[data-id="u0004"]', "class")


def test_a_reload_returns_to_the_place(stage: Stage, sit: Sit) -> None:
    page = sit("Ada")
    pass_id = begin(stage, page, stage.tape(60, 5))
    press(page, *["ArrowDown"] * 30, "ArrowRight")
    assert page.evaluate("JSON.stringify({ ...localStorage })") == "{}"  # the disk names no tape that is coded here
    before = page.evaluate("sound.currentTime")
    page.reload()
    ready(page)
    assert current(page) == "u0031"
    until(page, f"Math.abs(sound.currentTime - {before}) < .01")
    top = "document.querySelector('.utterance.current').getBoundingClientRect().top"
    until(page, f"0 < {top} && {top} < 800")
    page.on("dialog", lambda dialog: dialog.accept())
    page.get_by_role("button", name="Sign out").click()
    page.wait_for_url("**/login**")
    kept = page.evaluate("JSON.stringify([{ ...localStorage }, { ...sessionStorage }])")
    assert pass_id not in kept


def test_two_tabs_show_each_others_codes_and_neither_overwrites_unseen(stage: Stage, sit: Sit) -> None:
    left = sit("Ada", expected="ERR_INTERNET_DISCONNECTED")
    pass_id = begin(stage, left, stage.tape())
    right = left.context.new_page()
    right.goto(left.url)
    ready(right)
    press(left, "o")
    until(right, "document.querySelector('[data-id=u0001] .codes').textContent.includes('Open question')")
    # A tab that misses what the other did: its code is not stored, and not lost.
    right.evaluate("BroadcastChannel.prototype.postMessage = () => {}")
    press(right, "ArrowDown", "+")
    stored(right)
    press(left, "ArrowDown", "-")
    left.wait_for_selector("#clash-text:has-text('It now has Change talk. Yours was Sustain talk.')")
    assert "Change talk" in chips(left, "u0002")
    lock(left)
    left.wait_for_selector("#hint:has-text('decide first')")
    left.reload()
    ready(left)
    left.wait_for_selector("#clash-text:has-text('Yours was Sustain talk.')")  # still there
    assert browser.faults(left) == []
    left.get_by_role("button", name="Use mine").press("Enter")
    stored(left)
    assert "Sustain talk" in chips(left, "u0002")
    assert [event.codes for event in stage.events(pass_id)] == [["question_open"], ["change"], ["sustain"]]
    lock(left)
    left.wait_for_selector("text=This pass is locked")


def test_a_transcript_is_searched_by_keyboard(stage: Stage, sit: Sit) -> None:
    page = sit("Ada")
    begin(stage, page, stage.tape(60, 5))
    texts = [" ".join(each.split()).lower() for each in page.locator(".utterance .said").all_text_contents()]
    hits = [f"u{at + 1:04d}" for at, text in enumerate(texts) if "my sister lives" in text]
    assert len(hits) > 2
    press(page, "/")
    page.keyboard.type("MY  sister lives,")
    assert page.inner_text("#search-count") == f"{len(hits)} found"
    press(page, "Enter")
    assert current(page) == hits[0]
    press(page, "Enter")
    assert current(page) == hits[1]
    press(page, "Shift+Enter")
    assert (current(page), page.inner_text("#search-count")) == (hits[0], f"1 of {len(hits)}")
    assert page.locator(".utterance.match").count() == len(hits)
    press(page, "Escape")
    assert page.evaluate(FOCUSED) == hits[0]
    assert page.locator(".utterance.match").count() == 0
    press(page, "0")  # keys code again
    assert "neutral" in chips(page, hits[0])


def test_the_lock_asks_once_and_is_taken_back(stage: Stage, sit: Sit) -> None:
    page = sit("Ada")
    begin(stage, page, stage.tape())
    press(page, "o")
    page.get_by_role("button", name="Lock my pass").press("Enter")
    assert browser.faults(page) == []
    page.get_by_role("button", name="Not yet").press("Enter")
    assert page.get_by_role("button", name="Lock my pass").is_visible()
    lock(page)
    page.wait_for_selector("h3:has-text('Your tallies')")
    assert browser.faults(page) == []
    page.get_by_role("button", name="Take back the lock").press("Enter")
    page.wait_for_selector("button:has-text('Lock my pass')")
    ready(page)
    press(page, "q")
    stored(page)
    assert "Closed question" in chips(page, "u0001")


@pytest.mark.parametrize("size", [(640, 400), (390, 700), (1280, 800)])
def test_player_and_codes_stay_in_view(stage: Stage, sit: Sit, size: tuple[int, int]) -> None:
    """At 200 % zoom of a laptop, on a phone, and as usual: far down a long tape too."""
    page = sit("Ada")
    page.set_viewport_size({"width": size[0], "height": size[1]})
    begin(stage, page, stage.tape(60, 5))
    page.get_by_role("button", name="Larger text").click()
    press(page, *["ArrowDown"] * 30)
    until(page, f"document.querySelector('.utterance.current').getBoundingClientRect().bottom < {size[1]}")
    for selector in ("#play", "#code-buttons button:not(.other-role)", ".utterance.current"):
        box = page.locator(selector).first.bounding_box()
        assert box["y"] >= 0, selector
        assert box["y"] + min(box["height"], 20) <= size[1], selector
    room = page.evaluate(
        "() => { const row = document.querySelector('.utterance.current .said').getBoundingClientRect();"
        "const there = document.elementFromPoint(row.left + 10, row.top + 8);"
        "return Boolean(there?.closest('.utterance')); }"
    )
    assert room  # nothing lies over what is read
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    assert browser.faults(page) == []


def test_a_scroll_that_is_cut_short_still_brings_the_current_row_into_view(stage: Stage, sit: Sit) -> None:
    page = sit("Ada")
    page.set_viewport_size({"width": 640, "height": 400})
    begin(stage, page, stage.tape(60, 5))
    page.evaluate(
        """() => {
          const scroll = window.scrollBy.bind(window);
          window.scrollBy = (to) => {  // the first half of the way, once
            window.scrollBy = scroll;
            scroll({ ...to, top: to.top / 2 });
          };
        }"""
    )
    row = page.locator(".utterance").nth(6)
    row.evaluate("row => row.click()")
    assert current(page) == "u0007"
    until(page, "document.querySelector('.utterance.current').getBoundingClientRect().bottom < 352")


def test_the_size_of_the_text_is_kept(stage: Stage, sit: Sit) -> None:
    page: Any = sit("Ada")
    begin(stage, page, stage.tape())
    size = "parseFloat(getComputedStyle(document.querySelector('.utterance .said')).fontSize)"
    before = page.evaluate(size)
    for _ in range(3):
        page.get_by_role("button", name="Larger text").click()
    assert page.evaluate(size) == pytest.approx(2 * before)
    assert page.get_by_role("button", name="Larger text").is_disabled()
    page.reload()
    ready(page)
    assert page.evaluate(size) == pytest.approx(2 * before)


def test_a_note_is_a_key_a_line_and_enter_and_its_time_plays(stage: Stage, sit: Sit) -> None:
    page = sit("Ada")
    tape = stage.tape(60, 5)
    begin(stage, page, tape)
    press(page, *["ArrowDown"] * 3, "t")
    assert page.inner_text("#note-label") == "Note at 0:15"
    page.context.set_offline(True)
    page.keyboard.type("He smiles here, as at 1:00")
    assert browser.faults(page) == []
    press(page, "Enter")
    assert page.evaluate(FOCUSED) == "u0004"  # and keys code again
    assert page.inner_text("#notes") == "0:15 He smiles here, as at 1:00"
    page.context.set_offline(False)
    stored(page)
    page.reload()
    ready(page)
    page.get_by_role("button", name="0:15").click()
    until(page, "!sound.paused && sound.currentTime > 12")
    page.goto(f"{stage.address}/tapes/{tape}/notes")
    assert browser.faults(page) == []
    page.get_by_role("button", name="Share the note at 0:15").press("Enter")
    page.get_by_role("button", name="Stop sharing").wait_for()
    page.get_by_role("link", name="1:00").click()
    page.wait_for_selector(".moment-lines .now")
    until(page, "document.querySelector('audio').currentTime > 57")
    assert browser.faults(page) == []
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


def test_corrections_that_somebody_else_overtook_are_held_and_made_anew_by_hand(stage: Stage, sit: Sit) -> None:
    """Ada was offline, and closed the page, while Ben split and swapped the same utterances."""
    ada, ben = sit("Ada", expected="ERR_INTERNET_DISCONNECTED"), sit("Ben")
    tape = stage.tape()
    begin(stage, ada, tape)
    begin(stage, ben, tape)

    def split_and_swap(page: Any, word: int) -> None:
        page.locator('[data-id="u0004"] .word').nth(word).click()
        press(page, "x")
        page.locator('[data-id="u0006"] .word').first.click()
        press(page, "v")

    ada.context.set_offline(True)
    split_and_swap(ada, 2)
    address, context = ada.url, ada.context
    until(ada, "Object.keys(localStorage).length === 2")
    ada.close()
    split_and_swap(ben, 3)
    stored(ben)
    context.set_offline(False)
    again = context.new_page()
    again.goto(address)
    ready(again)
    again.wait_for_selector("#clash-text:has-text('at 0:13 was changed elsewhere. Yours was splitting an utterance.')")
    names = "[...document.querySelectorAll('[data-id^=u0004]')].map((each) => each.dataset.id).join(' ')"
    assert again.evaluate(names) == ben.evaluate(names)  # nothing of it happened
    assert "interviewer" in again.get_attribute('[data-id="u0006"]', "class")
    assert browser.faults(again) == []
    again.get_by_role("button", name="Go there").press("Enter")
    assert current(again) == "u0004"
    assert "“Split at the cursor”" in again.inner_text("#hint")
    press(again, "x")
    again.wait_for_selector("#clash-text:has-text('at 0:22 was changed elsewhere. Yours was a swap of the speakers.')")
    again.get_by_role("button", name="Leave it").press("Enter")
    assert again.locator("#clash").is_hidden()
    stored(again)
    again.reload()
    ready(again)
    words = again.locator('[data-id="u0004"] .word').count()
    assert (words, len(again.evaluate(names).split())) == (2, 3)
    assert "interviewer" in again.get_attribute('[data-id="u0006"]', "class")  # swapped once, by Ben
    assert again.locator("#clash").is_hidden()
