"""A suggested part on the page that picks it: wanted by a button, said in plain words, and used by a link."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from sqlalchemy import select

from pipeline.review.upload import surveys
from pipeline.review.upload.surveys import Survey, Surveyed
from pipeline.run import part_suggestion
from pipeline.run.part_suggestion import SuggestedPart
from pipeline.run.progress import ignore
from pipeline.settings import load
from pipeline.tapes.db.records import Item
from pipeline.tapes.jobs import suggestions
from tests.review.conftest import Room
from tests.review.upload.test_chunked_uploads import Sender, sound
from tests.tapes.fakes import Fakes

MINUTE = 60_000
LONG = Survey("0" * 64, 90 * MINUTE, 90 * MINUTE, (3, 9, 3))


@pytest.fixture
def survey(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every recording is taken for one of an hour and a half."""
    monkeypatch.setattr(surveys, "of_files", lambda *given: Surveyed(LONG, None))


@pytest.fixture
def sender(room: Room) -> Sender:
    return Sender(room)


def uploaded(sender: Sender) -> str:
    tape, whole = sender.draft(), sound()
    assert sender.put(tape, 0, whole, len(whole)).json()["done"]
    return tape


def words(sender: Sender, tape: str) -> str:
    """What the page says of a suggestion."""
    page = sender.browser.get(f"/tapes/{tape}/part").text
    match = re.search(r'id="suggestion-text"[^>]*>(.*?)</p>', page, re.DOTALL)
    return match[1].strip() if match else ""


def state(sender: Sender, tape: str) -> str:
    return sender.browser.get(f"/tapes/{tape}/part/suggestion").json()["state"]


def made(sender: Sender, tape: str, part: SuggestedPart | None, monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker makes the suggestion."""
    home, now = sender.room.home, sender.room.clock
    monkeypatch.setattr(part_suggestion, "suggested_part", lambda *given: part)
    assert suggestions.claim(home, "w1", now()) == tape
    assert "going through the recording" in words(sender, tape)
    suggestions.perform(home, load().settings, Fakes, tape, ignore, now)


@pytest.mark.usefixtures("survey")
def test_a_part_is_wanted_found_and_used_by_a_link(sender: Sender, monkeypatch: pytest.MonkeyPatch) -> None:
    tape = uploaded(sender)
    assert (words(sender, tape), state(sender, tape)) == ("Not sure which part?", "none")
    page = sender.browser.get(f"/tapes/{tape}/part").text
    assert "only times and counts are stored, no words" in page
    answer = sender.browser.post(f"/tapes/{tape}/part/suggestion")
    assert (answer.status_code, answer.headers["location"]) == (303, f"/tapes/{tape}/part#suggestion")
    assert (words(sender, tape), state(sender, tape)) == (
        "Waiting for the computer that processes tapes. You can choose a part yourself meanwhile.",
        "waiting",
    )
    made(sender, tape, SuggestedPart(750_000, 1_950_000, 31, 48), monkeypatch)
    assert state(sender, tape) == "done"
    assert words(sender, tape).startswith(
        "A small speech model guesses that 12:30–32:30 has the most change and sustain talk: 31 of the 48 moments"
    )
    page = sender.browser.get(f"/tapes/{tape}/part").text
    link = re.search(r'<a class="button second" href="([^"]+)"[^>]*>Use 12:30–32:30</a>', page)
    assert link
    used = sender.browser.get(link[1].replace("&amp;", "&")).text  # without scripts, the link fills the fields
    assert re.search(r'name="start"[^>]*value="12:30"', used)
    assert re.search(r'name="end"[^>]*value="32:30"', used)
    part = {"start": "12:30", "end": "32:30", "speakers": "2"}
    assert sender.browser.post(f"/tapes/{tape}/part", part).status_code == 303
    assert sender.browser.get(f"/tapes/{tape}/part/suggestion").status_code == 404


@pytest.mark.usefixtures("survey")
def test_where_there_is_hardly_any_change_talk_no_part_is_suggested(
    sender: Sender, monkeypatch: pytest.MonkeyPatch
) -> None:
    tape = uploaded(sender)
    sender.browser.post(f"/tapes/{tape}/part/suggestion")
    made(sender, tape, None, monkeypatch)
    assert words(sender, tape).startswith("A small speech model noticed hardly any change or sustain talk")


@pytest.mark.usefixtures("survey")
def test_another_recording_has_another_suggestion(sender: Sender) -> None:
    tape = uploaded(sender)
    sender.browser.post(f"/tapes/{tape}/part/suggestion")
    assert sender.browser.post(f"/tapes/{tape}/recording/discard").status_code == 303
    with sender.room.home.database.reading() as session:
        assert session.scalars(select(Item.kind).where(Item.tape_id == tape)).all() == []
    whole = sound()
    assert sender.put(tape, 0, whole, len(whole)).json()["done"]
    assert state(sender, tape) == "none"


def test_a_recording_of_one_part_has_nothing_to_suggest(sender: Sender, monkeypatch: pytest.MonkeyPatch) -> None:
    short = replace(LONG, duration=20 * MINUTE + 59_000, shown=20 * MINUTE + 59_000)
    monkeypatch.setattr(surveys, "of_files", lambda *given: Surveyed(short, None))
    tape = uploaded(sender)
    assert words(sender, tape) == ""
    assert sender.browser.post(f"/tapes/{tape}/part/suggestion").status_code == 404
    assert state(sender, tape) == "none"


@pytest.mark.usefixtures("survey")
def test_nobody_but_the_interviewer_has_the_recording_gone_through(sender: Sender) -> None:
    tape = uploaded(sender)
    stranger = sender.room.signed_in(sender.room.person("Ben", sender.group))
    assert stranger.post(f"/tapes/{tape}/part/suggestion", page="/account").status_code == 404
    assert stranger.get(f"/tapes/{tape}/part/suggestion").status_code == 404
    with sender.room.home.database.reading() as session:
        assert session.scalars(select(Item.kind).where(suggestions.of_suggestion())).all() == []
