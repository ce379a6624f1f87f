"""What the benchmark takes for speech."""

from __future__ import annotations

import numpy as np
import pytest
from pyannote.core import Annotation, Segment

from tests.benchmarks.recordings import audible

RATE = 8_000


def sound(*tones: tuple[float, float, float]) -> np.ndarray:
    """Six seconds of room noise at -60 dB with tones (start, end, level in dB)."""
    samples = np.random.default_rng(0).normal(0, 1e-3, 6 * RATE)
    times = np.arange(len(samples)) / RATE
    for start, end, level in tones:
        tone = np.sqrt(2) * 10 ** (level / 20) * np.sin(2 * np.pi * 440 * times)
        samples += np.where((times >= start) & (times < end), tone, 0)
    return samples


def voices(*spans: tuple[float, float, str]) -> Annotation:
    annotation = Annotation()
    for number, (start, end, speaker) in enumerate(spans):
        annotation[Segment(start, end), number] = speaker
    return annotation


def edges(annotation: Annotation) -> list[tuple[float, float, str]]:
    return [(segment.start, segment.end, speaker) for segment, _, speaker in annotation.itertracks(yield_label=True)]


def test_a_breath_under_the_room_s_noise_is_no_speech() -> None:
    samples = sound((1.0, 2.0, -25), (2.0, 2.8, -62))
    assert edges(audible(voices((0.9, 2.8, "A")), samples, RATE)) == [
        (pytest.approx(1.0, abs=0.021), pytest.approx(2.0, abs=0.021), "A")
    ]


def test_soft_speech_and_pauses_inside_stay() -> None:
    samples = sound((1.0, 1.5, -25), (2.0, 2.5, -45))
    assert edges(audible(voices((1.0, 2.5, "A")), samples, RATE)) == [(1.0, 2.5, "A")]


def test_an_edge_under_another_voice_stays() -> None:
    samples = sound((1.0, 2.0, -25), (1.8, 3.0, -25))
    assert edges(audible(voices((1.0, 2.8, "A"), (1.8, 3.0, "B")), samples, RATE)) == [
        (1.0, 2.8, "A"),
        (1.8, 3.0, "B"),
    ]


def test_a_voice_that_nobody_hears_is_none() -> None:
    assert edges(audible(voices((4.0, 5.0, "A"), (1.0, 2.0, "B")), sound((1.0, 2.0, -25)), RATE)) == [(1.0, 2.0, "B")]
