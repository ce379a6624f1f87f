"""Faint speech: a voice from a telephone's loudspeaker, across the room, whispered, beside one that is near.

Silero's detector hears such a voice badly while a near one speaks: it is softer, and in the room's hiss its narrow band
looks like nobody's voice. So where something sounds and nobody was detected, the detector is asked again, of a copy in
which all sound is about equally loud and the hiss above the telephone's band is gone::

    near ████  far ▂▂▂    ->    ████  ▇▇▇

What sounds and has no words in the end is named, so that somebody listens there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

import numpy as np

from pipeline.audio import quality
from pipeline.audio.quality import FRAME, SAMPLE_RATE
from pipeline.speech.chunking import Samples
from pipeline.timeline import Span, clock, merge

LEAST = 600
"""Milliseconds of sound without speech; shorter ones are breath, steps, a cup."""

LEAST_SHARE = 0.02
"""Of all sound that stands out of the room's noise: less without words is not worth a warning."""

_RAISED, _ABOVE_FLOOR = 30.0, 12.0  # dB by which the softest is brought up, and over the room's noise at least
_BAND = 3_600.0  # Hz, where a telephone's band ends
_AROUND = 300  # ms: a level is that of the loudest frame so near
_PAUSE = 600  # ms between syllables of one voice
_NEAR = 250  # ms around words that are theirs, too
_SHOWN = 5  # places that a message names, the longest ones


def detect_all(samples: Samples, detect: Callable[[Samples], Sequence[Span]]) -> tuple[Span, ...]:
    """Return where ``detect`` finds speech, with the faint speech that it misses; (n,) float32 at 16 kHz."""
    speech = tuple(detect(samples))
    if not sounding(samples, speech):
        return speech
    faint = [span for span in detect(evened(samples)) if not any(span.overlap(other) for other in speech)]
    return tuple(sorted([*speech, *faint]))


def evened(samples: Samples) -> Samples:
    """Return a copy in which all sound is about equally loud, below `_BAND` alone."""
    from scipy import signal

    level = quality.levels(samples)
    reach = _AROUND // FRAME
    around = np.lib.stride_tricks.sliding_window_view(np.pad(level, reach, mode="edge"), 2 * reach + 1).max(axis=1)
    loud, floor = np.percentile(around, 95), np.percentile(level, 10) + _ABOVE_FLOOR
    gain = np.clip(loud - np.maximum(around, floor), 0.0, _RAISED)
    at = np.interp(np.arange(samples.size), (np.arange(len(gain)) + 0.5) * SAMPLE_RATE * FRAME / 1000, gain)
    low_pass = signal.butter(8, _BAND, fs=SAMPLE_RATE, output="sos")
    raised: Samples = np.clip(signal.sosfilt(low_pass, samples * 10 ** (at / 20)), -1, 1).astype(np.float32)
    return raised


def sounding(samples: Samples, speech: Iterable[Span]) -> list[Span]:
    """Return where something sounds for `LEAST` at least without any of these stretches of speech near it."""
    active = quality.activity(quality.levels(samples)) if samples.size else np.zeros(0, bool)
    for span in speech:
        active[max(0, span.start - _NEAR) // FRAME : (span.end + _NEAR) // FRAME] = False
    edges = np.flatnonzero(np.diff(np.concatenate(([False], active, [False])).astype(np.int8))).reshape(-1, 2)
    spans = merge((Span(int(start) * FRAME, int(end) * FRAME) for start, end in edges), _PAUSE)
    return [span for span in spans if span.duration >= LEAST]


def notes(samples: Samples, worded: Iterable[Span]) -> Iterator[str]:
    """Yield a sentence where much sounds and has no words: times to listen to.

    Parameters
    ----------
    worded: words, and sounds that are listed as speech without words.
    """
    silent = sounding(samples, worded)
    active = int(quality.activity(quality.levels(samples)).sum()) * FRAME if samples.size else 0
    if sum(span.duration for span in silent) < max(LEAST, LEAST_SHARE * active):
        return
    longest = sorted(sorted(silent, key=lambda span: -span.duration)[:_SHOWN])
    times = ", ".join(f"{clock(span.start)}-{clock(span.end)}" for span in longest)
    yield (
        f"something sounds at {times}, in which no word was recognized: listen there; a voice on a telephone, across "
        "the room or under music may be missing from the transcript and from every figure"
    )
