"""The band in which the segmentation network hears: below 7 kHz.

Above it lies little of speech, and what a codec and a resampler leave there. The network reacts to that: read by
another decoder, the same session has other errors, though nobody hears a difference. Below 7 kHz both readings have
fewer (``python -m tests.benchmarks.segmentation_band``).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

CUTOFF = 7_000.0
"""Hz; the benchmark has other values."""

_ORDER = 12  # of the Butterworth filter: at 7.9 kHz, 60 dB are gone
_BLOCK = 60 * 16_000  # samples that are filtered at once, so that an hour takes no second hour of memory


def below(samples: NDArray[np.float32], rate: int, cutoff: float = CUTOFF) -> NDArray[np.float32]:
    """Return (n,) samples without what lies above the cutoff; the filter delays them by less than a millisecond."""
    from scipy import signal

    sections = signal.butter(_ORDER, cutoff, fs=rate, output="sos")
    state = np.zeros((len(sections), 2))
    limited = np.empty_like(samples)
    for start in range(0, samples.size, _BLOCK):
        block = samples[start : start + _BLOCK]
        limited[start : start + _BLOCK], state = signal.sosfilt(sections, block, zi=state)
    return limited
