"""From sound to words, verbatim: with "um"s and "mm-hm"s, times, and the engine's probabilities.

Speech is detected first, and only speech is transcribed, in chunks cut at pauses (`chunking`). Chunks are independent:
each can be transcribed on whatever core is free, and the result is the same on one core as on eight. The text is then
checked against the sound: text that the engine more likely invented is kept apart (`Suppressed`), and speech without
text is transcribed once more by itself, if it is longer than a word. Where there is still no text, it is reported as a
vocalization, so that a coder listens there.

Everything is taken for English first, and the language is detected on the way (`spoken_languages`). A chunk that holds
another language is transcribed again, each language by itself; a recording in English alone is never.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from typing import Any, Protocol

from pipeline import languages, model_catalog
from pipeline.errors import ModelError
from pipeline.languages import AUTO, ENGLISH, is_foreign
from pipeline.run.progress import Progress, ignore
from pipeline.settings import Settings, TranscriptionSettings
from pipeline.speech.chunking import Chunk, Samples, chunks, detect_speech
from pipeline.speech.clock_times import written_as_times
from pipeline.speech.cores import Cores, in_batches
from pipeline.speech.decoding import (
    DecodingOptions,
    Hypothesis,
    agree,
    best,
    decoding_options,
    fallback,
    rejection_reason,
    without_prompt,
)
from pipeline.speech.faint_speech import detect_all
from pipeline.speech.language_detection import LanguageDetection, stretches_of
from pipeline.speech.spoken_languages import LanguageRun, Stretch
from pipeline.speech.whisper import Engine, Whisper
from pipeline.timeline import Span, Word, outside, within

_NOT_SPOKEN = re.compile(r"[\[(*♪].*|.*[\])*♪]")
"""Words such as ``[BLANK_AUDIO]`` or ``(laughs)``: descriptions, not speech."""

# WER and "unclear" in `make bench` move with these.
_LONG_WORD = 800
"""Milliseconds that a word hardly ever lasts."""

_SHORT_WINDOW = 8.0
"""Seconds of a window in which missed speech in another language is transcribed again."""

_SAME = 300
"""Milliseconds by which the times of a word differ, at most, between two transcriptions of it."""


@dataclass(frozen=True)
class Suppressed:
    """Text that the engine more likely invented than recognized, and the reason."""

    span: Span
    text: str
    reason: str


@dataclass(frozen=True)
class Transcript:
    """The words of one recording or one channel of it.

    ``words`` are ordered by start. ``vocalizations`` is detected speech without words. ``engine`` is provenance: the
    engine with every option. ``languages`` are the runs of speech in one language, where it was detected;
    ``multilingual`` is whether the engine can.
    """

    words: tuple[Word, ...]
    suppressed: tuple[Suppressed, ...]
    vocalizations: tuple[Span, ...]
    engine: dict[str, Any]
    languages: tuple[LanguageRun, ...] = ()
    multilingual: bool = True

    def by(self, speaker: str) -> Transcript:
        """Return the same with one speaker: for a channel that holds one voice."""
        return replace(self, words=tuple(word.by(speaker) for word in self.words))


@dataclass(frozen=True)
class TranscribedChunk:
    """The words of one chunk, or its rejected text, at their times in the recording.

    ``stretches`` are those of its speech with their languages, where these were detected.
    """

    words: tuple[Word, ...]
    suppressed: tuple[Suppressed, ...]
    stretches: tuple[Stretch, ...] = ()


class Transcriber(Protocol):
    """Anything that turns sound into words."""

    def transcribe(
        self, samples: Samples, cores: Cores, progress: Progress = ignore, spoken: Sequence[Span] | None = None
    ) -> Transcript:
        """Return the words in (n,) float32 samples at 16 kHz; empty sound has none.

        ``spoken`` is where there is speech, if that is known; else it is detected.
        """


class WhisperTranscriber:
    """Transcribes chunks of speech with Whisper and several decoding options, of which the best is kept.

    Parameters
    ----------
    settings: the options; all are echoed in `Transcript.engine`.
    start: makes the engine for a number of workers; called once, when there is something to transcribe.
    provenance: name, checksum and source of the model.
    detect: detects speech; `chunking.detect_speech` unless a test brings its own.
    """

    def __init__(
        self,
        settings: TranscriptionSettings,
        start: Callable[[int], Engine],
        provenance: dict[str, str],
        detect: Callable[[Samples, TranscriptionSettings], tuple[Span, ...]] = detect_speech,
    ) -> None:
        self._settings, self._start, self._provenance, self._detect = settings, start, provenance, detect
        self._engine: Engine | None = None

    def transcribe(
        self, samples: Samples, cores: Cores, progress: Progress = ignore, spoken: Sequence[Span] | None = None
    ) -> Transcript:
        """Return the words in (n,) float32 samples at 16 kHz; a batch of chunks holds one core while it runs."""
        with cores.hold_one():
            if spoken is None:
                speech: Sequence[Span] = detect_all(samples, lambda part: self._detect(part, self._settings))
            else:
                speech = spoken
            todo = chunks(speech, samples, self._settings)
            if todo and self._engine is None:
                self._engine = self._started(cores.number)
        as_english = self._transcribe_all(todo, samples, speech, cores, self._first_language, progress)
        stretches = tuple(chain.from_iterable(chunk.stretches for chunk in as_english))
        detection = LanguageDetection(self._running, self._settings, samples, speech, cores) if stretches else None
        runs = detection.runs(stretches) if detection else ()
        transcribed = self._in_languages(todo, as_english, runs, samples, speech, cores)
        first_words, first_suppressed = self._checked(transcribed, speech)
        missed = without_words(speech, first_words, _LONG_WORD)
        retried = [
            chunk
            for language, spans in self._by_language(missed, runs).items()
            for chunk in self._transcribe_all(
                chunks(spans, samples, self._for_another_try(language)), samples, spans, cores, language
            )
        ]
        second_words, second_suppressed = self._checked(retried, speech)
        new_words = newly_recognized(second_words, missed, first_words)
        words = written_as_times(sorted((*first_words, *new_words), key=lambda word: word.span))
        suppressed = dict.fromkeys((*first_suppressed, *second_suppressed))
        progress(1.0)
        return Transcript(
            words=words,
            suppressed=tuple(sorted(suppressed, key=lambda text: text.span)),
            vocalizations=without_words(speech, words, self._settings.vocalization_ms),
            engine=self._settings.model_dump() | self._provenance | (self._engine.version if self._engine else {}),
            languages=runs,
            multilingual=self._engine is None or self._engine.multilingual,
        )

    def _for_another_try(self, language: str) -> TranscriptionSettings:
        """Return the settings with which missed speech is cut: in another language, which has no prompt to try beside,
        in short windows, so that one loop does not lose half a minute."""
        shorter = {"window_seconds": min(_SHORT_WINDOW, self._settings.window_seconds)}
        return self._settings.model_copy(update=shorter) if is_foreign(language) else self._settings

    @property
    def _first_language(self) -> str:
        """The language that all speech is first taken for."""
        return ENGLISH if self._settings.language == AUTO else self._settings.language

    def _started(self, workers: int) -> Engine:
        engine = self._start(workers)
        if not engine.multilingual and is_foreign(self._first_language):
            value = f"is for English alone and cannot transcribe {languages.name(self._first_language)}"
            remedy = "set transcription.model to a multilingual model, such as whisper-base"
            raise ModelError("M11", f"model {self._settings.model}", value, remedy)
        return engine

    def _in_languages(
        self,
        todo: Sequence[Chunk],
        as_english: Sequence[TranscribedChunk],
        runs: Sequence[LanguageRun],
        samples: Samples,
        spoken: Sequence[Span],
        cores: Cores,
    ) -> list[TranscribedChunk]:
        """Transcribe again the chunks with foreign speech: each language by itself, English, too."""
        foreign = [run.span for run in runs if is_foreign(run.language)]
        is_mixed = [any(span & piece for span in foreign for piece in chunk.pieces) for chunk in todo]
        transcribed = [done for done, mixed in zip(as_english, is_mixed, strict=True) if not mixed]
        mixed_pieces = [piece for chunk, mixed in zip(todo, is_mixed, strict=True) if mixed for piece in chunk.pieces]
        for language, spans in self._by_language(within(spoken, mixed_pieces), runs).items():
            again = chunks(spans, samples, self._settings, outside(spoken, spans))
            transcribed += self._transcribe_all(again, samples, spans, cores, language)
        return transcribed

    def _by_language(self, spans: Sequence[Span], runs: Sequence[LanguageRun]) -> dict[str, list[Span]]:
        """Return language -> the parts of the spans in it; what no run holds is in the first language."""
        foreign = [run for run in runs if is_foreign(run.language)]
        parts = {self._first_language: outside(spans, [run.span for run in foreign])}
        for run in foreign:
            parts.setdefault(run.language, []).extend(within(spans, [run.span]))
        return {language: speech for language, speech in parts.items() if speech}

    def _transcribe_all(
        self,
        todo: Sequence[Chunk],
        samples: Samples,
        spoken: Sequence[Span],
        cores: Cores,
        language: str,
        progress: Progress = ignore,
    ) -> list[TranscribedChunk]:
        """Transcribe chunks of one language."""
        batch = self._settings.batch
        return in_batches(
            todo, batch, cores, lambda part: self._transcribe_batch(part, samples, spoken, language), progress
        )

    def _checked(
        self, transcribed: Sequence[TranscribedChunk], spoken: Sequence[Span]
    ) -> tuple[tuple[Word, ...], tuple[Suppressed, ...]]:
        """Words, checked against the detected speech, and all text that is kept apart."""
        narrowed = (narrow(word, spoken) for chunk in transcribed for word in chunk.words)
        words, suppressed = gate(narrowed, spoken, self._settings.outside_ms)
        return words, (*suppressed, *chain.from_iterable(chunk.suppressed for chunk in transcribed))

    def _transcribe_batch(
        self, batch: Sequence[Chunk], samples: Samples, spoken: Sequence[Span], language: str
    ) -> list[TranscribedChunk]:
        """Decode some chunks with every option that the settings ask for, and keep the best text of each."""
        engine, settings = self._running, self._settings
        encoded = engine.encode([chunk.cut(samples) for chunk in batch])
        decoded = [engine.decode(encoded, options) for options in decoding_options(settings, language)]
        hypotheses = [list(of_chunk) for of_chunk in zip(*decoded, strict=True)]

        def decode_again(numbers: Sequence[int], options: DecodingOptions) -> None:
            if numbers:
                again = engine.decode(engine.select(encoded, numbers), options)
                for number, hypothesis in zip(numbers, again, strict=True):
                    hypotheses[number].append(hypothesis)

        if plain := without_prompt(settings, language):
            decode_again([n for n, texts in enumerate(hypotheses) if not agree(texts, settings)], plain)
        thin = [
            number
            for number, chunk in enumerate(batch)
            if best(hypotheses[number], settings).words * 1000 < settings.thin_words * chunk.speech_duration(spoken)
        ]
        decode_again(thin, fallback(settings, language))
        chosen = [best(texts, settings) for texts in hypotheses]
        aligned = engine.align(encoded, chosen)
        detects = settings.language == AUTO and not is_foreign(language) and engine.multilingual
        stretches = stretches_of(engine, batch, encoded, spoken) if detects else [()] * len(batch)
        return [_located(*parts, settings) for parts in zip(batch, chosen, aligned, stretches, strict=True)]

    @property
    def _running(self) -> Engine:
        if self._engine is None:
            raise RuntimeError("the engine has not been started")
        return self._engine


def _located(
    chunk: Chunk,
    hypothesis: Hypothesis,
    words: Sequence[Word],
    stretches: tuple[Stretch, ...],
    settings: TranscriptionSettings,
) -> TranscribedChunk:
    """Words at their times in the recording, or the whole text as suppressed where it is rejected."""
    reason = rejection_reason(hypothesis, settings)
    if reason:
        extent = Span(chunk.pieces[0].start, chunk.pieces[-1].end)
        return TranscribedChunk((), (Suppressed(extent, hypothesis.text, reason),), stretches)
    return TranscribedChunk(tuple(replace(word, span=chunk.locate(word.span)) for word in words), (), stretches)


def narrow(word: Word, spoken: Sequence[Span]) -> Word:
    """Narrow a word that lasts too long to be one to the stretch of speech that it shares most with.

    The engine's words touch each other, so that one of them takes in a pause, or speech that was left out.
    """
    if word.span.duration <= _LONG_WORD:
        return word
    shared = [part for span in spoken if (part := word.span & span)]
    return replace(word, span=max(shared, key=lambda part: part.duration)) if shared else word


def gate(words: Iterable[Word], spoken: Sequence[Span], reach: int) -> tuple[tuple[Word, ...], tuple[Suppressed, ...]]:
    """Return words by start, and apart those farther than ``reach`` ms from all speech or that describe a sound."""
    spoken_words, suppressed = [], []
    for word in sorted(words, key=lambda word: word.span):
        if _NOT_SPOKEN.fullmatch(word.text):
            suppressed.append(Suppressed(word.span, word.text, "not speech"))
        elif all(word.span.gap(span) > reach for span in spoken):
            suppressed.append(Suppressed(word.span, word.text, "outside speech"))
        else:
            spoken_words.append(word)
    return tuple(spoken_words), tuple(suppressed)


def newly_recognized(words: Iterable[Word], missed: Sequence[Span], known: Sequence[Word]) -> tuple[Word, ...]:
    """Return the words of the second transcription, margins included, that the first one had missed.

    They lie in a stretch that had none, and are not among the ``known`` words beside it: these are recognized again in
    the margins, at times that differ a little.
    """
    return tuple(word for word in words if _is_new(word, missed, known))


def _is_new(word: Word, missed: Sequence[Span], known: Sequence[Word]) -> bool:
    inside = sum(word.span.overlap(span) for span in missed)
    if not inside and not any(word.span.middle in span for span in missed):
        return False
    mostly_inside = 2 * inside >= word.span.duration
    return not any(
        word.span.overlap(other.span) > inside
        or (_letters(word.text) == _letters(other.text) and _beside(word, other, mostly_inside))
        for other in known
    )


def _beside(word: Word, other: Word, mostly_inside: bool) -> bool:
    return word.span.overlap(other.span) > 0 if mostly_inside else word.span.gap(other.span) < _SAME


def _letters(text: str) -> str:
    return re.sub(r"[^\w']", "", text.casefold())


def without_words(spoken: Iterable[Span], words: Sequence[Word], least: int) -> tuple[Span, ...]:
    """Return the stretches of speech of at least ``least`` ms that no word touches."""
    return tuple(
        span for span in spoken if span.duration >= least and not any(span.overlap(word.span) for word in words)
    )


def merge_channels(parts: Sequence[Transcript]) -> Transcript:
    """Return one transcript of several channels, in order of time; the same engine transcribed them."""
    return Transcript(
        words=tuple(
            sorted(chain.from_iterable(part.words for part in parts), key=lambda word: (word.span, word.speaker))
        ),
        suppressed=tuple(sorted(chain.from_iterable(part.suppressed for part in parts), key=lambda text: text.span)),
        vocalizations=tuple(sorted(chain.from_iterable(part.vocalizations for part in parts))),
        # A channel in which nobody speaks has started no engine, and names none.
        engine=dict(chain.from_iterable(part.engine.items() for part in parts)),
        languages=tuple(sorted(chain.from_iterable(part.languages for part in parts), key=lambda run: run.span)),
        multilingual=all(part.multilingual for part in parts),
    )


def load(settings: Settings) -> WhisperTranscriber:
    """Return the transcriber of the settings; its model is checked now and loaded when it is first needed.

    Raises
    ------
    ModelError: M01 not installed, M02 unknown name; M07 on first use, where the model cannot be loaded.
    """
    options = settings.transcription
    location = model_catalog.locate(options.model, settings.models)
    return WhisperTranscriber(
        options,
        lambda workers: Whisper(location, options.compute, workers, settings.engines),
        model_catalog.provenance(options.model, settings.models),
    )
