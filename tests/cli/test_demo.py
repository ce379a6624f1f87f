"""`tape-review demo`: a sample home is made once, and each run gives a new link."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from unittest.mock import patch

import pytest
from sqlalchemy import select

from pipeline.errors import TapesError
from pipeline.settings import Settings, load
from pipeline.tapes import sample_group, simulated
from pipeline.tapes.db.records import Consent, Group, Tape
from pipeline.tapes.home import Home
from pipeline.tapes.jobs import worker as workers
from tests.cli.calls import run
from tests.cli.test_worker import Idle
from tests.tapes.fakes import two_voices


def test_a_second_run_keeps_the_tape_and_prints_another_link(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workers, "Worker", lambda home, settings: Idle(home, settings, "all"))
    monkeypatch.setattr(Idle, "queues", [], raising=False)
    monkeypatch.setattr("pipeline.cli._shared.job_watching.follow_jobs", lambda home, tape_id: None)
    recording, home = two_voices(tmp_path / "play.wav"), tmp_path / "home"
    command = ["demo", str(recording), "--target-behavior", "drinking less", "--home", str(home)]
    with patch("pipeline.audio.recording.decode"):
        printed = [run(*command).stdout for _ in range(2)]
    links = [re.search(r"works once: (\S+)", text)[1] for text in printed]  # type: ignore[index]
    assert links[0] != links[1]
    assert all(link.startswith("http://127.0.0.1:8787/invitation/") for link in links)
    assert f"serve --home {home}" in printed[0]
    opened = Home.open(load().settings.tapes.model_copy(update={"home": str(home)}))
    with opened.database.reading() as session:
        assert len(session.scalars(select(Group)).all()) == 1
        (tape,) = session.scalars(select(Tape))
        (consent,) = session.scalars(select(Consent))
        assert (consent.tape_id, consent.uses) == (tape.id, ["group_review", "coach_check"])
    opened.close()


def small_year(home: Home, loaded: Settings, moment: int, progress: Callable[[int], None]) -> None:
    """What `make_year` leaves of a year, as far as the command sees it."""
    with home.database.writing() as session:
        simulated.begin(session, moment, 1)
    with home.database.writing() as session:
        sample_group.add_group(session, moment)
        simulated.finish(session, moment)
    progress(1)


def test_a_year_is_made_once_and_each_run_prints_links(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipeline.review.demo_year.year.make_year", small_year)
    command = ["demo", "--year", "--home", str(tmp_path / "home")]
    printed = [run(*command) for _ in range(2)]
    assert [done.exit_code for done in printed] == [0, 0]
    links = [re.findall(r"http://127\.0\.0\.1:8787/invitation/\S+", done.stdout) for done in printed]
    assert [len(shown) for shown in links] == [2, 2]
    assert set(links[0]).isdisjoint(links[1])
    assert all(simulated.BANNER in done.stdout and "Kim, the coach" in done.stdout for done in printed)
    assert f"serve --home {tmp_path / 'home'}" in printed[0].stdout


def test_a_year_does_not_go_where_people_are(tmp_path: Path) -> None:
    folder = tmp_path / "home"
    home = Home.create(load().settings.tapes.model_copy(update={"home": str(folder)}))
    with home.database.writing() as session:
        sample_group.add_group(session, 1)
    home.close()
    with pytest.raises(TapesError, match="TR-K11 .*holds people"):
        run("demo", "--year", "--home", str(folder))


def test_an_interrupted_year_says_so(tmp_path: Path) -> None:
    folder = tmp_path / "home"
    home = Home.create(load().settings.tapes.model_copy(update={"home": str(folder)}))
    with home.database.writing() as session:
        simulated.begin(session, 1, 1)
    home.close()
    with pytest.raises(TapesError, match="TR-K11 .*interrupted"):
        run("demo", "--year", "--home", str(folder))


def test_a_year_takes_no_recording(tmp_path: Path) -> None:
    done = run("demo", "a.wav", "--target-behavior", "x", "--year", "--home", str(tmp_path / "home"))
    assert done.exit_code == 2
    assert not (tmp_path / "home").exists()
