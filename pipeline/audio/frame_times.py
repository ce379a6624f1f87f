"""Frame times: decoded frames on the clock of their file, so that a word has the time at which a player plays it.

A frame that says that it comes later than the sound before it ends leaves a hole, which is filled with silence. Of one
that says that it begins before that, what would be in two places at once is left out. A clock that jumps back by more
than a second was started again, and the sound goes on from there.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

import numpy as np

from pipeline.audio.decoder import Hole

TOLERANCE = 15
"""Milliseconds by which a frame may be off its time: containers round times, and the shortest packets have 20 ms."""

_RESTART = 1_000  # ms: a clock that jumps back by more was started again
_NEAR = 1_000  # ms: holes of one kind that are closer are one
_MOST = 1_000  # holes that are told apart
_BLOCK = 32_768  # samples of silence at once


@dataclass(frozen=True)
class TimedBlock:
    """A decoded frame: float32 of shape (n, channels), and the sample of the file's clock at which it begins.

    ``start`` is None where the file gives no time; ``lost`` samples before it could not be decoded.
    """

    start: int | None
    samples: np.ndarray
    lost: int = 0


class FrameClock:
    """The sound in the order of its times; ``holes`` are complete up to what has been read."""

    def __init__(self, rate: int, kind: str = "gap") -> None:
        """``kind`` is that of holes in which no packet was found (`pipeline.audio.decoder.Hole`)."""
        self.holes: list[Hole] = []
        self._kind, self._rate = kind, rate
        self._near = TOLERANCE * rate // 1000  # samples
        self._position = 0  # samples, that the next block has when nothing is missing
        self._shift = 0  # samples, added to the times of a clock that was started again

    def placed(self, blocks: Iterable[TimedBlock]) -> Iterator[np.ndarray]:
        """Yield the sound from time zero on, silence where there is none: float32 of shape (n, channels)."""
        for block in self._steady(blocks):
            missing = self._missing(block)
            if missing > 0 or block.lost:
                silent = max(0, missing) or (block.lost if block.start is None else 0)
                self._note("damage" if block.lost else self._kind, silent, silent)
            if missing > 0:
                yield from self._silence(missing, block.samples.shape[1])
            if missing < 0:
                self._note("overlap", -missing, 0)
            early = max(0, -self._position, -missing)  # before zero stands what an encoder needed to begin
            self._position += max(0, len(block.samples) + min(0, missing))
            yield block.samples[early:]

    def _missing(self, block: TimedBlock) -> int:
        """Samples between the sound so far and a block, less than none if it begins before; 0 if it only seems so."""
        if block.start is None:
            return 0
        if self._position == 0 and block.start <= 0 and self._shift == 0:
            self._position = block.start  # the first may begin before zero
        missing = block.start + self._shift - self._position
        if missing < -_RESTART * self._rate // 1000:
            self._note("restart", 0, 0)
            self._shift -= missing
            return 0
        return missing if abs(missing) > self._near else 0

    def _steady(self, blocks: Iterable[TimedBlock]) -> Iterator[TimedBlock]:
        """Take its time from a block that jumps alone: the next one is where nothing had happened."""
        expected: int | None = None
        following: Iterator[TimedBlock | None] = itertools.chain(blocks, [None])
        for block, after in itertools.pairwise(following):
            if block is None:
                return
            if expected is not None and block.start is not None and after is not None and after.start is not None:
                back = after.start - expected - len(block.samples)
                if abs(back) <= self._near < abs(block.start - expected):
                    block = replace(block, start=None)
            expected = expected if block.start is None else block.start
            expected = None if expected is None else expected + len(block.samples)
            yield block

    def _silence(self, samples: int, channels: int) -> Iterator[np.ndarray]:
        self._position += samples
        block = np.zeros((min(samples, _BLOCK), channels), np.float32)
        while samples > 0:
            yield block[:samples]
            samples -= len(block)

    def _note(self, kind: str, missing: int, silent: int) -> None:
        """Note samples that are missing from here on, of which so many are replaced by silence."""
        start = max(0, self._position) * 1000 // self._rate
        end = max(0, self._position + silent) * 1000 // self._rate
        missing = missing * 1000 // self._rate
        last = self.holes[-1] if self.holes else None
        if last and ((last.kind == kind and start - last.end <= _NEAR) or len(self.holes) >= _MOST):
            self.holes[-1] = Hole(last.kind, last.start, end, last.missing + missing)
        else:
            self.holes.append(Hole(kind, start, end, missing))
