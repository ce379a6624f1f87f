"""Cores are handed out one at a time, and none after a stop."""

from __future__ import annotations

import threading
from collections.abc import Sequence

import pytest

from pipeline.speech.cores import Cores, StoppedError, in_batches


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


def test_the_last_batches_are_smaller_so_that_no_core_waits_long() -> None:
    """Of 22 on two cores: 4 while 16 or more are left, then a fourth of what is left."""
    sizes: list[int] = []

    def do(batch: Sequence[int]) -> list[int]:
        sizes.append(len(batch))
        return list(batch)

    assert in_batches(range(22), 4, Cores(2), do) == list(range(22))
    assert sorted(sizes, reverse=True) == [4, 4, 4, 3, 2, 2, 1, 1, 1]


def test_batches_are_the_same_on_any_number_of_cores() -> None:
    """An engine rounds otherwise in another batch: 20 minutes had 24 words more on two cores than on one."""

    def batches(number: int) -> list[list[int]]:
        made: list[list[int]] = []

        def work(items: Sequence[int]) -> list[int]:
            made.append(list(items))
            return list(items)

        assert in_batches(range(22), 4, Cores(number), work) == list(range(22))
        return sorted(made)

    assert batches(1) == batches(2) == batches(8)
