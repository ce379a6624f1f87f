"""How fast somebody may guess."""

from __future__ import annotations

from pipeline.review.auth import limits
from pipeline.review.auth.limits import Rule, TooSoonError
from pipeline.review.auth.request_origin import Origin
from pipeline.tapes.clock import HOUR, MINUTE
from pipeline.tapes.home import Home
from tests.tapes.conftest import NOON


def test_a_wait_is_said_in_the_unit_that_one_waits_in() -> None:
    assert "Wait 1 second, then" in limits.TooSoonError(1).detail
    assert "Wait 60 seconds, then" in limits.TooSoonError(MINUTE).detail
    assert "Wait 60 minutes, then" in limits.TooSoonError(HOUR).detail


RULE = Rule("test", from_origin=2, from_address=3, from_strangers=3, longest=10_000)
HERE, THERE = Origin("192.0.2.1", ""), Origin("192.0.2.2", "")


def wait(home: Home, now: int, account: str = "ada", origin: Origin = HERE) -> int:
    """Seconds to wait; 0 where the guess is let through, and counted."""
    try:
        limits.count_attempt(home, now, RULE, account, origin)
    except TooSoonError as error:
        return int((error.headers or {})["Retry-After"])
    return 0


def test_each_guess_beyond_the_free_ones_waits_twice_as_long_up_to_the_longest(home: Home) -> None:
    waits, now = [], NOON
    for _ in range(8):
        waits.append(wait(home, now))
        if waits[-1]:
            now += 1000 * waits[-1]
            assert wait(home, now) == 0
    assert waits == [0, 0, 1, 2, 4, 8, 10, 10]


def test_a_guess_that_comes_too_early_is_not_counted(home: Home) -> None:
    for _ in range(2):
        wait(home, NOON)
    assert [wait(home, NOON) for _ in range(5)] == [1] * 5


def test_another_account_and_another_address_have_their_own_counts(home: Home) -> None:
    for _ in range(2):
        wait(home, NOON)
    assert wait(home, NOON, "ben") == 0
    assert wait(home, NOON, origin=THERE) == 0


def test_strangers_from_everywhere_are_counted_together(home: Home) -> None:
    for number in range(3):
        assert wait(home, NOON, origin=Origin(f"192.0.2.{number}", "")) == 0
    assert wait(home, NOON, origin=Origin("192.0.2.99", "")) == 1


def test_a_right_guess_takes_the_failures_of_its_origin_back(home: Home) -> None:
    wait(home, NOON)
    limits.forgive(home, limits.count_attempt(home, NOON, RULE, "ada", HERE))
    assert [wait(home, NOON) for _ in range(3)] == [0, 0, 1]


def test_a_failure_counts_for_a_day(home: Home) -> None:
    for _ in range(2):
        wait(home, NOON)
    assert wait(home, NOON + limits.WINDOW - 1) == 0  # a second was long over
    assert wait(home, NOON + limits.WINDOW + 1) == 0
    assert wait(home, NOON + limits.WINDOW + 1) == 1  # yesterday's are gone, today's two are there
