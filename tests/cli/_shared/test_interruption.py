"""Ctrl-C while a verb computes; with whole processes it is tested in tests/test_stages.py."""

from __future__ import annotations

import os
import signal
import threading

import pytest

from pipeline.cli._shared import interruption
from pipeline.cli._shared.interruption import Interrupted, interruptible, leave
from pipeline.run.progress import STAGE_THREADS


@pytest.fixture(autouse=True)
def _handlers_come_back() -> object:
    before = {number: signal.getsignal(number) for number in interruption._SIGNALS}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


def test_the_result_of_the_work_is_returned_and_handlers_come_back() -> None:
    before = signal.getsignal(signal.SIGINT)
    assert interruptible(lambda: 7, pytest.fail) == 7
    assert signal.getsignal(signal.SIGINT) is before


def test_what_the_work_raises_is_raised_here() -> None:
    with pytest.raises(ZeroDivisionError):
        interruptible(lambda: 1 // 0, pytest.fail)


@pytest.mark.parametrize("number", interruption._SIGNALS)
def test_a_signal_stops_the_work_and_says_so_in_the_exit_status(number: int) -> None:
    stopped = threading.Event()

    def work() -> None:
        os.kill(os.getpid(), number)
        assert stopped.wait(60)

    with pytest.raises(Interrupted) as ended:
        interruptible(work, stopped.set)
    assert stopped.is_set()
    assert ended.value.status == 128 + number


def test_a_second_signal_does_not_end_the_tidying_up() -> None:
    def stop() -> None:
        os.kill(os.getpid(), signal.SIGINT)  # would raise here

    waiting = threading.Event()

    def work() -> None:
        os.kill(os.getpid(), signal.SIGINT)
        waiting.wait(60)

    with pytest.raises(Interrupted):
        interruptible(work, stop)
    waiting.set()


def test_a_signal_that_was_ignored_from_the_start_stays_ignored() -> None:
    signal.signal(signal.SIGHUP, signal.SIG_IGN)  # as `nohup` does
    assert interruptible(lambda: os.kill(os.getpid(), signal.SIGHUP), pytest.fail) is None


@pytest.mark.parametrize(("status", "code"), [(0, 0), (3, 3), ("in words", 1), (None, 0)])
def test_while_an_engine_still_computes_the_program_ends_without_it(
    status: int | str | None, code: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    ended: list[int] = []
    monkeypatch.setattr(interruption.os, "_exit", ended.append)
    with pytest.raises(SystemExit):  # no engine computes
        leave(status)
    assert ended == []
    free = threading.Event()
    engine = threading.Thread(target=free.wait, name=f"{STAGE_THREADS}-1", daemon=True)
    engine.start()
    with pytest.raises(SystemExit):  # `_exit` does not return when it is the real one
        leave(status)
    assert ended == [code]
    free.set()
    engine.join()
