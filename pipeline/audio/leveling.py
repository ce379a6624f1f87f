"""Levels of a decoded segment, before anything judges or recognizes it: offset, polarity, gain.

Recorders write a constant voltage beside the sound, wire one of two channels the wrong way round, and record voices far
under or (with floating-point samples) far over full scale. None of it is lost if it is mended before the samples are
cut to 16 bits::

    offset      each channel swings around zero
    polarity    two channels of one sound do not cancel out in their mean
    gain        quiet voices up, sound over full scale down; with one voice per channel, each channel by its own need
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pipeline.audio.quality import (
    FRAME,
    FRAME_SAMPLES,
    LEAST_SPEECH,
    SAMPLE_RATE,
    QualityWarning,
    activity,
    levels,
    speech_level,
    two_voices,
)
from pipeline.timeline import clock

RAISED_BELOW = -40.0
"""Voices below this many dBFS are brought up."""

SPEECH_LEVEL = -26.0
"""dBFS to which they are: the usual level of recorded speech, 6 dB under which peaks seldom get."""

OPPOSITE = -0.3
"""Correlation of two channels below which one of them is wired the wrong way round; two microphones near two people
have about 0, however much leaks across."""

OFFSET = 0.05  # share of a channel's own swing; a breathy voice moves the mean of a second by 0.03
_OFFSET_HERTZ = 20.0  # no voice is lower than 60
SPIKE = 6.0  # times the usual peak of speech; what is louder is a slammed door or a broken sample, and may be clipped
TURNED = (
    "the two channels have opposite polarity and would cancel out: the second one was turned; next time check the "
    "microphone's cable or adapter"
)
OVER = 3.0  # dB over full scale; lossy codecs overshoot by less
_BLOCK = 60 * SAMPLE_RATE  # samples that are filtered at once in double precision, to bound the memory


@dataclass(frozen=True)
class Leveled:
    """``samples`` are float32 of shape (channels, n) in [-1, 1), on the grid of 16 bits.

    ``gains`` are in dB by channel; ``warnings`` say what was turned or scaled down.
    """

    samples: np.ndarray
    gains: tuple[float, ...]
    warnings: tuple[QualityWarning, ...]


def leveled(decoded: np.ndarray) -> Leveled:
    """Return the samples without offset, with one polarity, at a level that 16 bits hold.

    Parameters
    ----------
    decoded: float32 of shape (channels, n) at 16 kHz, of any finite level; not changed.
    """
    samples = np.array(decoded, np.float32, order="C")
    for channel in samples:
        _remove_offset(channel)
    usual = _usual_peak(samples)
    measured = np.clip(samples / np.float32(usual), -SPIKE, SPIKE)
    apart = two_voices(measured)
    warnings = []
    if not apart and _opposite(measured):
        samples[1] *= -1
        warnings.append(QualityWarning("polarity", None, TURNED))
    voices = [measured[[number]] for number in range(len(samples))] if apart else [measured]
    ceilings = [usual * _highest(voice) for voice in voices]
    gains = [gain(levels(voice).max(axis=0), usual, ceiling) for voice, ceiling in zip(voices, ceilings, strict=True)]
    gains = gains if apart else gains * len(samples)
    over = 20 * np.log10(max(*ceilings, 1.0))
    if over > OVER:
        at = int(np.abs(samples).max(axis=0).argmax()) * 1000 // SAMPLE_RATE
        warnings.append(over_full_scale(at, over))
    for channel, factor in zip(samples, gains, strict=True):
        channel *= np.float32(factor * 32_768)
        np.clip(np.rint(channel, out=channel), -32_768, 32_767, out=channel)
        channel /= np.float32(32_768)
    return Leveled(samples, tuple(20 * float(np.log10(factor)) for factor in gains), tuple(warnings))


def _remove_offset(channel: np.ndarray) -> None:
    """Remove an offset in place, constant or drifting, if there is one: (n,) float32."""
    if not channel.size:
        return
    seconds = np.add.reduceat(channel, range(0, channel.size, SAMPLE_RATE), dtype=np.float64) / SAMPLE_RATE
    offset = np.abs(seconds).max()
    swing = np.std(channel, dtype=np.float64)
    if offset <= OFFSET * swing:
        return
    from scipy import signal

    high_pass = signal.butter(2, _OFFSET_HERTZ, "highpass", fs=SAMPLE_RATE, output="sos")
    state = signal.sosfilt_zi(high_pass) * float(channel[0])
    for start in range(0, channel.size, _BLOCK):
        block, state = signal.sosfilt(high_pass, channel[start : start + _BLOCK].astype(np.float64), zi=state)
        channel[start : start + _BLOCK] = block


def _usual_peak(samples: np.ndarray) -> float:
    """The peak of most frames with sound, whatever single samples are: (channels, n); 1 where there is no sound."""
    frames = (
        np.abs(samples[:, : samples.shape[1] // FRAME_SAMPLES * FRAME_SAMPLES])
        .max(axis=0)
        .reshape(-1, FRAME_SAMPLES)
        .max(axis=1)
    )
    frames = frames[frames > 0]
    return float(np.percentile(frames, 95)) if len(frames) else 1.0


def _highest(voice: np.ndarray) -> float:
    """The highest peak that is no spike: (channels, n), clipped at `SPIKE`."""
    magnitude = np.abs(voice)
    return float(magnitude.max(initial=0.0, where=magnitude < SPIKE))


def _opposite(measured: np.ndarray) -> bool:
    """Whether one of two channels is the other's mirror image, more or less."""
    if len(measured) != 2:
        return False
    first, second = measured
    energies = float(first @ first) * float(second @ second)
    return energies > 0 and float(first @ second) / np.sqrt(energies) < OPPOSITE


def gain(level: np.ndarray, usual: float, ceiling: float) -> float:
    """Return the factor for one voice, of the level of its frames, (k,) in dBFS after a division by ``usual``."""
    active = activity(level)
    quietest = 1 / max(ceiling, 1.0)
    if active.sum() * FRAME < LEAST_SPEECH:
        return quietest
    loudness = speech_level(level[active]) + 20 * np.log10(usual)
    wanted = 10 ** ((SPEECH_LEVEL - loudness) / 20) if loudness < RAISED_BELOW else 1.0
    return float(wanted if wanted > 1 else quietest)


def over_full_scale(at: int, over: float) -> QualityWarning:
    """Return the warning about sound that goes ``over`` dB over full scale, most at a millisecond."""
    message = (
        f"the sound goes {over:.0f} dB over full scale, most at {clock(at)}: its samples are floating-point numbers "
        "that hold it, so it was scaled down and nothing is lost; other programs may clip it"
    )
    return QualityWarning("over_full_scale", None, message)
