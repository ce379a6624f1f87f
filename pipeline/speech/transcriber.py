"""From sound to words, verbatim: what was said with its "um"s and "mm-hm"s, when, and how sure the engine is.

Speech is found first, and only speech is transcribed, in windows cut at pauses (`windows`). Windows do not know of
each other: each can be heard on whatever core is free, and the result is the same on one core as on eight. What the
engine wrote is then checked against the sound: text that it more likely invented is kept apart (`Suppressed`), and
speech that it wrote nothing for is heard once more by itself, if it is longer than a word. Where still nothing is
written, it is reported as a vocalization, so that a coder listens there.
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
from pipeline.speech.chunking import Samples, Window, speech, windows
from pipeline.speech.cores import Cores
from pipeline.speech.decoding import LAST_RESORT, Hypothesis, best, doubt, manners
from pipeline.speech.whisper import Engine, Whisper
from pipeline.timeline import Span, Word

_NOT_SPOKEN = re.compile(r"[\[(*♪].*|.*[\])*♪]")
"""Words such as ``[BLANK_AUDIO]`` or ``(laughs)``: descriptions, not speech."""

# WER and "unclear" in `make bench` move with these.
_LONG_WORD = 800
"""Milliseconds that a word hardly ever lasts."""


_SAME = 300
"""Milliseconds by which the times of a word differ, at most, between two hearings."""


@dataclass(frozen=True)
class Suppressed:
    """Text that the engine more likely invented than heard, and why we think so."""

    span: Span
    text: str
    reason: str


@dataclass(frozen=True)
class Transcript:
    """What was heard in one recording or one channel of it.

    ``words`` are ordered by start. ``vocalizations`` is detected speech without words. ``engine`` says what
    transcribed, with every option.
    """

    words: tuple[Word, ...]
    suppressed: tuple[Suppressed, ...]
    vocalizations: tuple[Span, ...]
    engine: dict[str, Any]

    def by(self, speaker: str) -> Transcript:
        """The same, said by one speaker: for a channel that holds one voice."""
        return replace(self, words=tuple(word.by(speaker) for word in self.words))


@dataclass(frozen=True)
class Heard:
    """What one window gave: words, or text that is to be doubted, at their times in the recording."""

    window: Window
    words: tuple[Word, ...]
    suppressed: tuple[Suppressed, ...]


class Transcriber(Protocol):
    """Anything that turns sound into words."""

    def transcribe(
        self, samples: Samples, cores: Cores, progress: Progress = ignore, spoken: Sequence[Span] | None = None
    ) -> Transcript:
        """The words in (n,) float32 samples at 16 kHz; empty sound has none.

        ``spoken`` is where there is speech, where that is known; else it is detected.
        """


class WhisperTranscriber:
    """Windows of speech, each heard by Whisper in several manners, of which the best is kept.

    Parameters
    ----------
    settings: the options; all are echoed in `Transcript.engine`.
    start: makes the engine for a number of workers; called once, when there is something to hear.
    provenance: name, checksum and source of the model.
    detect: finds speech; `windows.speech` unless a test brings its own.
    """

    def __init__(
        self,
        settings: TranscriptionSettings,
        start: Callable[[int], Engine],
        provenance: dict[str, str],
        detect: Callable[[Samples, TranscriptionSettings], tuple[Span, ...]] = speech,
    ) -> None:
        self._settings, self._start, self._provenance, self._detect = settings, start, provenance, detect
        self._engine: Engine | None = None

    def transcribe(
        self, samples: Samples, cores: Cores, progress: Progress = ignore, spoken: Sequence[Span] | None = None
    ) -> Transcript:
        """The words in (n,) float32 samples at 16 kHz; every window holds one of the cores while it is heard."""
        with cores.one():
            spoken = self._detect(samples, self._settings) if spoken is None else spoken
            todo = windows(spoken, samples, self._settings)
            if todo and self._engine is None:
                self._engine = self._start(cores.number)
        heard = self._hear_all(todo, samples, spoken, cores, progress)
        written, suppressed = self._checked(heard, spoken)
        missed = unclear(spoken, written, _LONG_WORD)
        heard_again = self._hear_all(windows(missed, samples, self._settings), samples, missed, cores)
        written_again, suppressed_again = self._checked(heard_again, spoken)
        words = tuple(sorted((*written, *found(written_again, missed, written)), key=lambda word: word.span))
        progress(1.0)
        return Transcript(
            words=words,
            suppressed=tuple(sorted(dict.fromkeys((*suppressed, *suppressed_again)), key=lambda text: text.span)),
            vocalizations=unclear(spoken, words, self._settings.vocalization_ms),
            engine=self._settings.model_dump() | self._provenance | (self._engine.version if self._engine else {}),
        )

    def _hear_all(
        self,
        todo: Sequence[Window],
        samples: Samples,
        spoken: Sequence[Span],
        cores: Cores,
        progress: Progress = ignore,
    ) -> list[Heard]:
        """Hear windows, batch by batch, on the cores that are free."""
        batches = [todo[i : i + self._settings.batch] for i in range(0, len(todo), self._settings.batch)]
        done = _Counter(len(todo), progress)

        def work(batch: Sequence[Window]) -> list[Heard]:
            with cores.one():
                heard = self._hear(batch, samples, spoken)
            done.add(len(batch))
            return heard

        with ThreadPoolExecutor(cores.number, thread_name_prefix="transcribe") as pool:
            return list(chain.from_iterable(pool.map(work, batches)))

    def _checked(
        self, heard: Iterable[Heard], spoken: Sequence[Span]
    ) -> tuple[tuple[Word, ...], tuple[Suppressed, ...]]:
        """Words, checked against the detected speech, and all that was kept apart."""
        heard = tuple(heard)
        placed = (narrowed(word, spoken) for window in heard for word in window.words)
        words, suppressed = gate(placed, spoken, self._settings.outside_ms)
        return words, (*suppressed, *chain.from_iterable(window.suppressed for window in heard))

    def _hear(self, batch: Sequence[Window], samples: Samples, spoken: Sequence[Span]) -> list[Heard]:
        """Hear some windows in every manner that the settings ask for, and keep the best of each window."""
        engine, settings = self._engine, self._settings
        if engine is None:
            raise RuntimeError("the engine has not been started")
        encoded = engine.encode([window.cut(samples) for window in batch])
        decoded = [engine.decode(encoded, manner) for manner in manners(settings)]
        kept = [best(hypotheses, settings) for hypotheses in zip(*decoded, strict=True)]
        thin = [
            hypothesis.words * 1000 < settings.thin_words * window.spoken(spoken)
            for window, hypothesis in zip(batch, kept, strict=True)
        ]
        if any(thin):
            again = engine.decode(encoded, LAST_RESORT)
            kept = [best(pair, settings) if less else pair[0] for *pair, less in zip(kept, again, thin, strict=True)]
        aligned = engine.align(encoded, kept)
        return [_placed(*parts, settings) for parts in zip(batch, kept, aligned, strict=True)]


class _Counter:
    """Windows done so far, told as a fraction; threads may finish in any order."""

    def __init__(self, total: int, progress: Progress) -> None:
        self._total, self._progress = total, progress
        self._done, self._lock = 0, threading.Lock()

    def add(self, number: int) -> None:
        with self._lock:
            self._done += number
            self._progress(self._done / self._total)


def _placed(window: Window, hypothesis: Hypothesis, words: Sequence[Word], settings: TranscriptionSettings) -> Heard:
    """Words at their times in the recording, or the whole text as suppressed where it is to be doubted."""
    reason = doubt(hypothesis, settings)
    if reason:
        extent = Span(window.pieces[0].start, window.pieces[-1].end)
        return Heard(window, (), (Suppressed(extent, hypothesis.text, reason),))
    return Heard(window, tuple(replace(word, span=window.locate(word.span)) for word in words), ())


def narrowed(word: Word, spoken: Sequence[Span]) -> Word:
    """A word that lasts too long to be one, within the stretch of speech that it shares most with.

    The engine's words touch each other, so that one of them takes in a pause, or speech that was left out.
    """
    if word.span.duration <= _LONG_WORD:
        return word
    shared = [part for span in spoken if (part := word.span & span)]
    return replace(word, span=max(shared, key=lambda part: part.duration)) if shared else word


def gate(words: Iterable[Word], spoken: Sequence[Span], reach: int) -> tuple[tuple[Word, ...], tuple[Suppressed, ...]]:
    """Words by start; suppressed, those farther than ``reach`` ms from all speech or that only describe a sound."""
    kept, suppressed = [], []
    for word in sorted(words, key=lambda word: word.span):
        if _NOT_SPOKEN.fullmatch(word.text):
            suppressed.append(Suppressed(word.span, word.text, "not speech"))
        elif all(word.span.gap(span) > reach for span in spoken):
            suppressed.append(Suppressed(word.span, word.text, "outside speech"))
        else:
            kept.append(word)
    return tuple(kept), tuple(suppressed)


def found(words: Iterable[Word], missed: Sequence[Span], written: Sequence[Word]) -> tuple[Word, ...]:
    """Of what was heard at the second time, margins included, the words that the first time had missed.

    They lie in a stretch that had none, and are not among the words that were ``written`` beside it: these are heard
    again in the margins, at times that differ a little.
    """
    return tuple(word for word in words if _is_new(word, missed, written))


def _is_new(word: Word, missed: Sequence[Span], written: Sequence[Word]) -> bool:
    inside = sum(word.span.overlap(span) for span in missed)
    if not inside and not any(word.span.middle in span for span in missed):
        return False
    mostly_inside = 2 * inside >= word.span.duration
    return not any(
        word.span.overlap(other.span) > inside
        or (_letters(word.text) == _letters(other.text) and _beside(word, other, mostly_inside))
        for other in written
    )


def _beside(word: Word, other: Word, mostly_inside: bool) -> bool:
    return word.span.overlap(other.span) > 0 if mostly_inside else word.span.gap(other.span) < _SAME


def _letters(text: str) -> str:
    return re.sub(r"[^\w']", "", text.casefold())


def unclear(spoken: Iterable[Span], words: Sequence[Word], least: int) -> tuple[Span, ...]:
    """Stretches of speech of at least ``least`` ms that no word touches."""
    return tuple(
        span for span in spoken if span.duration >= least and not any(span.overlap(word.span) for word in words)
    )


def merged(parts: Sequence[Transcript]) -> Transcript:
    """One transcript of several channels, in order of time; they were made by the same engine."""
    return Transcript(
        words=tuple(
            sorted(chain.from_iterable(part.words for part in parts), key=lambda word: (word.span, word.speaker))
        ),
        suppressed=tuple(sorted(chain.from_iterable(part.suppressed for part in parts), key=lambda text: text.span)),
        vocalizations=tuple(sorted(chain.from_iterable(part.vocalizations for part in parts))),
        # A part in which nobody speaks has started no engine, and names none.
        engine=dict(chain.from_iterable(part.engine.items() for part in parts)),
    )


def load(settings: Settings) -> WhisperTranscriber:
    """The transcriber of the settings; its model is checked now and loaded when there is something to hear.

    Raises
    ------
    ModelError: M01 not installed, M02 unknown name; M07 on first use, where the model cannot be loaded.
    """
    chosen = settings.transcription
    location = model_catalog.locate(chosen.model, settings.models)
    return WhisperTranscriber(
        chosen,
        lambda workers: Whisper(location, chosen.compute, workers, settings.engines),
        model_catalog.provenance(chosen.model, settings.models),
    )
