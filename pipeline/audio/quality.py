"""Audio quality: levels, where somebody seems to speak, and warnings before the engines run.

Everything here is measured on frames of 20 ms. A frame is active where it is well above the recording's own floor and
not far below its loudest second; that is an energy measure, not yet a speech detector, and good enough to tell an
empty recording from a full one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from pipeline.timeline import Span, clock

SAMPLE_RATE = 16_000
"""Hertz that Whisper, the diarizer's networks and the speech detector were trained with."""

FRAME = 20
"""Length of a frame in milliseconds."""

LEAST_SPEECH = 1000
"""Milliseconds: less activity than this is nobody's speech."""

FRAME_SAMPLES = SAMPLE_RATE * FRAME // 1000  # of a frame
_SECOND = 1000 // FRAME  # frames per second
_SILENCE = -90.0  # dBFS; 16 bits end there
_ABOVE_FLOOR = 9.0  # dB; steady hum and noise stay within this, speech in a room rises above it
_BELOW_LOUD = 30.0  # dB; the range of one voice across a table

_CLIPPED_RUNS = 10  # fewer are a knock on the table
_STRETCH = 5  # seconds: clipping that returns within them is one stretch
_NARROW = -50.0  # dB of the band above 4 kHz against that below: telephones -68, distant microphones -28 (AMI)
_NARROW_FRAMES = 3_000  # frames, a minute of speech, whose spectra are taken: enough for a mean

_DOMINANT = 6.0  # dB by which one channel's level leads while its speaker talks; leakage is -10 to -15 dB
_DOMINATED = 0.6  # share of active frames in which one channel leads
_LEAST_LED = 0.05  # share of them in which each channel must lead


@dataclass(frozen=True)
class QualityWarning:
    """A flaw of the recording that makes words, speakers or codes less certain.

    ``code`` is stable; ``span`` is where, in milliseconds of the segment, or None for the whole; ``message`` names
    time and remedy.
    """

    code: str
    span: Span | None
    message: str


def levels(samples: np.ndarray) -> np.ndarray:
    """Return the level of each frame in dBFS (a full-scale square wave is 0), the last incomplete frame left out.

    Parameters
    ----------
    samples: float32, shape (..., n), at 16 kHz; the result has shape (..., n // 320).
    """
    count = samples.shape[-1] // FRAME_SAMPLES
    frames = samples[..., : count * FRAME_SAMPLES].reshape(*samples.shape[:-1], count, FRAME_SAMPLES)
    power = np.einsum("...i,...i->...", frames, frames) / FRAME_SAMPLES
    return decibels(power)


def decibels(power: np.ndarray) -> np.ndarray:
    """Return the mean square of samples as a level in dBFS."""
    level: np.ndarray = np.maximum(10 * np.log10(np.maximum(power, 1e-12)), _SILENCE)
    return level


def activity(level: np.ndarray) -> np.ndarray:
    """Return a mask of the active frames of one channel's levels: (k,) -> bool (k,)."""
    if not len(level):
        return np.zeros(0, bool)
    floor = np.percentile(level, 10)
    loudest = np.sort(level)[-min(_SECOND, max(1, len(level) // _SECOND)) :].min()
    result: np.ndarray = level > max(floor + _ABOVE_FLOOR, loudest - _BELOW_LOUD)
    return result


def speech_level(level: np.ndarray) -> float:
    """Return the mean level of active frames, (k,) in dBFS; a slammed door counts no more than the loudest speech."""
    return float(10 * np.log10(np.mean(10 ** (np.minimum(level, np.percentile(level, 95)) / 10))))


def inspect(
    samples: np.ndarray,
    sample_rate: int,
    clipped: Sequence[tuple[int, int]],
    quiet_dbfs: float,
    silence_seconds: float,
    gains: Sequence[float] = (),
) -> tuple[QualityWarning, ...]:
    """Return the warnings about a segment.

    Parameters
    ----------
    samples: float32, shape (channels, n), at 16 kHz.
    sample_rate: that of the source, in Hz.
    clipped: (second of the segment, runs of full-scale samples in it), in order.
    quiet_dbfs, silence_seconds: the settings of the same names.
    gains: dB by which each channel was brought up already; none where it was not.
    """
    by_channel = levels(samples)
    high_band = partial(_high_band, samples)
    return inspect_levels(by_channel, high_band, sample_rate, clipped, quiet_dbfs, silence_seconds, gains)


def inspect_levels(
    by_channel: np.ndarray,
    high_band: Callable[[np.ndarray], float],
    sample_rate: int,
    clipped: Sequence[tuple[int, int]],
    quiet_dbfs: float,
    silence_seconds: float,
    gains: Sequence[float] = (),
) -> tuple[QualityWarning, ...]:
    """Return the warnings that `inspect` returns, without the samples.

    Parameters
    ----------
    by_channel: the `levels` of each channel, (channels, frames). high_band: the power above 4 kHz against that below,
        in dB, over the frames of a mask.
    """
    level = by_channel.max(axis=0)
    active = activity(level)
    warnings = [*_clipping(clipped)]
    if active.sum() * FRAME < LEAST_SPEECH:
        message = "no speech was found, only background noise: check that this is the right file and segment"
        return (*warnings, QualityWarning("no_speech", None, message))
    gains = gains or [0.0] * len(by_channel)
    if lead_changes(by_channel):
        for number, (channel, gain) in enumerate(zip(by_channel, gains, strict=True), 1):
            warnings += _quiet(f"the voice of channel {number} is", channel[activity(channel)], gain, quiet_dbfs)
    else:
        warnings += _quiet("the voices are", level[active], max(gains), quiet_dbfs)
    warnings += _narrow_band(high_band, active, sample_rate)
    warnings += _silences(active, silence_seconds)
    return tuple(warnings)


def _clipping(clipped: Sequence[tuple[int, int]]) -> Iterator[QualityWarning]:
    if sum(runs for _, runs in clipped) < _CLIPPED_RUNS:
        return
    stretches: list[list[int]] = []  # first second, last second, runs
    for second, runs in clipped:
        if stretches and second - stretches[-1][1] <= _STRETCH:
            stretches[-1][1:] = [second, stretches[-1][2] + runs]
        else:
            stretches.append([second, second, runs])
    first, last, _ = max(stretches, key=lambda stretch: stretch[2])
    worst = sorted(sorted(stretches, key=lambda stretch: -stretch[2])[:3])
    times = ", ".join(f"{clock(first * 1000)}-{clock(last * 1000 + 1000)}" for first, last, _ in worst)
    message = (
        f"the recording is clipped (too loud), most at {times}: words there are less certain; "
        "next time move the recorder away or turn its input level down"
    )
    yield QualityWarning("clipping", Span(first * 1000, last * 1000 + 1000), message)


def _quiet(whose: str, level: np.ndarray, gain: float, quiet_dbfs: float) -> Iterator[QualityWarning]:
    """A warning where the active frames' level, before its gain, is low; both in dB."""
    loudness = speech_level(level) - gain
    if loudness < quiet_dbfs:
        raised = f" It was brought up by {gain:.0f} dB" if gain >= 1 else ""
        message = (
            f"{whose} quiet ({loudness:.0f} dBFS, below {quiet_dbfs:.0f}) throughout: words may be missed; "
            "next time put the recorder closer or use an external microphone"
        )
        yield QualityWarning("quiet", None, f"{message}.{raised}" if raised else message)


def _narrow_band(
    high_band: Callable[[np.ndarray], float], active: np.ndarray, sample_rate: int
) -> Iterator[QualityWarning]:
    remedy = "words are less certain throughout; next time record at 16 kHz or more, not over a telephone"
    if sample_rate < SAMPLE_RATE:
        yield QualityWarning("narrow_band", None, f"the recording is sampled at only {sample_rate:,} Hz: {remedy}")
    elif high_band(active) < _NARROW:
        yield QualityWarning("narrow_band", None, f"the recording has no frequencies above 4 kHz: {remedy}")


def _high_band(samples: np.ndarray, active: np.ndarray) -> float:
    """Power density of 4.2 to 7.5 kHz against 0.2 to 3.4 kHz over the active frames, in dB."""
    indices = np.flatnonzero(active)
    indices = indices[:: 1 + len(indices) // _NARROW_FRAMES]
    frames = samples.mean(axis=0)[: len(active) * FRAME_SAMPLES].reshape(-1, FRAME_SAMPLES)[indices] * np.hanning(
        FRAME_SAMPLES
    )
    return band_ratio(bands(frames).mean(axis=0))


def bands(frames: np.ndarray) -> np.ndarray:
    """Return the power density of 0.2 to 3.4 kHz and of 4.2 to 7.5 kHz: (..., `FRAME_SAMPLES`) -> (..., 2)."""
    power = np.abs(np.fft.rfft(frames)) ** 2
    hertz = np.fft.rfftfreq(FRAME_SAMPLES, 1 / SAMPLE_RATE)
    low, high = (hertz > 200) & (hertz < 3400), (hertz > 4200) & (hertz < 7500)
    return np.stack([power[..., low].mean(axis=-1), power[..., high].mean(axis=-1)], axis=-1)


def band_ratio(densities: np.ndarray) -> float:
    """Return the second of two power densities against the first, in dB."""
    low, high = densities
    return float(10 * np.log10(max(high, 1e-20) / max(low, 1e-20)))


def pauses(level: np.ndarray, least: int, most: int) -> tuple[int, ...]:
    """Return the middles of the pauses, in milliseconds and in order.

    Parameters
    ----------
    level: dBFS of each frame, (k,). least: milliseconds without speech that are a pause. most: pauses; the longest
        stay.
    """
    stretches = _inactive(activity(level))
    lengths = stretches[:, 1] - stretches[:, 0]
    longest = np.sort(np.argsort(-lengths, kind="stable")[: min(most, int((lengths >= least).sum()))])
    return tuple(int(middle) for middle in stretches[longest].sum(axis=1) // 2)


def _inactive(active: np.ndarray) -> np.ndarray:
    """The stretches without speech, (n, 2) in milliseconds."""
    edges = np.flatnonzero(np.diff(np.concatenate(([True], active, [True])).astype(np.int8)))
    stretches: np.ndarray = edges.reshape(-1, 2) * FRAME
    return stretches


def _silences(active: np.ndarray, silence_seconds: float) -> Iterator[QualityWarning]:
    for start, end in _inactive(active):
        if end - start >= silence_seconds * 1000:
            message = (
                f"nobody speaks from {clock(int(start))} to {clock(int(end))}: if that is not a pause, "
                "check the recorder, or choose a segment without it (--start, --end)"
            )
            yield QualityWarning("silence", Span(int(start), int(end)), message)


def two_voices(samples: np.ndarray) -> bool:
    """Return whether two channels hold one speaker each, with no more of the other than leaks across.

    The cross-talk test: while one person speaks, that person's channel leads by its distance to the other's
    microphone (10 to 15 dB for clip-on microphones, more on a telephone line), and the lead changes sides with the
    turns. Both channels of a stereo recorder on the table rise and fall together, and a dead channel never leads.

    Parameters
    ----------
    samples: float32, shape (channels, n), at 16 kHz.
    """
    return len(samples) == 2 and lead_changes(levels(samples))


def lead_changes(level: np.ndarray) -> bool:
    """Return what `two_voices` does, of the `levels` of channels: (channels, frames)."""
    if len(level) != 2:
        return False
    active = np.array([activity(channel) for channel in level])
    if min(active.sum(axis=1)) < _SECOND:
        return False
    usual = [np.percentile(channel[mask], 98) for channel, mask in zip(level, active, strict=True)]
    lead = (level[0] - usual[0] - level[1] + usual[1])[active.any(axis=0)]  # gains that differ are not leads
    first, second = np.mean(lead > _DOMINANT), np.mean(lead < -_DOMINANT)
    return bool(first + second >= _DOMINATED and min(first, second) >= _LEAST_LED)


def peaks(samples: np.ndarray, per_second: int = 20) -> np.ndarray:
    """Return the largest magnitude of each stretch of 1 / ``per_second`` s: float32, shape (channels, stretches).

    Parameters
    ----------
    samples: float32, shape (channels, n), at 16 kHz; the last stretch may be shorter.
    """
    width = SAMPLE_RATE // per_second
    starts = np.arange(0, samples.shape[1], width)
    return (
        np.maximum.reduceat(np.abs(samples), starts, axis=1) if len(starts) else np.zeros((len(samples), 0), np.float32)
    )
