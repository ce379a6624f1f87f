"""Detects the languages of a recording with the transcription's own engine (`spoken_languages` decides on them)."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pipeline import languages
from pipeline.languages import ENGLISH, is_foreign
from pipeline.settings import TranscriptionSettings
from pipeline.speech import spoken_languages
from pipeline.speech.chunking import Chunk, Samples, chunks
from pipeline.speech.cores import Cores, in_batches
from pipeline.speech.decoding import fallback, rejection_reason
from pipeline.speech.spoken_languages import LanguageRun, Stretch, Trial
from pipeline.speech.whisper import Engine
from pipeline.timeline import Span, outside, within


def stretches_of(
    engine: Engine, batch: Sequence[Chunk], encoded: Any, spoken: Sequence[Span]
) -> list[tuple[Stretch, ...]]:
    """Return the stretches of speech in each chunk with their languages, from what the engine has encoded anyway."""
    stretches = [chunk.stretches(spoken, spoken_languages.LONGEST_STRETCH) for chunk in batch]
    inside = [[in_chunk for _, in_chunk in spans] for spans in stretches]
    by_themselves = engine.languages(encoded, inside)
    with_surroundings = engine.languages(encoded, [[*map(spoken_languages.around, spans)] for spans in inside])
    return [
        tuple((span, spoken_languages.combined(*shares)) for (span, _), *shares in zip(*parts, strict=True))
        for parts in zip(stretches, by_themselves, with_surroundings, strict=True)
    ]


@dataclass(frozen=True)
class LanguageDetection:
    """The languages of one recording: (n,) float32 at 16 kHz, with the spans where somebody speaks."""

    engine: Engine
    settings: TranscriptionSettings
    samples: Samples
    spoken: Sequence[Span]
    cores: Cores

    def runs(self, stretches: Sequence[Stretch]) -> tuple[LanguageRun, ...]:
        """Return the recording's runs of one language; a foreign one only where it is foreign by itself, too.

        Where there is another language at all, every stretch is tried that could be in it: neighbors color a stretch.
        """
        runs = spoken_languages.runs(stretches)
        trials = self._trials(runs)
        settled = spoken_languages.settled(runs, trials)
        foreign = [run for run in settled if is_foreign(run.language)]
        if not foreign:
            return settled
        runs = spoken_languages.closer_runs(stretches, [run.span for run in foreign])
        of_tape = frozenset(run.language for run in foreign)
        return spoken_languages.settled(runs, trials | self._trials(runs, known=trials, among=of_tape))

    def _trials(
        self,
        runs: Sequence[LanguageRun],
        known: Collection[LanguageRun] = (),
        among: Collection[str] = languages.NAMES.keys(),
    ) -> dict[LanguageRun, Trial]:
        """Try each run in another language by itself, but those that are ``known``; ``among`` these languages."""
        suspected = [run for run in runs if is_foreign(run.language) and run not in known]
        cut = [self._cut_out(within(self.spoken, [run.span])) for run in suspected]
        trials = in_batches(
            cut, self.settings.batch, self.cores, lambda batch: [self._trial(chunk, among) for chunk in batch]
        )
        return dict(zip(suspected, trials, strict=True))

    def _cut_out(self, speech: Sequence[Span]) -> Chunk:
        """Return the first chunk of some speech without all other: half a minute is enough to name its language."""
        return chunks(speech, self.samples, self.settings, outside(self.spoken, speech))[0]

    def _trial(self, chunk: Chunk, among: Collection[str]) -> Trial:
        """Return the languages of a chunk, and whether its text is likelier in another language than in English.

        Two readings of the sound count alike, at its own length and in half a minute: of two seconds of "mm" and "well"
        either may call one Latvian, hardly ever both.
        """
        sound = chunk.cut(self.samples)
        glance = _among(self.engine.language_at_a_glance(sound), among)
        if spoken_languages.is_surely_english(glance):
            return Trial(glance, -math.inf)
        encoded = self.engine.encode([sound])
        detected = _among(self.engine.languages(encoded, [[Span(0, chunk.duration)]])[0][0], among)
        shares = {language: (share + glance.get(language, 0.0)) / 2 for language, share in detected.items()}
        other = spoken_languages.likeliest_other(shares)
        if not spoken_languages.is_possible(shares, other):
            return Trial(shares, -math.inf)  # no text makes up for it: two decodings less
        as_english, as_other = (
            self.engine.decode(encoded, fallback(self.settings, language))[0] for language in (ENGLISH, other)
        )
        if rejection_reason(as_other, self.settings) or spoken_languages.is_same_text(as_english.text, as_other.text):
            return Trial(shares, -math.inf)
        return Trial(shares, as_other.log_probability - as_english.log_probability)


def _among(shares: Mapping[str, float], among: Collection[str]) -> dict[str, float]:
    """Return the shares of English and of some languages."""
    return {language: share for language, share in shares.items() if language in among or language == ENGLISH}
