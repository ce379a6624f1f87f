"""The simulated year: made the way of real use, and marked on every page."""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from pathlib import Path

import docx
import pytest
from pypdf import PdfReader
from sqlalchemy import func, select

from pipeline import settings
from pipeline.errors import TapesError
from pipeline.review.demo_year.year import AGREED, CODERS, INTERVIEWERS, YearMade, make_year, quiet
from pipeline.tapes import people, simulated
from pipeline.tapes.clock import now
from pipeline.tapes.db.records import (
    CalibrationPass,
    Feedback,
    Group,
    Job,
    Meeting,
    Pass,
    Recalibration,
    Review,
    Tape,
)
from pipeline.tapes.home import Home
from pipeline.tapes.retention import exports
from tests.review import routes
from tests.review.conftest import Room, home_settings
from tests.tapes.conftest import FakeClock


def test_everybody_codes_and_meets_as_real_people_do(simulated_home: tuple[Home, YearMade]) -> None:
    home, year = simulated_home
    with home.database.reading() as session:
        assert {tape.state for tape in session.scalars(select(Tape))} == {"ready"}
        assert {job.state for job in session.scalars(select(Job))} == {"done"}
        passes = Counter(
            (coder_pass.layer, coder_pass.locked_at is not None, coder_pass.blind)
            for coder_pass in session.scalars(select(Pass))
        )
        # Two tapes by three coders and the coach; the one that waits by two coders.
        assert passes == {("coach", True, True): 2, ("member", True, True): 8}
        assert all(review.interviewer_done_at for review in session.scalars(select(Review)))
        meetings = session.scalars(select(Meeting).order_by(Meeting.at)).all()
        assert [meeting.ended_at is not None for meeting in meetings] == [True, True, False]
        assert session.scalar(select(func.count(Feedback.id))) == 4
        assert session.scalar(select(func.count(CalibrationPass.id))) == len(CODERS)
        assert session.scalar(select(func.count(Recalibration.id))) == 0, "two tapes are too few for that"
        assert home.audit.verify(session) == ()
    assert len(year.tapes) == 3
    assert set(INTERVIEWERS).isdisjoint(coder.name for coder in CODERS)


def test_every_page_says_that_it_is_simulated(simulated_home: tuple[Home, YearMade]) -> None:
    home, year = simulated_home
    room = Room(home, FakeClock(now()))
    visitors = {name: room.signed_in(year.people[name]) for name in ("Kim", "Ada", "Ben")}
    with home.database.reading() as session:
        meeting = session.scalars(select(Meeting.id)).first()
        own_pass = session.scalars(select(Pass).where(Pass.person_id == year.people["Ada"])).first()
        practiced = session.scalars(select(CalibrationPass).where(CalibrationPass.person_id == year.people["Ada"]))
        assert own_pass
        ids = {
            "tape_id": own_pass.tape_id,
            "group_id": year.group_id,
            "pass_id": own_pass.id,
            "meeting_id": meeting or "",
            "person_id": year.people["Ada"],
            "calibration_pass_id": practiced.first().id,  # type: ignore[union-attr]
        }
    pages, unmarked = set(), []
    for call in routes.calls(room.app):
        if call.method != "GET":
            continue
        for address in call.addresses(ids):
            if "follow" in address.rpartition("/")[2]:
                continue  # a stream
            for browser in (*visitors.values(), room.browser()):
                answer = browser.get(address)
                if "<html" in answer.text:  # not a part that a page puts into itself
                    if answer.status_code == 200:
                        pages.add(call.path)
                    if simulated.BANNER not in answer.text:
                        unmarked.append((address, answer.status_code))
    assert unmarked == []
    assert {
        "/",
        "/login",
        "/meetings",
        "/practice",
        "/groups/{group_id}/visit",
        "/groups/{group_id}/agreement",
    } <= pages
    assert {"/tapes/{tape_id}", "/tapes/{tape_id}/passes/{pass_id}", "/tapes/{tape_id}/together"} <= pages
    assert len(pages) > 25


@pytest.mark.engines
def test_the_year_ends_with_somebody_to_talk_to_and_a_past_recalibration(tmp_path: Path) -> None:
    home = Home.create(home_settings(tmp_path / "home"))
    year = make_year(home, settings.load().settings, now())
    coach = Room(home, FakeClock(now())).signed_in(year.people["Kim"])
    page = re.sub(r"\s+", " ", re.sub(r"<[^>]+>", "", coach.get(f"/groups/{year.group_id}/visit").text))
    assert "What to do first Talk to Eve." in page
    assert "Eve: change and sustain talk" in page
    assert "So far: Dan, " in page
    assert f": {AGREED}" in page
    home.close()


def test_a_real_room_has_no_banner(room: Room) -> None:
    group = room.group()
    page = room.signed_in(room.person("Ada", group)).get("/").text
    assert 'class="banner"' not in page
    assert simulated.BANNER not in room.browser().get("/login").text


def test_what_is_exported_says_that_it_is_simulated(simulated_home: tuple[Home, YearMade], tmp_path: Path) -> None:
    home, year = simulated_home
    with home.database.reading() as session:
        interviewer = people.find(session, "ben@sample.invalid")
    exports.export(home, year.tapes[0], interviewer, tmp_path / "out", now())
    for name in ("report.html", "provenance.json", "simulated.txt"):
        assert "Simulated" in (tmp_path / "out" / name).read_text(encoding="utf-8"), name


def test_what_leaves_the_room_says_that_it_is_simulated(simulated_home: tuple[Home, YearMade], tmp_path: Path) -> None:
    home, year = simulated_home
    room = Room(home, FakeClock(now()))
    ada = room.signed_in(year.people["Ada"])
    with home.database.reading() as session:
        own_pass = session.scalars(select(Pass).where(Pass.person_id == year.people["Ada"])).first()
        assert own_pass
        path = f"/tapes/{own_pass.tape_id}/passes/{own_pass.id}"
        tape = f"/tapes/{own_pass.tape_id}"
    rows = list(csv.DictReader(io.StringIO(ada.get(f"{path}/codes.csv").text, newline="")))
    assert {row["simulated"] for row in rows} == {"true"}
    assert list(rows[0])[-1] == "simulated", "after the columns that every room writes"
    assert "NOTE Simulated" in ada.get(f"{path}/codes.vtt").text
    assert "(simulated)" in ada.get(f"{tape}/summary").text
    document = docx.Document(io.BytesIO(ada.get(f"{tape}/summary.docx").content))
    assert any("(simulated)" in paragraph.text for paragraph in document.paragraphs)
    pages = PdfReader(io.BytesIO(ada.get(f"{tape}/summary.pdf").content)).pages
    assert "(simulated)" in pages[0].extract_text()


def test_a_home_with_people_is_refused_and_stays_as_it_is(tmp_path: Path) -> None:
    home = Home.create(home_settings(tmp_path / "home"))
    with home.database.writing() as session:
        people.add_group(session, "Tuesday peers", now())
    with pytest.raises(TapesError, match="K11"):
        make_year(home, settings.load().settings, now(), tapes=1)
    with home.database.reading() as session:
        assert not simulated.is_simulated(session)
        assert len(session.scalars(select(Group)).all()) == 1
    home.close()


def test_nobody_is_written_to() -> None:
    loaded = settings.load().settings
    mail = loaded.mail.model_copy(update={"host": "mail.example.org"})
    assert quiet(loaded.model_copy(update={"mail": mail})).mail.host == ""
