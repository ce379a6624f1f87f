"""A transcriber without a model: a parrot that recognizes a word a second, or what a test wants."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

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


def sound(*spans: tuple[int, int], length: int, language: str = "en") -> Samples:
    """Silence of ``length`` ms with "speech" of a language in the spans."""
    samples = np.zeros(length * PER_MS, dtype=np.float32)
    for start, end in spans:
        samples[start * PER_MS : end * PER_MS] = SPOKEN_LEVEL[language]
    return samples


SPOKEN_LEVEL = {"en": 0.1, "es": 0.2, "fr": 0.3}
"""How loud each language is in a test's sound: the parrot detects it by that."""


class Parrot:
    """An engine that hears one word a second in every window, or what it is told to hear in a options.

    It detects a language by how loud a stretch is (`SPOKEN_LEVEL`), and finds a text likelier in that language.
    """

    version = {"engine": "parrot 1"}  # noqa: RUF012 - a constant

    def __init__(
        self, respond: Callable[[DecodingOptions, int], tuple[str, float]] | None = None, multilingual: bool = True
    ) -> None:
        self.multilingual = multilingual
        self._respond = respond or (lambda options, seconds: (" ".join(f"word{i}" for i in range(seconds)), -0.1))

    def encode(self, sounds: Sequence[Samples]) -> list[Samples]:
        return list(sounds)

    def select(self, encoded: list[Samples], chunks: Sequence[int]) -> list[Samples]:
        return [encoded[chunk] for chunk in chunks]

    def language_at_a_glance(self, sound: Samples) -> Mapping[str, float]:
        return spoken_shares(sound)

    def languages(self, encoded: list[Samples], stretches: Sequence[Sequence[Span]]) -> list[list[Mapping[str, float]]]:
        return [
            [spoken_shares(sound[span.start * PER_MS : span.end * PER_MS]) for span in spans]
            for sound, spans in zip(encoded, stretches, strict=True)
        ]

    def decode(self, encoded: list[Samples], options: DecodingOptions) -> list[Hypothesis]:
        decoded = []
        for sound in encoded:
            text, log = self._respond(options, sound.size // 16_000)
            shares = spoken_shares(sound)
            in_language = shares.get(options.language, 0.0) > 0.5 or not shares
            decoded.append(Hypothesis(options, text, (), log if in_language else log - 0.5))
        return decoded

    def align(self, encoded: list[Samples], hypotheses: Sequence[Hypothesis]) -> list[tuple[Word, ...]]:
        rows = ((enumerate(hypothesis.text.split()), hypothesis.options.language) for hypothesis in hypotheses)
        return [
            tuple(Word(Span(i * 1000, i * 1000 + 300), text, 0.9, language=language) for i, text in row)
            for row, language in rows
        ]


def spoken_shares(sound: Samples) -> dict[str, float]:
    """Language -> its share of a sound by its level; nothing where all is silent."""
    spoken = {
        language: int((np.abs(sound - level) < 0.01).sum())  # one level each: tests draw no waves
        for language, level in SPOKEN_LEVEL.items()
    }
    whole = sum(spoken.values())
    return {language: number / whole for language, number in spoken.items()} if whole else {}


def parrot(
    respond: Callable[[DecodingOptions, int], tuple[str, float]] | None = None,
    multilingual: bool = True,
    **options: object,
) -> WhisperTranscriber:
    """A transcriber around a parrot; ``options`` are settings of the transcription."""
    chosen = OPTIONS.model_copy(update=options)
    return WhisperTranscriber(chosen, lambda workers: Parrot(respond, multilingual), {"model": "parrot"}, loud)
