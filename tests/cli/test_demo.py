"""`tape-review demo`: a sample home is made once, and each run gives a new link."""

from __future__ import annotations

import re
from pathlib import Path
from unittest.mock import patch

import pytest
from sqlalchemy import select

from pipeline.settings import load
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
