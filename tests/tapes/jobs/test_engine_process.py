"""The process that does steps: what it answers to its worker, and what of a failure it tells. Whole processes are in
test_worker.py."""

from __future__ import annotations

import errno
import json
import os
import resource
import subprocess
import sys
from functools import partial

import pytest

from pipeline.errors import JobError, SpeechError
from pipeline.settings import load
from pipeline.tapes.home import Home
from pipeline.tapes.jobs import engine_process, steps
from pipeline.tapes.jobs.engine_process import Outcome, Runner
from pipeline.tapes.jobs.stillness import Stillness

DEFAULT = load().settings
WORDS = "what a client said"


def attempt(monkeypatch: pytest.MonkeyPatch, error: BaseException | None) -> dict[str, object]:
    def perform(*_: object) -> None:
        if error is not None:
            raise error

    monkeypatch.setattr(steps, "perform", perform)
    order = {"job": "j1", "step": "tag"}
    return engine_process._attempt(None, None, None, order, lambda _: None)  # type: ignore[arg-type]


def test_a_step_that_is_done_says_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    assert attempt(monkeypatch, None) == {}


def test_a_mistake_reaches_the_worker_as_the_error_it_was(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    error = SpeechError("P01", "recording", "has no words", "listen to it")
    answer = attempt(monkeypatch, error) | {"memory_kb": 0}
    outcome = Runner(home, DEFAULT, "")._outcome(json.loads(json.dumps(answer)))
    assert type(outcome.error) is SpeechError
    assert str(outcome.error) == str(error)


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (errno.ENOSPC, "is full"),
        (errno.EDQUOT, "is full"),
        (errno.EACCES, "refuses us"),
        (errno.EROFS, "cannot be written"),
    ],
)
def test_a_disk_s_fault_is_a_mistake_that_somebody_must_mend(
    number: int, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert attempt(monkeypatch, OSError(number, os.strerror(number)))["mistake"][:4] == [
        "JobError",
        "J06",
        "disk",
        words,
    ]  # type: ignore[index]


@pytest.mark.parametrize("error", [RuntimeError(WORDS), OSError(errno.EIO, WORDS), KeyError(WORDS)])
def test_of_any_other_failure_its_kind_and_place_are_told_and_never_its_words(
    error: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    failure = str(attempt(monkeypatch, error)["failure"])
    assert failure.startswith(f"{type(error).__name__} in perform, line ")
    assert WORDS not in failure


def test_a_process_that_grew_large_is_not_used_again(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    runner, ended = Runner(home, DEFAULT, ""), []
    monkeypatch.setattr(runner, "end", lambda: ended.append(True))
    assert runner._outcome({"memory_kb": 10}) == Outcome()
    assert ended == []
    assert runner._outcome({"memory_kb": 10**7, "failure": "x"}) == Outcome(failure="x")
    assert ended == [True]


ANSWERS = """
import sys
sys.stdin.readline()
print('{"fraction": 0.5}')
print('{"memory_kb": 1}')
"""
PROGRAMS = {
    "answers": (ANSWERS, Outcome()),
    "ends": (
        "import sys; sys.stdin.readline(); sys.exit(7)",
        Outcome(failure="the process that did it ended (status 7)"),
    ),
    "crashes": (
        "import os, signal, sys; sys.stdin.readline(); os.kill(os.getpid(), signal.SIGSEGV)",
        Outcome(failure="the process that did it ended (signal 11)"),
    ),
}


@pytest.mark.parametrize("name", PROGRAMS)
def test_the_worker_s_end_tells_how_a_step_ended(home: Home, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    program, expected = PROGRAMS[name]
    runner, fractions = Runner(home, DEFAULT, ""), []

    def started() -> subprocess.Popen[bytes]:
        runner._process = subprocess.Popen(
            [sys.executable, "-S", "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        return runner._process

    monkeypatch.setattr(runner, "_started", started)
    assert runner.do("j1", "tag", fractions.append, lambda: None) == expected
    assert fractions == ([0.5] if name == "answers" else [])
    runner.end()
    assert runner._process is None


def test_a_process_that_waits_for_itself_is_ended_and_its_step_has_failed(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It would keep its job for ever, and nobody else could take it: its worker lives."""
    runner = Runner(home, DEFAULT, "")
    process = subprocess.Popen([sys.executable, "-S", "-c", "input(); input()"], stdin=-1, stdout=-1)

    def started() -> subprocess.Popen[bytes]:
        runner._process = process
        return process

    monkeypatch.setattr(runner, "_started", started)
    monkeypatch.setattr(engine_process, "_LOOK", 0.01)
    monkeypatch.setattr(engine_process, "Stillness", partial(Stillness, limit=0.2))
    asked: list[bool] = []
    outcome = runner.do("j1", "tag", lambda _: None, lambda: asked.append(True))
    assert outcome == Outcome(failure="the process that did it came to a standstill")
    assert asked
    assert process.poll() is not None


def test_a_worker_with_many_open_files_still_has_the_answers(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    """`select` knows no file with a number above 1023."""
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(limits[0], 1200), limits[1]))
    runner, many = Runner(home, DEFAULT, ""), [os.open(os.devnull, os.O_RDONLY) for _ in range(1030)]
    try:
        monkeypatch.setattr(runner, "_started", lambda: process)
        process = subprocess.Popen([sys.executable, "-S", "-c", ANSWERS], stdin=-1, stdout=-1)
        assert runner.do("j1", "tag", lambda _: None, lambda: None) == Outcome()
    finally:
        for handle in many:
            os.close(handle)
        process.kill()
        process.communicate()
        resource.setrlimit(resource.RLIMIT_NOFILE, limits)


def test_who_is_told_to_stop_ends_the_process(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    runner = Runner(home, DEFAULT, "")
    process = subprocess.Popen([sys.executable, "-S", "-c", "input(); input()"], stdin=-1, stdout=-1)

    def started() -> subprocess.Popen[bytes]:
        runner._process = process
        return process

    def stop() -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(runner, "_started", started)
    monkeypatch.setattr(engine_process, "_LOOK", 0.01)
    with pytest.raises(KeyboardInterrupt):
        runner.do("j1", "tag", lambda _: None, stop)
    assert process.poll() is not None


def test_the_engines_of_tests_are_named_by_module_and_name() -> None:
    assert engine_process._named("pipeline.errors:JobError") is JobError  # type: ignore[comparison-overlap]
    with pytest.raises(AttributeError):
        engine_process._named("pipeline.errors:Nothing")
