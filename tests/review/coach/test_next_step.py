"""The coach's page says first what to do: a spot check, a talk, a code to talk about, or when to look again."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from pipeline import settings
from pipeline.review import app as application
from pipeline.review.coach.next_step import (
    LowAgreement,
    chart_findings,
    coding_pace,
    grown_stretch,
    lowest_agreement,
    next_visit,
)
from pipeline.review.coach.routes import EVERYONE
from pipeline.tapes.clock import DAY
from pipeline.tapes.db.records import CodeEvent, Pass, Person, Utterance
from pipeline.tapes.home import Home
from tests.review.coach.year import Year
from tests.review.coding.browser import PATIENCE, chromium, faults
from tests.review.coding.server import free_port, serving
from tests.review.conftest import QUICK, Room, home_settings
from tests.tapes.conftest import FakeClock


def spoken(role: str, *seconds: int) -> list[Utterance]:
    fields = {"tape_id": "t", "utterance_id": "u", "position": 0, "turn_id": "t", "speaker": "S1", "role": role}
    return [Utterance(**fields, start_ms=1000 * start, end_ms=1000 * start + 5000) for start in seconds]


def test_a_stretch_grows_until_a_chart_of_both_people_can_use_it() -> None:
    # The interviewer speaks once a minute, the client every 90 seconds: ten of the client need 15 minutes.
    utterances = spoken("interviewer", *range(0, 1800, 60)) + spoken("client", *range(10, 1800, 90))
    assert grown_stretch(utterances, 0, 300_000) == (0, 900_000)
    # From minute 25 on there are 5 minutes: it grows backward, by stretches.
    assert grown_stretch(utterances, 1_500_000, 1_800_000) == (900_000, 1_800_000)
    # Nine utterances of a client can never be ten: they hold nothing up.
    few = spoken("interviewer", *range(0, 600, 30)) + spoken("client", *range(0, 540, 60))
    assert grown_stretch(few, 0, 300_000) == (0, 300_000)


def test_the_next_visit_is_two_tapes_on() -> None:
    # Coded on days 0, 10, 30 and 40: gaps of 10, 20 and 10 days. After day 40 two tapes take 20 days.
    points = pd.DataFrame({"tape_id": list("aabcd"), "coded_at": [0, 1, 10 * DAY, 30 * DAY, 40 * DAY]})
    assert next_visit(points, 41 * DAY) == 60 * DAY
    assert next_visit(points, 60 * DAY) is None, "the pace so far is no longer the pace"
    assert next_visit(points.head(2), DAY) is None


def test_a_verdict_that_codes_differ_names_the_lowest_family() -> None:
    names = ["level", "comparison", "a", "name", "verdict", "alpha", "percent", "units"]
    rows = [
        ("family", "coder and coach", "Ben", "reflection", "differ: talk about it", 0.4, 0.7, 80),
        ("family", "coder and coach", "Ada", "client_talk", "differ: talk about it", 0.3, 0.6, 90),
        ("family", "members", "Ada", "question", "differ: talk about it", 0.1, 0.5, 90),
        ("family", "coder and coach", "Ada", "question", "not clear yet", 0.2, 0.5, 60),
        ("code", "coder and coach", "Ada", "change", "differ: talk about it", 0.0, 0.5, 60),
    ]
    table = pd.DataFrame(rows, columns=names)
    assert lowest_agreement(table) == LowAgreement("Ada", "client_talk", "change and sustain talk", 0.6, 90)
    assert lowest_agreement(table[2:]) is None


def test_people_come_before_the_machine() -> None:
    rows = [
        ("machine", "machine", "question", "drift", "It moved.", ""),
        ("Ben", "member", "question", "drift", "Ben moved.", "t1|t2"),
        ("Ada", "member", "question", "steady", "", ""),
    ]
    table = pd.DataFrame(rows, columns=["coder", "layer", "family", "state", "sentence", "tapes_to_discuss"])
    findings = chart_findings(table, {"t1": "One", "t2": "Two"})
    assert [finding.who for finding in findings] == ["Ben", "machine"]
    assert findings[0].tapes == (("t1", "One"), ("t2", "Two"))


@pytest.fixture(scope="module")
def visited(tmp_path_factory: pytest.TempPathFactory, made: tuple[Path, Year]) -> Iterator[Year]:
    """A copy of the year that this module's tests lead from one state to the next."""
    folder = tmp_path_factory.mktemp("visited") / "home"
    shutil.copytree(made[0], folder)
    home = Home.open(home_settings(folder))
    yield replace(made[1], room=Room(home, FakeClock()))
    home.close()


def text(page: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", "", page))


def first_section(page: str) -> str:
    section = re.search(r'(?s)<section class="first".*?</section>', page)
    assert section
    return section[0]


@pytest.fixture(scope="module")
def coach_page(visited: Year) -> Iterator[Any]:
    """The coach's page in a browser."""
    room, port = visited.room, free_port()
    address = f"http://127.0.0.1:{port}"
    made = application.create(room.home, settings.load().settings, clock=room.clock, address=address, passwords=QUICK)
    token = made.state.context.sessions.start(visited.people["Coco"], room.clock(), second_factor=True)
    with serving(made, port), chromium() as browser:
        context = browser.new_context(viewport={"width": 1280, "height": 900})
        context.add_cookies([{"name": "tape_review_session", "value": token, "url": address}])
        page = context.new_page()
        page.set_default_timeout(PATIENCE)

        def look() -> Any:
            page.goto(f"{address}/groups/{visited.group}/visit")
            wide = faults(page)
            page.set_viewport_size({"width": 390, "height": 844})
            assert page.evaluate("document.documentElement.scrollWidth") <= 390
            assert (wide, faults(page)) == ([], [])
            page.set_viewport_size({"width": 1280, "height": 900})
            return page

        yield look


def test_whose_coding_changed_comes_first(visited: Year, coach_page: Any) -> None:
    coach = visited.room.signed_in(visited.people["Coco"])
    page = coach.get(f"/groups/{visited.group}/visit").text
    first = first_section(page)
    assert "Talk to Ben." in text(first)
    assert 'href="/practice"' in first
    assert "We have recalibrated" in first
    assert "The group as a whole" not in first, "it moved because Ben did"
    assert "The group as a whole: reflections" in text(page[page.index("<h2>What else has changed") :])
    assert page.index('id="talked"') < page.index("<h2>Charts") < page.index("<summary>All figures")
    assert page.rindex("</table>") > page.index("<summary>All figures") > page.index("</section>")
    assert "<table" not in page[: page.index("<summary>All figures")]
    browser_page = coach_page()
    cell = browser_page.locator("details.figures table td").first
    assert not cell.is_visible()
    browser_page.emulate_media(media="print")
    assert cell.is_visible(), "paper has no folds"
    browser_page.emulate_media(media="screen")


def test_nothing_to_do_says_so_and_when_to_look_again(visited: Year, coach_page: Any) -> None:
    coach = visited.room.signed_in(visited.people["Coco"])
    coach.post(f"/groups/{visited.group}/recalibrated", {"person_id": visited.people["Ben"]})
    first = first_section(coach.get(f"/groups/{visited.group}/visit").text)
    assert "Nothing needs doing." in text(first)
    assert "Look again when you have both coded 2 more tapes" in text(first)
    assert "<form" not in first
    coach_page()


def test_before_six_tapes_there_is_one_paragraph_and_one_button(visited: Year, coach_page: Any) -> None:
    coach = visited.room.signed_in(visited.people["Coco"])
    coach.post(f"/groups/{visited.group}/recalibrated", {"person_id": EVERYONE})
    with visited.room.home.database.writing() as database:
        for coach_pass in database.query(Pass).filter(Pass.layer == "coach", Pass.tape_id != visited.tapes[0]):
            database.query(CodeEvent).filter(CodeEvent.pass_id == coach_pass.id).delete()
            database.delete(coach_pass)
        others = database.query(Pass).filter(Pass.layer == "member", Pass.tape_id == visited.tapes[0])
        for member_pass in others:
            member_pass.locked_at = visited.room.clock() + DAY
        coach_pass = database.query(Pass).filter(Pass.layer == "coach").one()
        # 60 utterances at 30 seconds each, and a night between the 31st and the 32nd that is no work.
        events = database.query(CodeEvent).filter(CodeEvent.pass_id == coach_pass.id).order_by(CodeEvent.at)
        for position, event in enumerate(events):
            event.at = coach_pass.started_at + 30_000 * position + (DAY if position > 30 else 0)
        database.flush()
        person = database.get_one(Person, visited.people["Coco"])
        # 58 gaps of 30 seconds over 59 utterances after the first.
        assert coding_pace(database, person) == pytest.approx(58 * 30_000 / 59)
    page = coach.get(f"/groups/{visited.group}/visit").text
    first = first_section(page)
    assert len(re.findall("<p>", first)) == 1
    button = re.search(r"<button>Code these (\d+) utterances, (\d+) minutes</button>", first)
    assert button
    assert "<svg" not in page, "no chart of one dot"
    tape = re.search(r'action="/tapes/([0-9a-f]{16})/coding"', first)
    assert tape
    window = re.search(r"minute (\d+):(\d\d) to (\d+):(\d\d) of", text(first))
    assert window
    start, end = (60 * int(window[at]) + int(window[at + 1]) for at in (1, 3))
    with visited.room.home.database.reading() as database:
        starts = [row.start_ms / 1000 for row in database.query(Utterance).filter(Utterance.tape_id == tape[1])]
    number = sum(start <= moment < end for moment in starts)
    assert int(button[1]) == number
    assert int(button[2]) == max(round(number * 58 * 30 / 59 / 60), round((end - start) / 60))
    coach_page()
    codebook = re.search(r'name="codebook" value="([^"]+)"', first)
    assert codebook
    begun = coach.post(f"/tapes/{tape[1]}/coding", {"task": "all", "codebook": codebook[1]}).headers["location"]
    assert re.fullmatch(rf"/tapes/{tape[1]}/passes/\w+", begun)
    first = first_section(coach.get(f"/groups/{visited.group}/visit").text)
    assert f'href="{begun}"' in first, "a pass that was begun is gone on with"
    assert "Code these" not in first


def test_a_group_that_coded_nothing_is_sent_to_practice(room: Room) -> None:
    group = room.group()
    coach = room.signed_in(room.person("Coco", group, role="coach"))
    first = first_section(coach.get(f"/groups/{group}/visit").text)
    assert "There is nothing to code yet" in text(first)
    assert 'class="button" href="/practice"' in first
