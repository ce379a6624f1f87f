"""The thread that makes suggestions: while there is no job, one at a time, and it lets go at once."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event
from typing import Any

import pytest

from pipeline import settings
from pipeline.errors import AudioError
from pipeline.tapes.clock import now
from pipeline.tapes.db.records import Tape
from pipeline.tapes.home import Home
from pipeline.tapes.jobs import job_state, suggestions
from pipeline.tapes.jobs.engine_process import Outcome
from pipeline.tapes.jobs.suggestion_thread import SuggestionThread
from pipeline.tapes.jobs.suggestions import PartRequest, Suggested
from tests.tapes.fakes import group, submitted
from tests.tapes.jobs.worker_room import Room, ended


class Stub:
    """A runner without a process: what it does is up to the test."""

    def __init__(self, deed: Callable[[Callable[[], None]], Outcome]) -> None:
        self._deed, self.ended = deed, 0

    def do(self, tape_id: str, step: str, progress: Any, go_on: Callable[[], None]) -> Outcome:
        return self._deed(go_on)

    def end(self) -> None:
        self.ended += 1


@pytest.fixture
def tape(home: Home, recording: Path) -> str:
    """A draft for which a suggestion is wanted."""
    group(home)
    tape_id = submitted(home, settings.load().settings, recording)
    with home.database.writing() as session:
        session.get_one(Tape, tape_id).state = "draft"
    suggestions.want(home, tape_id, "ada", PartRequest(6000, 3000), now())
    home.settings = home.settings.model_copy(update={"heartbeat_seconds": 0.1})
    return tape_id


@contextmanager
def running(home: Home, runner: Any, busy: Event | None = None) -> Iterator[Event]:
    ended = Event()
    is_busy = busy.is_set if busy else lambda: False
    thread = SuggestionThread(home, "w1", lambda: runner, is_busy, ended, now)
    thread.start()
    try:
        yield ended
    finally:
        ended.set()
        thread.join()


def until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def waits(go_on: Callable[[], None]) -> Outcome:
    """As long as it goes on."""
    while True:
        go_on()
        time.sleep(0.01)


def is_state(home: Home, tape: str, state: str) -> Callable[[], bool]:
    return lambda: suggestions.current(home, tape).state == state


def test_no_suggestion_is_begun_while_there_is_a_job_and_one_gives_way_to_a_job(home: Home, tape: str) -> None:
    busy, runner = Event(), Stub(waits)
    busy.set()
    with running(home, runner, busy):
        time.sleep(0.2)
        assert suggestions.current(home, tape) == Suggested("waiting")
        busy.clear()
        until(is_state(home, tape, "working"))
        busy.set()
        until(is_state(home, tape, "waiting"))
        until(lambda: runner.ended == 1)


def test_a_worker_that_stops_gives_its_suggestion_back(home: Home, tape: str) -> None:
    with running(home, Stub(waits)):
        until(is_state(home, tape, "working"))
    assert suggestions.current(home, tape) == Suggested("waiting")


@pytest.mark.parametrize(
    "outcome", [Outcome(failure="it ended"), Outcome(error=AudioError("A14", "recording", "takes long", "export it"))]
)
def test_what_cannot_be_made_is_said_and_not_tried_for_ever(home: Home, tape: str, outcome: Outcome) -> None:
    runner = Stub(lambda go_on: outcome)
    with running(home, runner):
        until(is_state(home, tape, "failed"))
        time.sleep(0.1)
    assert runner.ended == 1


def test_a_suggestion_that_nobody_wants_anymore_ends(home: Home, tape: str) -> None:
    runner = Stub(waits)
    with running(home, runner):
        until(is_state(home, tape, "working"))
        with home.database.writing() as session:
            session.get_one(Tape, tape).state = "queued"
        until(lambda: runner.ended == 1)


@pytest.mark.engines
def test_a_worker_without_a_job_makes_it_in_a_process_of_its_own(room: Room) -> None:
    """The stand-in for the tagger takes nothing for change talk: there is nothing to suggest."""
    (tape,) = room.tapes(1)
    with room.open() as home:
        job_state.cancel(home, tape)
        with home.database.writing() as session:
            session.get_one(Tape, tape).state = "draft"
        suggestions.want(home, tape, "ada", PartRequest(6000, 3000), now())
        worker = room.start()
        until(lambda: suggestions.current(home, tape).state not in ("waiting", "working"))
        assert suggestions.current(home, tape) == Suggested("done", None)
    ended(worker)
