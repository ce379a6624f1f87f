"""Which workers are dead."""

from __future__ import annotations

from pipeline.tapes.jobs.liveness import Watch


def test_a_worker_whose_heart_stops_is_dead_after_a_while() -> None:
    watch = Watch("me", 20)
    assert watch.dead({"me": 1, "a": 1, "b": 1}, [], 0) == set()
    assert watch.dead({"me": 1, "a": 2, "b": 1}, [], 19) == set()
    assert watch.dead({"me": 1, "a": 2, "b": 1}, [], 20) == {"b"}
    assert watch.dead({"a": 2, "b": 2}, [], 38) == set()
    assert watch.dead({"a": 2, "b": 2}, [], 39) == {"a"}


def test_one_that_has_a_job_and_no_row_is_dead_too() -> None:
    watch = Watch("me", 20)
    assert watch.dead({}, ["gone"], 5) == set()
    assert watch.dead({}, ["gone"], 25) == {"gone"}


def test_one_that_was_forgotten_begins_anew() -> None:
    watch = Watch("me", 20)
    watch.dead({"a": 1}, [], 0)
    watch.dead({}, [], 10)
    assert watch.dead({"a": 1}, [], 20) == set()
