"""From sound to words, verbatim: with "um"s and "mm-hm"s, times, and the engine's probabilities.

Speech is detected first, and only speech is transcribed, in chunks cut at pauses (`chunking`). Chunks are independent:
each can be transcribed on whatever core is free, and the result is the same on one core as on eight. The text is then
checked against the sound: text that the engine more likely invented is kept apart (`Suppressed`), and speech without
text is transcribed once more by itself, if it is longer than a word. Where there is still no text, it is reported as a
vocalization, so that a coder listens there.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from itertools import chain
from typing import Any, Protocol

from pipeline import model_catalog
from pipeline.run.progress import Progress, ignore
from pipeline.settings import Settings, TranscriptionSettings
from pipeline.speech.chunking import Chunk, Samples, chunks, detect_speech
from pipeline.speech.clock_times import written_as_times
from pipeline.speech.cores import Cores
from pipeline.speech.decoding import Hypothesis, best, decoding_options, fallback, rejection_reason
from pipeline.speech.faint_speech import detect_all
from pipeline.speech.whisper import Engine, Whisper
from pipeline.timeline import Span, Word

_NOT_SPOKEN = re.compile(r"[\[(*♪].*|.*[\])*♪]")
"""Words such as ``[BLANK_AUDIO]`` or ``(laughs)``: descriptions, not speech."""

# WER and "unclear" in `make bench` move with these.
_LONG_WORD = 800
"""Milliseconds that a word hardly ever lasts."""

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
    engine with every option.
    """

    words: tuple[Word, ...]
    suppressed: tuple[Suppressed, ...]
    vocalizations: tuple[Span, ...]
    engine: dict[str, Any]

    def by(self, speaker: str) -> Transcript:
        """Return the same with one speaker: for a channel that holds one voice."""
        return replace(self, words=tuple(word.by(speaker) for word in self.words))


@dataclass(frozen=True)
class TranscribedChunk:
    """The words of one chunk, or its rejected text, at their times in the recording."""

    words: tuple[Word, ...]
    suppressed: tuple[Suppressed, ...]


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
                spoken = detect_all(samples, lambda part: self._detect(part, self._settings))
            todo = chunks(spoken, samples, self._settings)
            if todo and self._engine is None:
                self._engine = self._start(cores.number)
        first_words, first_suppressed = self._checked(
            self._transcribe_all(todo, samples, spoken, cores, progress), spoken
        )
        missed = without_words(spoken, first_words, _LONG_WORD)
        retried = self._transcribe_all(chunks(missed, samples, self._settings), samples, missed, cores)
        second_words, second_suppressed = self._checked(retried, spoken)
        new_words = newly_recognized(second_words, missed, first_words)
        words = written_as_times(sorted((*first_words, *new_words), key=lambda word: word.span))
        suppressed = dict.fromkeys((*first_suppressed, *second_suppressed))
        progress(1.0)
        return Transcript(
            words=words,
            suppressed=tuple(sorted(suppressed, key=lambda text: text.span)),
            vocalizations=without_words(spoken, words, self._settings.vocalization_ms),
            engine=self._settings.model_dump() | self._provenance | (self._engine.version if self._engine else {}),
        )

    def _transcribe_all(
        self,
        todo: Sequence[Chunk],
        samples: Samples,
        spoken: Sequence[Span],
        cores: Cores,
        progress: Progress = ignore,
    ) -> list[TranscribedChunk]:
        """Transcribe chunks, batch by batch, on the cores that are free."""
        batches = [todo[i : i + self._settings.batch] for i in range(0, len(todo), self._settings.batch)]
        done = _Counter(len(todo), progress)

        def work(batch: Sequence[Chunk]) -> list[TranscribedChunk]:
            with cores.hold_one():
                transcribed = self._transcribe_batch(batch, samples, spoken)
            done.add(len(batch))
            return transcribed

        with ThreadPoolExecutor(cores.number, thread_name_prefix="transcribe") as pool:
            return list(chain.from_iterable(pool.map(work, batches)))

    def _checked(
        self, transcribed: Sequence[TranscribedChunk], spoken: Sequence[Span]
    ) -> tuple[tuple[Word, ...], tuple[Suppressed, ...]]:
        """Words, checked against the detected speech, and all text that is kept apart."""
        narrowed = (narrow(word, spoken) for chunk in transcribed for word in chunk.words)
        words, suppressed = gate(narrowed, spoken, self._settings.outside_ms)
        return words, (*suppressed, *chain.from_iterable(chunk.suppressed for chunk in transcribed))

    def _transcribe_batch(
        self, batch: Sequence[Chunk], samples: Samples, spoken: Sequence[Span]
    ) -> list[TranscribedChunk]:
        """Decode some chunks with every option that the settings ask for, and keep the best text of each."""
        engine, settings = self._engine, self._settings
        if engine is None:
            raise RuntimeError("the engine has not been started")
        encoded = engine.encode([chunk.cut(samples) for chunk in batch])
        decoded = [engine.decode(encoded, options) for options in decoding_options(settings)]
        chosen = [best(hypotheses, settings) for hypotheses in zip(*decoded, strict=True)]
        thin = [
            hypothesis.words * 1000 < settings.thin_words * chunk.speech_duration(spoken)
            for chunk, hypothesis in zip(batch, chosen, strict=True)
        ]
        if any(thin):
            rescued = engine.decode(encoded, fallback(settings))
            chosen = [
                best(pair, settings) if is_thin else pair[0]
                for *pair, is_thin in zip(chosen, rescued, thin, strict=True)
            ]
        aligned = engine.align(encoded, chosen)
        return [_located(*parts, settings) for parts in zip(batch, chosen, aligned, strict=True)]


class _Counter:
    """Chunks done so far, reported as a fraction; threads may finish in any order."""

    def __init__(self, total: int, progress: Progress) -> None:
        self._total, self._progress = total, progress
        self._done, self._lock = 0, threading.Lock()

    def add(self, number: int) -> None:
        with self._lock:
            self._done += number
            self._progress(self._done / self._total)


def _located(
    chunk: Chunk, hypothesis: Hypothesis, words: Sequence[Word], settings: TranscriptionSettings
) -> TranscribedChunk:
    """Words at their times in the recording, or the whole text as suppressed where it is rejected."""
    reason = rejection_reason(hypothesis, settings)
    if reason:
        extent = Span(chunk.pieces[0].start, chunk.pieces[-1].end)
        return TranscribedChunk((), (Suppressed(extent, hypothesis.text, reason),))
    return TranscribedChunk(tuple(replace(word, span=chunk.locate(word.span)) for word in words), ())


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
