"""Faint speech beside a near voice, with a detector that hears what is loud enough; sounds are bursts of noise."""

from __future__ import annotations

import re

import numpy as np
import pytest

from pipeline.audio import quality
from pipeline.audio.quality import SAMPLE_RATE
from pipeline.speech import faint_speech
from pipeline.timeline import Span
from tests.audio.test_quality import room, voice


def talk(softer: float, seconds: int = 32) -> np.ndarray:
    """A near voice and one so many dB softer, four seconds each in turn."""
    time = np.arange(seconds * SAMPLE_RATE) / SAMPLE_RATE
    first = time % 8 < 4
    far = voice(seconds, 2, level=-20 - softer)
    return (voice(seconds, 1) * first + far * ~first + room(seconds, -75)).astype(np.float32)


def loud(samples: np.ndarray) -> list[Span]:
    """Where the sound is above -35 dBFS."""
    level = quality.levels(samples) > -35
    edges = np.flatnonzero(np.diff(np.concatenate(([False], level, [False])).astype(int))).reshape(-1, 2)
    return [Span(int(start) * 20, int(end) * 20) for start, end in edges]


def heard(spans: list[Span] | tuple[Span, ...], start: int, end: int) -> int:
    return sum(span.overlap(Span(start, end)) for span in spans)


def test_a_voice_that_is_far_softer_is_detected_where_the_first_look_misses_it() -> None:
    samples = talk(24)
    assert heard(loud(samples), 4_000, 8_000) == 0
    assert heard(faint_speech.detect_all(samples, loud), 4_000, 8_000) > 2_000


def test_what_was_detected_stays_as_it_was() -> None:
    samples = talk(24)
    assert {*loud(samples)} <= {*faint_speech.detect_all(samples, loud)}


def test_where_all_that_sounds_is_detected_nobody_looks_twice() -> None:
    looks = []

    def detect(samples: np.ndarray) -> list[Span]:
        looks.append(samples)
        return [Span(0, 32_000)]

    assert faint_speech.detect_all(talk(0), detect) == (Span(0, 32_000),)
    assert len(looks) == 1


@pytest.mark.parametrize("samples", [np.zeros(0, np.float32), np.zeros(100, np.float32), room(10)])
def test_without_sound_there_is_no_speech(samples: np.ndarray) -> None:
    assert faint_speech.detect_all(samples, lambda _: []) == ()
    assert list(faint_speech.notes(samples, [])) == []


def test_sound_without_words_is_named_with_its_times() -> None:
    samples = talk(10)
    words = [Span(start, start + 4_000) for start in range(0, 32_000, 8_000)]
    (note,) = faint_speech.notes(samples, words)
    assert re.search(r"0:0[45]-0:0[678], 0:1", note)
    assert list(faint_speech.notes(samples, [*words, Span(0, 32_000)])) == []
