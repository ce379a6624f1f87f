"""Where one recording of a session lies against another, from what both microphones picked up.

Each of two people had a recorder; each recorder picked up the other person, too, however faintly. So the same sound is
in both files, later in one by the moment that its recorder was started later, and by the drift of the two clocks::

    first    ──▂▂██▂▂──────▁▁▁▁───────        time in the second = time in the first * (1 + drift) + lag
    second        ──▁▁▁▁▁──────▂▂██▂▂────

Speech is 20 to 40 dB louder than what leaks, so both sounds are made flat first, in time and in frequency: each
frequency of each 64 ms counts by its phase alone (GCC-PHAT). Stretches of the first are then looked for in the second.
One stretch may match by chance; an answer is given only where several agree within milliseconds.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from pipeline.audio.quality import SAMPLE_RATE

MOST_DRIFT = 500e-6
"""Clocks of recorders differ by 10 to 100 millionths; what seems to differ by more is no clock."""

_RATE = 4_000  # Hz; leaking speech is low, as walls and distance take the rest
_FRAME, _HOP = 256, 128  # samples at that rate: 64 and 32 ms
_BAND = (200.0, 1_800.0)  # Hz; mains hum and rumble below are no shared sound
_STRETCH = (4.0, 16.0)  # seconds of a stretch at least and at most
_STRETCHES, _SEARCHED = 80, 16  # stretches that are placed, and those of them that are looked for everywhere
_BLOCK = 256  # lags that count as one in the search, 64 ms: clocks drift by that much in 20 minutes
_REACH = 3 * _RATE  # lags before and after the most likely one that a stretch may have: a recorder may stumble
_CHANCE = 6.0  # standard deviations of a correlation; 24,000 lags reach 4.5 by chance
_ALONE, _NEAR = 0.8, 40  # what is found again that clearly, more than so many samples away, is a hum, not speech
_SPREAD = 0.006  # seconds by which stretches may differ: the other's sound travels up to 2 m between the microphones
_AGREE = 3  # stretches that must agree
_NOTICEABLE = 0.005  # seconds of drift over the whole that are worth a correction


@dataclass(frozen=True)
class Alignment:
    """The second recording's time is ``time * (1 + drift) + lag``, in seconds, ``time`` being the first's.

    ``steady`` is the share of the stretches that are surely in both which agree with that, the first of them at
    ``since`` and the last at ``until``, in seconds of the first recording.
    """

    lag: float
    drift: float
    steady: float
    since: float
    until: float


def align(first: np.ndarray, second: np.ndarray) -> Alignment | None:
    """Return how the second recording lies against the first; None where nothing surely shared says so.

    Parameters
    ----------
    first, second: float32, shape (n,), at 16 kHz.
    """
    flat_first, flat_second = _flat(first), _flat(second)
    stretches = _stretches(len(flat_first), len(flat_second))
    rough = _search(flat_first, flat_second, stretches)
    if rough is None:
        return None
    placed = [
        ((start + end) / 2 / _RATE, (rough + lag) / _RATE)
        for start, end in stretches
        if (lag := _placed(flat_first[start:end], flat_second, start + rough)) is not None
    ]
    times, lags = np.array(placed).reshape(-1, 2).T
    return _line(times, lags)


def _flat(samples: np.ndarray) -> np.ndarray:
    """The sound at 4 kHz with every frequency of every frame at the same level; digital silence stays silent."""
    import soxr
    from scipy.signal import ShortTimeFFT
    from scipy.signal.windows import hann

    slow = soxr.resample(samples, SAMPLE_RATE, _RATE)
    slow = np.pad(slow, (0, max(0, 2 * _FRAME - len(slow))))
    transform = ShortTimeFFT(np.sqrt(hann(_FRAME, sym=False)), _HOP, _RATE)
    spectrum = transform.stft(slow)
    magnitude = np.abs(spectrum)
    spectrum = np.where(magnitude > 1e-5, spectrum / np.maximum(magnitude, 1e-5), 0)
    spectrum[(transform.f < _BAND[0]) | (transform.f > _BAND[1])] = 0
    flat: np.ndarray = transform.istft(spectrum, k1=len(slow)).astype(np.float32)
    return flat


def _stretches(first: int, second: int) -> list[tuple[int, int]]:
    """The bounds of the stretches of the first recording, evenly over it."""
    shorter = min(first, second)
    width = int(np.clip(shorter / 12, _STRETCH[0] * _RATE, _STRETCH[1] * _RATE))
    count = int(np.clip(first // width, 1, _STRETCHES))
    return [(int(start), int(start) + width) for start in np.linspace(0, max(0, first - width), count)]


def _search(first: np.ndarray, second: np.ndarray, stretches: list[tuple[int, int]]) -> float | None:
    """The lag in samples at which most stretches are found in the second recording, to a block of lags."""
    from scipy import fft

    width = stretches[0][1] - stretches[0][0]
    length = fft.next_fast_len(len(second) + width, real=True)
    whole = fft.rfft(second, length)
    blocks = -(-(len(first) + len(second) + 2 * width) // _BLOCK) + 1
    votes = np.zeros(blocks, np.float32)
    for start, end in stretches[:: max(1, len(stretches) // _SEARCHED)]:
        correlation = fft.irfft(np.conj(fft.rfft(first[start:end], length)) * whole, length)
        likely = _deviations(np.concatenate([correlation[length - width :], correlation[: len(second)]]))
        begin = len(first) - start  # the block grid counts lags from -(len(first) + width)
        padded = np.pad(likely, (begin % _BLOCK, -(begin + len(likely)) % _BLOCK)).reshape(-1, _BLOCK).max(axis=1)
        votes[begin // _BLOCK : begin // _BLOCK + len(padded)] += padded
    best = int(votes.argmax())
    return float((best + 0.5) * _BLOCK - len(first) - width) if votes[best] > 0 else None


def _placed(stretch: np.ndarray, second: np.ndarray, at: float) -> float | None:
    """The lag of a stretch against where it is expected in the second, in samples; None where nothing is sure."""
    from scipy.signal import correlate

    reach = _REACH + int(MOST_DRIFT * len(second) / 2)
    start = round(at) - reach
    end = start + len(stretch) + 2 * reach
    around = np.pad(second[max(0, start) : max(0, end)], (max(0, -start), max(0, end - len(second))))
    around = around[: len(stretch) + 2 * reach]
    if len(around) <= len(stretch):
        return None
    likely = _deviations(correlate(around, stretch, mode="valid", method="fft"))
    best = int(likely.argmax())
    elsewhere = max(likely[: max(0, best - _NEAR)].max(initial=0), likely[best + _NEAR :].max(initial=0))
    sure = likely[best] >= _CHANCE and elsewhere <= _ALONE * likely[best]
    return best - reach + (round(at) - at) if sure else None


def _deviations(correlation: np.ndarray) -> np.ndarray:
    """How far each value lies from 0, in standard deviations; a microphone of opposite polarity counts like another."""
    spread = float(np.std(correlation))
    deviations: np.ndarray = np.abs(correlation) / spread if spread > 0 else np.zeros_like(correlation)
    return deviations


def _line(times: np.ndarray, lags: np.ndarray) -> Alignment | None:
    """The line through most stretches: ``times`` in the first recording and ``lags``, both in seconds."""
    if len(times) < _AGREE:
        return None
    best = np.zeros(len(times), bool)
    for drift, lag in _candidates(times, lags):
        agree = np.abs(lags - lag - drift * times) <= _SPREAD
        if agree.sum() > best.sum():
            best = agree
    if best.sum() < max(_AGREE, 0.3 * len(times)):
        return None
    span = float(np.ptp(times[best]))
    drift, lag = np.polyfit(times[best], lags[best], 1) if span > 0 else (0.0, float(np.median(lags[best])))
    if abs(drift) > MOST_DRIFT or abs(drift) * span < _NOTICEABLE:
        drift, lag = 0.0, float(np.median(lags[best]))
    return Alignment(float(lag), float(drift), float(best.mean()), float(times[best].min()), float(times[best].max()))


def _candidates(times: np.ndarray, lags: np.ndarray) -> Iterator[tuple[float, float]]:
    """Lines through each stretch, level and through each other stretch."""
    for index, (time, lag) in enumerate(zip(times, lags, strict=True)):
        yield 0.0, lag
        for other in range(index):
            drift = (lag - lags[other]) / (time - times[other])
            if abs(drift) <= MOST_DRIFT:
                yield drift, lag - drift * time
