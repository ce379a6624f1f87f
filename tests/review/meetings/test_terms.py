"""A group's own list of names and terms, from the form on its page to the recognizer of its tapes."""

from __future__ import annotations

import html

import pytest

from pipeline import settings
from pipeline.settings import Settings
from pipeline.tapes.db.records import AuditRow, Group
from pipeline.tapes.jobs import job_state, steps
from tests.review.conftest import Browser, Room
from tests.review.upload.test_chunked_uploads import Sender, sound
from tests.tapes.fakes import Fakes


@pytest.fixture
def sender(room: Room) -> Sender:
    return Sender(room)


def listed(browser: Browser, group: str) -> str:
    """What stands in the field on the group's page."""
    page = html.unescape(browser.get(f"/groups/{group}").text)
    return page.split('name="terms"', 1)[1].split(">", 1)[1].split("</textarea>", 1)[0].strip()


def part(sender: Sender) -> str:
    """A tape whose recording is here, so that its part can be chosen."""
    tape, whole = sender.draft(), sound()
    sender.put(tape, 0, whole, len(whole))
    return tape


def recognized(room: Room, tape: str) -> list[tuple[str, ...]]:
    """The names and terms of the engines with which a worker takes the tape's first step."""
    seen: list[tuple[str, ...]] = []

    def engines(chosen: Settings) -> Fakes:
        seen.append(chosen.transcription.terms)
        return Fakes(chosen)

    with room.home.database.writing() as session:
        job = job_state.latest(session, tape).id
        job_state.begin(session, job, "decode", room.clock(), 3)
    steps.perform(room.home, settings.load().settings, engines, job, "decode", lambda _: None, room.clock)
    return seen


def test_a_group_s_list_reaches_the_recognizer_with_the_tape_s_own_and_lies_sealed(room: Room, sender: Sender) -> None:
    ben = room.signed_in(room.person("Ben", sender.group))
    typed = "Suboxone, Presque Isle;\nSuboxone"
    assert ben.post(f"/groups/{sender.group}/terms", {"terms": typed}).status_code == 303
    assert listed(sender.browser, sender.group) == "Suboxone, Presque Isle"
    tape = part(sender)
    page = html.unescape(sender.browser.get(f"/tapes/{tape}/part").text)
    assert "Suboxone, Presque Isle" in page
    answer = sender.browser.post(f"/tapes/{tape}/part", {"start": "0:01", "end": "0:03", "terms": "Kowalski, Suboxone"})
    assert answer.status_code == 303
    assert recognized(room, tape) == [("Suboxone", "Presque Isle", "Kowalski")]
    lying = [path for path in room.home.folder.rglob("*") if path.is_file() and b"Presque" in path.read_bytes()]
    assert lying == []
    with room.home.database.reading() as database:
        assert database.query(AuditRow).filter(AuditRow.action == "group.terms", AuditRow.thing == sender.group).one()
    # The next tape has what the list says then; another group's has nothing of it.
    ben.post(f"/groups/{sender.group}/terms", {"terms": ""})
    assert listed(ben, sender.group) == ""
    later = part(sender)
    sender.browser.post(f"/tapes/{later}/part", {"start": "0:01", "end": "0:03"})
    assert recognized(room, later) == [()]
    with room.home.database.reading() as database:
        assert database.get_one(Group, sender.group).sealed_terms is None


def test_terms_of_a_tape_alone_reach_the_recognizer_of_a_worker(room: Room, sender: Sender) -> None:
    """They were read by the run, and its engines had the settings without them."""
    tape = part(sender)
    sender.browser.post(f"/tapes/{tape}/part", {"start": "0:01", "end": "0:03", "terms": "Kowalski"})
    assert recognized(room, tape) == [("Kowalski",)]


@pytest.mark.parametrize(
    "typed", [", ".join(f"term {number}" for number in range(61)), "x" * 61], ids=["too many", "too long"]
)
def test_a_list_that_is_too_long_is_refused_and_stays_in_the_form(room: Room, sender: Sender, typed: str) -> None:
    sender.browser.post(f"/groups/{sender.group}/terms", {"terms": "Suboxone"})
    refused = sender.browser.post(f"/groups/{sender.group}/terms", {"terms": typed})
    assert refused.status_code == 422
    assert "List at most 60 names and terms, each of at most 60 characters." in refused.text
    assert typed in refused.text
    assert listed(sender.browser, sender.group) == "Suboxone"


def test_a_tape_s_own_terms_count_with_those_of_the_group(room: Room, sender: Sender) -> None:
    many = ", ".join(f"term {number}" for number in range(59))
    sender.browser.post(f"/groups/{sender.group}/terms", {"terms": many})
    tape = part(sender)
    form = {"start": "0:01", "end": "0:03", "terms": "Kowalski, Nguyen"}
    refused = sender.browser.post(f"/tapes/{tape}/part", form)
    assert refused.status_code == 422
    assert "List at most 60 names and terms with the 59 that are listened for on every tape" in refused.text
    assert sender.browser.post(f"/tapes/{tape}/part", form | {"terms": "Kowalski, term 3"}).status_code == 303


def test_another_group_s_member_neither_sees_nor_changes_the_list(room: Room, sender: Sender) -> None:
    sender.browser.post(f"/groups/{sender.group}/terms", {"terms": "Suboxone"})
    eve = room.signed_in(room.person("Eve", room.group("Elsewhere")))
    assert eve.get(f"/groups/{sender.group}").status_code == 404
    assert eve.post(f"/groups/{sender.group}/terms", {"terms": "x"}).status_code == 404
    assert listed(sender.browser, sender.group) == "Suboxone"
