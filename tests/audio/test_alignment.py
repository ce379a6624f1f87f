"""Two recordings of one session, placed by what both picked up; where nothing is shared, nobody guesses."""

from __future__ import annotations

import numpy as np
import pytest

from pipeline.audio import alignment
from pipeline.audio.quality import SAMPLE_RATE
from tests.audio.sessions import leaking, on_clock, voices


@pytest.mark.parametrize(
    ("leak", "begins", "drift"), [(-15, 7.25, 0), (-30, -12.5, 0), (-40, 3.3, 0), (-30, 7.25, 80), (-30, -12.5, -120)]
)
def test_a_faint_leak_tells_when_the_second_began_and_how_its_clock_ran(
    leak: float, begins: float, drift: float
) -> None:
    """The second begins ``begins`` seconds later: it hears at 0 what the first hears then."""
    first, second = leaking(voices(180), leak)
    second = on_clock(second, drift)
    cut = round(abs(begins) * SAMPLE_RATE)
    first, second = (first, second[cut:]) if begins > 0 else (first[cut:], second)
    aligned = alignment.align(first, second)
    assert aligned is not None
    for time in (20.0, 150.0):
        ahead = max(0.0, -begins)  # how much of the first was cut off
        in_second = (time + ahead) * (1 + drift / 1e6) - max(0.0, begins)
        assert time * (1 + aligned.drift) + aligned.lag == pytest.approx(in_second, abs=0.005)
    assert aligned.drift * 1e6 == pytest.approx(drift, abs=40)
    assert aligned.steady > 0.8


@pytest.mark.parametrize("fault", ["another session", "nothing shared", "the same mains hum", "silence", "too short"])
def test_what_is_not_surely_shared_places_nothing(fault: str) -> None:
    first, second = voices(120)
    time = np.arange(len(first)) / SAMPLE_RATE
    if fault == "another session":
        first, second = leaking(np.stack([first[: 60 * SAMPLE_RATE], second[60 * SAMPLE_RATE :]]), -200)
    elif fault == "the same mains hum":
        hum = sum(0.003 * np.sin(2 * np.pi * 50 * number * time + number) for number in range(1, 36))
        first, second = first + hum.astype(np.float32), second + np.roll(hum, 900).astype(np.float32)
    elif fault == "silence":
        second = np.zeros_like(second)
    elif fault == "too short":
        first, second = leaking(voices(120), -20)[:, 20 * SAMPLE_RATE : 23 * SAMPLE_RATE]
    assert alignment.align(first, second) is None


def test_a_recorder_that_lost_a_second_is_not_called_steady() -> None:
    first, second = leaking(voices(180), -20)
    half = 90 * SAMPLE_RATE
    aligned = alignment.align(first, np.concatenate([second[:half], second[half + SAMPLE_RATE :]]))
    assert aligned is None or aligned.steady < 0.8
