"""`tape-review worker`: it ends when nothing is left, or when it is asked to."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pipeline.tapes.home import Home
from pipeline.tapes.jobs import worker as workers
from tests.cli.calls import call


class Idle:
    """A worker without processes; `asked` is called whenever the verb looks whether anything is left."""

    name = "w1"
    asked: Any = staticmethod(lambda: True)
    queues: list[str]

    def __init__(self, home: Home, settings: object, queue: str) -> None:
        self.queues.append(queue)

    def __enter__(self) -> Idle:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def idle(self) -> bool:
        return bool(type(self).asked())


@pytest.fixture
def idle(monkeypatch: pytest.MonkeyPatch) -> Iterator[type[Idle]]:
    monkeypatch.setenv("TAPE_REVIEW_TAPES__POLL_SECONDS", "0.01")
    monkeypatch.setattr(workers, "Worker", Idle)
    monkeypatch.setattr("pipeline.tapes.logs.configure", lambda stream: None)
    monkeypatch.setattr(Idle, "queues", [], raising=False)
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    yield Idle
    for number, handler in before.items():
        signal.signal(number, handler)


def test_it_ends_when_no_work_is_left(home: Home, idle: type[Idle], monkeypatch: pytest.MonkeyPatch) -> None:
    left = iter([False, False, True])
    monkeypatch.setattr(idle, "asked", staticmethod(lambda: next(left)))
    result = call(home.folder, "worker", "--until-empty", "--queue", "cpu")
    assert result.exit_code == 0, result.output
    assert result.stdout.splitlines() == ["Worker w1 is ready", "Nothing is left"]
    assert next(left, "asked until it was idle") == "asked until it was idle"
    assert idle.queues == ["cpu"]


def test_it_ends_when_it_is_asked_to(home: Home, idle: type[Idle], monkeypatch: pytest.MonkeyPatch) -> None:
    def ends() -> bool:
        os.kill(os.getpid(), signal.SIGTERM)
        return False

    monkeypatch.setattr(idle, "asked", staticmethod(ends))
    result = call(home.folder, "worker", "--until-empty")
    assert "Stopped; what was under way goes on with the next worker" in result.stdout


def test_without_a_home_it_says_how_to_make_one(tmp_path: Path, idle: type[Idle]) -> None:
    assert "TR-K01" in str(call(tmp_path / "none", "worker", "--until-empty").exception)
    assert idle.queues == []
