"""A suspected run is decoded in two languages only if it can be in another one at all."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, cast

import numpy as np
import pytest

from pipeline import settings
from pipeline.speech.chunking import Chunk, chunks
from pipeline.speech.cores import Cores
from pipeline.speech.decoding import DecodingOptions, Hypothesis
from pipeline.speech.language_detection import LanguageDetection
from pipeline.speech.spoken_languages import Trial
from pipeline.speech.whisper import Engine
from pipeline.timeline import Span


class Counting:
    """An engine that detects what it is given, and counts its decodings."""

    def __init__(self, shares: Mapping[str, float], glance: Mapping[str, float] | None = None) -> None:
        self.shares, self.decoded, self.encoded = shares, 0, 0
        self.glance = glance or shares

    def encode(self, sounds: Sequence[Any]) -> int:
        self.encoded += 1
        return len(sounds)

    def language_at_a_glance(self, sound: Any) -> Mapping[str, float]:
        return self.glance

    def languages(self, encoded: int, stretches: Sequence[Sequence[Span]]) -> list[list[Mapping[str, float]]]:
        return [[self.shares for _ in spans] for spans in stretches]

    def decode(self, encoded: int, options: DecodingOptions) -> list[Hypothesis]:
        self.decoded += 1
        text = {"en": "the beer is good", "es": "me gusta la cerveza"}[options.language]
        return [Hypothesis(options, text, (1, 2), -0.2 if options.language == "es" else -0.9)]


@pytest.mark.parametrize(
    ("shares", "decoded", "gain"),
    [
        ({"en": 0.64, "bs": 0.29, "hu": 0.05}, 0, -math.inf),  # below .3 no other language is believed
        ({"en": 0.05, "hi": 0.18, "he": 0.17}, 0, -math.inf),
        ({"en": 0.1, "es": 0.7}, 2, 0.7),  # -.2 less -.9
    ],
)
def test_what_cannot_be_foreign_is_not_decoded_again(shares: Mapping[str, float], decoded: int, gain: float) -> None:
    engine = Counting(shares)
    trial = tried(engine)
    assert engine.decoded == decoded
    assert trial.text_gain == pytest.approx(gain)
    assert trial.language({}) == ("es" if decoded else "en")


def test_what_is_english_at_a_glance_is_not_encoded_in_half_a_minute() -> None:
    engine = Counting({"en": 0.02, "es": 0.9}, glance={"en": 0.95, "es": 0.04})
    assert tried(engine).language({}) == "en"
    assert engine.encoded == 0


def test_two_readings_of_the_sound_count_alike() -> None:
    """In half a minute .5 Spanish, at its own length .12: .31 in the mean, and then its text decides."""
    engine = Counting({"en": 0.02, "es": 0.5}, glance={"en": 0.4, "es": 0.12})
    assert tried(engine).shares == pytest.approx({"en": 0.21, "es": 0.31})
    one_sided = Counting({"en": 0.02, "es": 0.44}, glance={"en": 0.4, "es": 0.12})  # .28: no language at all
    assert tried(one_sided).language({}) == "en"
    assert (engine.decoded, one_sided.decoded) == (2, 0)


def tried(engine: Counting) -> Trial:
    """Four seconds, tried by an engine."""
    options = settings.load().settings.transcription
    samples, spoken = np.zeros(16_000 * 5, np.float32), (Span(0, 4000),)
    detection = LanguageDetection(cast("Engine", engine), options, samples, spoken, Cores(1))
    chunk: Chunk = chunks(spoken, samples, options)[0]
    return detection._trial(chunk, ("es", "bs", "hu", "hi", "he"))
