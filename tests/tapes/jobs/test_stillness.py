"""Who only waits is told from who computes."""

from __future__ import annotations

import subprocess
import sys

from pipeline.tapes.jobs.stillness import Stillness, processor_seconds


class Times:
    """A clock and a process' processor time that tests set, seconds."""

    def __init__(self) -> None:
        self.now, self.used = 1000.0, 20.0

    def stillness(self, limit: float) -> Stillness:
        return Stillness(lambda: self.used, limit, lambda: self.now)


def test_a_process_that_uses_no_processor_time_stands_still_when_the_limit_is_over() -> None:
    times = Times()
    stillness = times.stillness(600)
    times.now, times.used = 1599, 20.4  # less than half a second of work
    assert not stillness.lasts()
    times.now = 1600
    assert stillness.lasts()


def test_a_process_that_computes_does_not_stand_still_however_long_it_takes() -> None:
    times = Times()
    stillness = times.stillness(600)
    for _ in range(100):
        times.now, times.used = times.now + 60, times.used + 0.5
        assert not stillness.lasts()
    times.now += 599
    assert not stillness.lasts()
    times.now += 1
    assert stillness.lasts()


def test_a_report_is_a_sign_of_life_and_so_is_the_end_of_a_process_below() -> None:
    times = Times()
    stillness = times.stillness(600)
    times.now = 1599
    stillness.moved()
    times.now = 2198
    assert not stillness.lasts()
    times.used = 5.0  # the decoder ended: its time no longer counts
    times.now = 2258
    assert not stillness.lasts()
    times.now = 2858
    assert stillness.lasts()


def test_processor_time_is_that_of_all_below_and_none_of_who_ended() -> None:
    below = "import time\nwhile time.process_time() < 0.3: pass\nprint('computed', flush=True); input()"
    above = f"import subprocess, sys; subprocess.run([sys.executable, '-S', '-c', {below!r}])"
    with subprocess.Popen(
        [sys.executable, "-S", "-c", above], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout
        assert process.stdout.readline() == b"computed\n"
        assert processor_seconds(process.pid) >= 0.25
    assert processor_seconds(process.pid) == 0.0
