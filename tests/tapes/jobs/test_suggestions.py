"""A suggestion of a part: wanted once, made by one worker, given back, and gone with the recording; no words in it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from sqlalchemy import select, update

from pipeline import settings
from pipeline.errors import ConsentError, JobError
from pipeline.run import part_suggestion
from pipeline.run.part_suggestion import SuggestedPart
from pipeline.run.progress import ignore
from pipeline.settings import Settings
from pipeline.tapes.clock import now
from pipeline.tapes.consent import consent_form
from pipeline.tapes.db.records import AuditRow, Item, Tape, Worker
from pipeline.tapes.home import Home
from pipeline.tapes.jobs import recording_files, suggestions
from pipeline.tapes.jobs.suggestions import PartRequest, Suggested
from tests.tapes.fakes import TARGET, Fakes, group, submitted

MINUTE = 60_000
REQUEST = PartRequest(90 * MINUTE, 20 * MINUTE)
PART = SuggestedPart(12 * MINUTE, 32 * MINUTE, 9, 12)


@pytest.fixture
def chosen() -> Settings:
    return settings.load().settings


@pytest.fixture
def tape(home: Home, chosen: Settings, recording: Path) -> str:
    """A draft whose recording is here."""
    group(home)
    tape_id = submitted(home, chosen, recording)
    state(home, tape_id, "draft")
    return tape_id


def state(home: Home, tape_id: str, name: str) -> None:
    with home.database.writing() as session:
        session.execute(update(Tape).where(Tape.id == tape_id).values(state=name))


def want(home: Home, tape_id: str) -> None:
    suggestions.want(home, tape_id, "ada", REQUEST, now())


def kinds(home: Home, tape_id: str) -> list[str]:
    with home.database.reading() as session:
        rows = session.scalars(select(Item.kind).where(Item.tape_id == tape_id, suggestions.of_suggestion()))
        return sorted(rows)


@pytest.fixture
def guessing(monkeypatch: pytest.MonkeyPatch) -> list[tuple]:
    """`suggested_part` answers at once; the calls of it, without the sound."""
    calls: list[tuple] = []

    def suggested_part(file, duration, length, target, engines, progress):
        file.read(4)
        calls.append((duration, length, target, engines.settings.transcription.beam))
        return PART

    monkeypatch.setattr(part_suggestion, "suggested_part", suggested_part)
    return calls


def perform(home: Home, chosen: Settings, tape_id: str) -> None:
    suggestions.perform(home, chosen, Fakes, tape_id, ignore, now)


def test_a_suggestion_is_wanted_claimed_made_and_read(
    home: Home, chosen: Settings, tape: str, guessing: list[tuple]
) -> None:
    assert suggestions.current(home, tape) == Suggested("none")
    want(home, tape)
    assert suggestions.current(home, tape) == Suggested("waiting")
    assert suggestions.claim(home, "w1", now()) == tape
    assert suggestions.current(home, tape) == Suggested("working")
    perform(home, chosen, tape)
    assert suggestions.current(home, tape) == Suggested("done", PART)
    assert guessing == [(90 * MINUTE, 20 * MINUTE, TARGET, 1)]
    assert kinds(home, tape) == ["suggestion"]
    with home.database.reading() as session:
        assert "part.suggest" in session.scalars(select(AuditRow.action)).all()
        item = session.scalars(select(Item).where(Item.kind == "suggestion")).one()
    kept = json.loads(home.vault.read(item))
    assert kept == {"state": "done", "part": {"start": 720_000, "end": 1_920_000, "moments": 9, "all_moments": 12}}


def test_who_asks_twice_gets_one_and_another_one_only_after_the_first(
    home: Home, chosen: Settings, tape: str, guessing: list[tuple]
) -> None:
    want(home, tape)
    files = len(home.vault.files(tape))
    want(home, tape)
    assert len(home.vault.files(tape)) == files
    suggestions.claim(home, "w1", now())
    want(home, tape)
    assert kinds(home, tape) == ["suggestion:w1"]
    perform(home, chosen, tape)
    want(home, tape)
    assert kinds(home, tape) == ["suggestion:wanted"]


def test_one_worker_makes_it_and_a_dead_ones_is_taken_over(home: Home, tape: str) -> None:
    with home.database.writing() as session:
        session.add_all([Worker(id=name, beats=1, seen_at=1, queues="all") for name in ("w1", "w2")])
    want(home, tape)
    assert suggestions.claim(home, "w1", now()) == tape
    assert suggestions.claim(home, "w2", now()) is None
    with home.database.writing() as session:
        session.delete(session.get_one(Worker, "w1"))
    assert suggestions.claim(home, "w2", now()) == tape
    assert kinds(home, tape) == ["suggestion:w2"]


def test_one_that_cannot_be_read_keeps_no_other_waiting(
    home: Home, chosen: Settings, tape: str, recording: Path
) -> None:
    want(home, tape)
    other = submitted(home, chosen, recording)
    state(home, other, "draft")
    want(home, other)
    with home.database.reading() as session:
        item = session.scalars(select(Item).where(Item.tape_id == tape, suggestions.of_suggestion())).one()
    home.vault.remove(item)
    assert suggestions.claim(home, "w1", now()) == other


def test_a_worker_gives_back_only_what_it_has(home: Home, tape: str) -> None:
    want(home, tape)
    suggestions.claim(home, "w1", now())
    suggestions.give_back(home, tape, "w2", now())
    assert kinds(home, tape) == ["suggestion:w1"]
    suggestions.give_back(home, tape, "w1", now())
    assert kinds(home, tape) == ["suggestion:wanted"]


def test_what_failed_is_said_and_may_be_wanted_again(home: Home, tape: str) -> None:
    want(home, tape)
    suggestions.claim(home, "w1", now())
    suggestions.fail(home, tape, "w1", now())
    assert suggestions.current(home, tape) == Suggested("failed")
    want(home, tape)
    assert suggestions.current(home, tape) == Suggested("waiting")


def test_nothing_is_made_once_the_part_was_chosen_or_the_recording_taken_back(
    home: Home, chosen: Settings, tape: str, guessing: list[tuple]
) -> None:
    want(home, tape)
    suggestions.claim(home, "w1", now())
    suggestions.require(home, tape, "w1", now())
    state(home, tape, "queued")
    with pytest.raises(JobError):
        suggestions.require(home, tape, "w1", now())
    state(home, tape, "draft")
    with home.database.writing() as session:
        for item in session.scalars(select(Item).where(suggestions.of_suggestion())):
            session.delete(item)
    with pytest.raises(JobError):
        suggestions.require(home, tape, "w1", now())
    perform(home, chosen, tape)
    assert guessing == []
    assert kinds(home, tape) == []


def test_nothing_is_made_without_the_clients_permission(home: Home, tape: str) -> None:
    want(home, tape)
    suggestions.claim(home, "w1", now())
    with home.database.writing() as session:
        consent_form.withdraw(session, session.get_one(Tape, tape), now(), None)
    with pytest.raises(ConsentError):
        suggestions.require(home, tape, "w1", now())


def test_all_of_it_goes_when_the_segment_is_cut_out() -> None:
    assert all(
        recording_files.is_beside(kind) for kind in ("suggestion", "suggestion:wanted", "suggestion:w1", "times:2")
    )
    assert not recording_files.is_beside("asked")
