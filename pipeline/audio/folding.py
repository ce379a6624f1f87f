"""Folding: of more than two channels, those that hold the speech.

A recorder with several inputs writes one microphone per person beside a pair that hears the whole room; a camera
writes six channels of which one holds the voices.
"""

from __future__ import annotations

import itertools

import numpy as np

from pipeline.audio import quality
from pipeline.audio.quality import QualityWarning

_FAINT = 20.0  # dB below the loudest channel: what is left there of a voice adds only noise


def fold(samples: np.ndarray) -> tuple[np.ndarray, tuple[QualityWarning, ...]]:
    """Return one or two channels of many, and a warning that says which, and of what they were made.

    Two channels with one voice each are taken as they are; otherwise the channels that hold speech are mixed to one.

    Parameters
    ----------
    samples: float32, shape (channels, n), at 16 kHz; one or two channels come back unchanged.
    """
    if len(samples) <= 2:
        return samples, ()
    speaking, warnings = speaking_channels(quality.levels(samples))
    channels = samples[speaking]
    if len(speaking) > 2:
        channels = channels.mean(axis=0, keepdims=True, dtype=np.float32)
    return np.ascontiguousarray(channels), warnings


def speaking_channels(levels: np.ndarray) -> tuple[list[int], tuple[QualityWarning, ...]]:
    """Return which channels hold the speech, counted from 0, and a warning where there are more than two.

    Parameters
    ----------
    levels: `quality.levels` of the channels, (channels, frames).
    """
    if len(levels) <= 2:
        return list(range(len(levels))), ()
    loudness = [_loudness(level) for level in levels]
    speaking = [number for number, level in enumerate(loudness) if level > max(loudness) - _FAINT]
    pairs = [pair for pair in itertools.combinations(speaking, 2) if quality.lead_changes(levels[list(pair)])]
    if pairs:
        speaking = list(max(pairs, key=lambda pair: min(loudness[number] for number in pair)))
    message = f"of the recording's {len(levels)} channels, {_words(speaking, bool(pairs))}"
    return speaking, (QualityWarning("channels", None, message),)


def _loudness(level: np.ndarray) -> float:
    """The level of a channel's loudest tenth, in dBFS."""
    return float(np.percentile(level, 90)) if len(level) else -100.0


def _words(chosen: list[int], apart: bool) -> str:
    names = [str(number + 1) for number in chosen]
    if len(names) == 1:
        return f"only {names[0]}, which holds the voices, is used"
    listed = f"{', '.join(names[:-1])} and {names[-1]}"
    if apart:
        return f"{listed}, which hold one voice each, are used"
    return f"{listed}, which hold the voices, are {'used' if len(names) == 2 else 'mixed to one'}"
