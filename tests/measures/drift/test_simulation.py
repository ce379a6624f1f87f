"""The charts keep their promises, at a size that CI can bear; ``tests/benchmarks/drift.py`` is the full size."""

from __future__ import annotations

from pipeline.measures.drift.simulation import bias_detection_rates, run_lengths


def test_in_control_there_are_250_tapes_between_false_alarms() -> None:
    runs = run_lengths(0.82, 0.82, 80, runs=300, horizon=1000, seed=1)
    assert runs.mean >= 250


def test_a_fall_from_82_to_74_is_found_within_four_tapes() -> None:
    for quiet in (0, 10):
        runs = run_lengths(0.82, 0.74, 80, runs=2000, horizon=60, quiet=quiet, seed=1)
        assert runs.mean <= 4.0
        assert runs.alarmed.mean() > 0.99


def test_a_planted_bias_is_named_within_six_tapes() -> None:
    right, wrong = bias_detection_rates(0.2, tapes=6, runs=200, seed=1)
    assert right >= 0.9
    assert wrong <= 0.03


def test_a_change_after_quiet_tapes_counts_from_the_change() -> None:
    runs = run_lengths(0.9, 0.3, 80, runs=20, horizon=10, quiet=10)
    assert runs.mean < 2
