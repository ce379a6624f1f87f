"""A transcriber without a model: a parrot that recognizes a word a second, or what a test wants."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from pipeline import settings
from pipeline.settings import TranscriptionSettings
from pipeline.speech.chunking import PER_MS, Samples
from pipeline.speech.decoding import DecodingOptions, Hypothesis
from pipeline.speech.transcriber import WhisperTranscriber
from pipeline.timeline import Span, Word

OPTIONS = settings.load().settings.transcription


def silence(seconds: float) -> Samples:
    """Digital silence at 16 kHz."""
    return np.zeros(round(seconds * 16_000), dtype=np.float32)


def loud(samples: Samples, _: TranscriptionSettings) -> tuple[Span, ...]:
    """A detector for tests: speech is where samples are not zero."""
    edges = np.flatnonzero(np.diff(np.concatenate(([0], (samples != 0).astype(int), [0])))) // PER_MS
    return tuple(Span(int(start), int(end)) for start, end in edges.reshape(-1, 2))


def sound(*spans: tuple[int, int], length: int) -> Samples:
    """Silence of ``length`` ms with "speech" in the spans."""
    samples = np.zeros(length * PER_MS, dtype=np.float32)
    for start, end in spans:
        samples[start * PER_MS : end * PER_MS] = 0.1
    return samples


class Parrot:
    """An engine that hears one word a second in every window, or what it is told to hear in a options."""

    version = {"engine": "parrot 1"}  # noqa: RUF012 - a constant

    def __init__(self, respond: Callable[[DecodingOptions, int], tuple[str, float]] | None = None) -> None:
        self._respond = respond or (lambda options, seconds: (" ".join(f"word{i}" for i in range(seconds)), -0.1))

    def encode(self, sounds: Sequence[Samples]) -> list[int]:
        return [sound.size // 16_000 for sound in sounds]

    def decode(self, encoded: list[int], options: DecodingOptions) -> list[Hypothesis]:
        return [
            Hypothesis(options, text, (), log) for text, log in (self._respond(options, length) for length in encoded)
        ]

    def align(self, encoded: list[int], hypotheses: Sequence[Hypothesis]) -> list[tuple[Word, ...]]:
        rows = (enumerate(hypothesis.text.split()) for hypothesis in hypotheses)
        return [tuple(Word(Span(i * 1000, i * 1000 + 300), text, 0.9) for i, text in row) for row in rows]


def parrot(
    respond: Callable[[DecodingOptions, int], tuple[str, float]] | None = None, **options: object
) -> WhisperTranscriber:
    """A transcriber around a parrot; ``options`` are settings of the transcription."""
    chosen = OPTIONS.model_copy(update=options)
    return WhisperTranscriber(chosen, lambda workers: Parrot(respond), {"model": "parrot"}, loud)
