"""Cores are handed out one at a time, and none after a stop."""

from __future__ import annotations

import threading

import pytest

from pipeline.speech.cores import Cores, StoppedError


def test_a_run_needs_a_core() -> None:
    with pytest.raises(ValueError, match="at least one core, not 0"):
        Cores(0)


def test_no_more_cores_are_held_than_there_are() -> None:
    cores, lock, counts = Cores(2), threading.Lock(), [0]
    active = 0

    def work() -> None:
        nonlocal active
        for _ in range(50):
            with cores.hold_one():
                with lock:
                    active += 1
                    counts.append(active)
                with lock:
                    active -= 1

    threads = [threading.Thread(target=work) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert max(counts) <= 2


def test_a_core_comes_back_after_an_error() -> None:
    cores = Cores(1)
    with pytest.raises(KeyError), cores.hold_one():
        raise KeyError
    with cores.hold_one():
        pass


def test_a_stopped_run_gives_out_no_core() -> None:
    cores = Cores(1)
    cores.raise_if_stopped()
    cores.stop()
    with pytest.raises(StoppedError):
        cores.raise_if_stopped()
    with pytest.raises(StoppedError), cores.hold_one():
        pass
