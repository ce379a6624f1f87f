"""The sound of a tape for the player: a WAV file that is made as it is asked for, from the encrypted FLAC.

Nothing is decoded that is not asked for, so a seek is quick; masked names are silent; and nothing lies in the clear.
"""

from __future__ import annotations

import io
import struct
from collections.abc import Sequence
from typing import BinaryIO, cast

import numpy as np

from pipeline.review.byte_ranges import ByteRange
from pipeline.timeline import Span

HEADER_BYTES = 44
"""Of a WAV file: RIFF, its format and the head of its data."""

MAX_SECONDS = 8
"""The most sound that one response holds, in seconds; a player requests the next."""


class WavSound:
    """A tape's sound as a WAV file of 16 bits, one channel.

    Parameters
    ----------
    file: the FLAC file, open; it is read where the WAV's bytes lie.
    silent: stretches that hold no sound for this listener.

    ``size`` is that of the WAV file, ``max_bytes`` the most of one response.
    """

    def __init__(self, file: BinaryIO | io.RawIOBase, silent: Sequence[Span] = ()) -> None:
        import soundfile

        self._file = soundfile.SoundFile(file)
        self._silent = silent
        self.rate = int(self._file.samplerate)
        self.frames = int(self._file.frames)
        self.size = HEADER_BYTES + 2 * self.frames
        self.max_bytes = MAX_SECONDS * 2 * self.rate

    def read(self, part: ByteRange) -> bytes:
        """Return some bytes of the WAV file."""
        head = self._head()[part.first : part.last + 1]
        first, last = max(0, part.first - HEADER_BYTES), part.last - HEADER_BYTES
        if last < 0:
            return head
        start, end = first // 2, last // 2 + 1
        samples = self._samples(start, end).astype("<i2").tobytes()
        return head + samples[first - 2 * start : last + 1 - 2 * start]

    def span(self, part: ByteRange) -> Span:
        """Return the time span of some bytes, in ms."""
        first, last = (max(0, byte - HEADER_BYTES) // 2 * 1000 // self.rate for byte in (part.first, part.last + 1))
        return Span(first, max(first, last))

    def _samples(self, start: int, end: int) -> np.ndarray:
        self._file.seek(start)
        samples = cast(np.ndarray, self._file.read(end - start, dtype="int16", always_2d=True))[:, 0].copy()
        for span in self._silent:
            low, high = (ms * self.rate // 1000 - start for ms in (span.start, span.end))
            samples[max(0, low) : max(0, high)] = 0
        return samples

    def _head(self) -> bytes:
        data = 2 * self.frames
        return struct.pack(
            "<4sI4s4sIHHIIHH4sI",
            *(b"RIFF", HEADER_BYTES - 8 + data, b"WAVE", b"fmt ", 16),
            *(1, 1, self.rate, 2 * self.rate, 2, 16, b"data", data),
        )
