"""Speech detection, and cutting a recording into chunks that an engine transcribes one at a time.

Three steps, all in integer milliseconds::

    speech    |==|  |===|          |=|                       |=====|      what the voice activity detector finds
    pieces   [-------------]      [---]                     [-------]     short pauses closed, a margin around
    chunks   [-------------+------+---]                     [-------]     pieces side by side, as long as they fit

A chunk leaves long pauses out: they cost time, and an engine invents text in them. It stores where its pieces lie, so
that a time in the chunk leads back to the recording (`Chunk.locate`).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from pipeline.settings import TranscriptionSettings
from pipeline.timeline import Span, merge, outside

Samples = NDArray[np.float32]

PER_MS = 16
"""Samples in a millisecond at the 16 kHz that every engine gets."""

_STEP = 20
"""Milliseconds over which loudness is taken where a stretch without a pause has to be cut."""


@dataclass(frozen=True)
class Chunk:
    """Pieces of a recording that an engine transcribes as one, in order and without the pauses between them."""

    pieces: tuple[Span, ...]

    @property
    def duration(self) -> int:
        """Milliseconds of sound."""
        return sum(piece.duration for piece in self.pieces)

    def speech_duration(self, speech: Iterable[Span]) -> int:
        """Return the milliseconds of speech in the chunk."""
        return sum(piece.overlap(span) for span in speech for piece in self.pieces)

    def cut(self, samples: Samples) -> Samples:
        """Return the chunk's sound, (n,) float32 of the recording's (n,) float32."""
        return np.concatenate([samples[piece.start * PER_MS : piece.end * PER_MS] for piece in self.pieces])

    def stretches(self, speech: Iterable[Span], longest: int) -> list[tuple[Span, Span]]:
        """Return the stretches of speech in the chunk, each in the recording and in the chunk's own time.

        A stretch of more than ``longest`` ms comes in equal parts.
        """
        parts: list[tuple[Span, Span]] = []
        before = 0
        for piece in self.pieces:
            for span in filter(None, (spoken & piece for spoken in speech)):
                number = -(-span.duration // longest)
                edges = [span.start + span.duration * part // number for part in range(number + 1)]
                parts += [(part, part.shift(before - piece.start)) for part in map(Span, edges, edges[1:])]
            before += piece.duration
        return parts

    def locate(self, span: Span) -> Span:
        """Return where a span of the chunk lies in the recording: within the piece that holds its middle."""
        before = 0
        for piece in self.pieces:
            inside = Span(before, before + piece.duration)
            if span.middle < inside.end or piece is self.pieces[-1]:
                start = min(max(span.start, inside.start), inside.end)
                end = max(start, min(span.end, inside.end))
                return Span(start, end).shift(piece.start - before)
            before = inside.end
        raise ValueError("a chunk holds at least one piece")


def detect_speech(samples: Samples, settings: TranscriptionSettings) -> tuple[Span, ...]:
    """Return the stretches of speech by Silero's detector, which comes with faster-whisper; (n,) float32 at 16 kHz.

    The stretches are narrow: they end at pauses of 0.1 s and have no margin, so that words can be checked against them.
    """
    if not samples.size:
        return ()
    from faster_whisper.vad import VadOptions, get_speech_timestamps

    options = VadOptions(
        threshold=settings.vad_threshold, min_silence_duration_ms=100, speech_pad_ms=0, min_speech_duration_ms=60
    )
    length = samples.size // PER_MS
    spans = (
        Span(row["start"] // PER_MS, min(row["end"] // PER_MS, length))
        for row in get_speech_timestamps(samples, options)
        if row["start"] // PER_MS < length
    )
    return tuple(span for span in spans if span.duration)


def pieces(
    speech: Iterable[Span], length: int, pause: int, margin: int, beside: Sequence[Span] = ()
) -> tuple[Span, ...]:
    """Return speech with pauses under ``pause`` closed and up to ``margin`` around, in 0 to ``length``; all in ms.

    Other speech ``beside`` it is left out: no pause is closed across it, and margins end halfway to it.
    """
    closed = [part for span in merge(speech, pause) for part in outside([span], beside)]
    everything = sorted([*closed, *beside])
    room = [0, *(left.end + (right.start - left.end) // 2 for left, right in pairwise(everything)), length]
    own_pieces = set(closed)
    return tuple(
        Span(max(before, span.start - margin), min(after, span.end + margin))
        for span, before, after in zip(everything, room, room[1:], strict=False)
        if span in own_pieces
    )


def chunks(
    speech: Sequence[Span], samples: Samples, settings: TranscriptionSettings, beside: Sequence[Span] = ()
) -> tuple[Chunk, ...]:
    """Cut a recording, (n,) float32 at 16 kHz, into chunks at its pauses; speech ``beside`` it is left out.

    A chunk ends where its last piece ends. A piece that is too long for one chunk is cut at its longest pause, or,
    where it has none, where it is softest; never before three quarters of the limit, so that chunks stay few.
    """
    limit = round(settings.window_seconds * 1000)
    whole = pieces(speech, samples.size // PER_MS, settings.vad_pause_ms, settings.vad_margin_ms, beside)
    groups: list[list[Span]] = []
    for piece in whole:
        for part in _split(piece, speech, samples, limit):
            if groups and sum(span.duration for span in groups[-1]) + part.duration <= limit:
                groups[-1].append(part)
            else:
                groups.append([part])
    return tuple(Chunk(tuple(group)) for group in groups)


def _split(piece: Span, speech: Sequence[Span], samples: Samples, limit: int) -> Iterable[Span]:
    """The piece in parts of at most ``limit``."""
    while piece.duration > limit:
        allowed = Span(piece.start + 3 * limit // 4, piece.start + limit)
        pauses = [Span(left.end, right.start) for left, right in pairwise(speech) if right.start > left.end]
        inside = [pause for pause in pauses if pause.middle in allowed]
        cut = max(inside, key=lambda pause: pause.duration).middle if inside else _softest(allowed, samples)
        yield Span(piece.start, cut)
        piece = Span(cut, piece.end)
    yield piece


def _softest(span: Span, samples: Samples) -> int:
    """The middle of the softest moment within a span, in ms."""
    sound = samples[span.start * PER_MS : span.end * PER_MS]
    steps = sound[: sound.size - sound.size % (_STEP * PER_MS)].reshape(-1, _STEP * PER_MS)
    return span.start + int(np.argmin(np.square(steps).mean(axis=1))) * _STEP + _STEP // 2
