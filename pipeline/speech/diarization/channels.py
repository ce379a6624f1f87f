"""One voice per channel: the best diarizer where each speaker had a microphone of their own.

Silero's voice activity network (MIT; it comes with faster-whisper) detects speech in each channel, and with it the
other's speech that leaks across. What leaks is softer by an amount that stays the same throughout, so it is measured:
while the other one leads, the level of this channel against the other's. Speech counts only where it is clearly
louder than its leak and the microphone's own noise would be::

    other   ───████████────────      level, dB
    this    ───▁▁▁▁▁▁▁▁──██──▁       ▁ leak: as far below the other as always; █ speech

The network hardly detects hums ("mm-hm"), which is what listeners say. So a sound counts, too, that the network does
not rule out, if it is about as loud as the speaker's speech and stands out of the room's noise.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from pipeline.audio.recording import SAMPLE_RATE, Recording
from pipeline.errors import SpeechError
from pipeline.run.progress import Progress, ignore
from pipeline.settings import DiarizationSettings
from pipeline.speech.chunking import PER_MS, Samples
from pipeline.speech.cores import Cores
from pipeline.speech.diarization.contract import Diarization, SpeakerSegment
from pipeline.speech.diarization.segments import crop, exclusive, spurious_speakers
from pipeline.timeline import Span, merge

_FRAME = 512  # samples; the network answers for each
_MS = _FRAME * 1000 / SAMPLE_RATE  # of a frame
# Chosen on recordings with a microphone per person; DER and "mm-hm" of `session-20-minutes-stereo` in `make bench`
# move with these.
_SURE, _FAINT = 0.4, 0.05  # speech reaches the first probability somewhere and the second throughout
_MARGIN = 6.0  # dB above the leak and the noise
_HUM = 0.1  # the probability that the network has to reach somewhere in a hum
_AROUND, _FADE = 100, 20  # ms that are kept before and after a voice, and over which it is faded in and out
_SOFTER, _ABOVE_NOISE, _HUMMED = 15.0, 20.0, 150  # dB below usual speech at most, dB above the noise and ms at least
_FLOOR = 1e-10  # power of digital silence
_PAUSE, _SHORTEST = 400, 90  # ms: shorter gaps are closed, shorter stretches dropped ("mm" lasts 150)


@dataclass(frozen=True)
class ChannelsDiarizer:
    """Takes each of two channels for one speaker: the first is ``S1``, the second ``S2``."""

    settings: DiarizationSettings

    def diarize(self, recording: Recording, cores: Cores, progress: Progress) -> Diarization:
        """Return where the speaker of each channel speaks.

        Raises
        ------
        SpeechError: P15 the recording has one channel.
        """
        segments = find_segments(recording, cores, progress)
        from faster_whisper import __version__

        engine = {"diarizer": "channels", "engine": "silero-vad of faster-whisper", "version": __version__}
        return Diarization(segments, exclusive(segments), spurious_speakers(segments, self.settings), engine)


def find_segments(recording: Recording, cores: Cores, progress: Progress = ignore) -> tuple[SpeakerSegment, ...]:
    """The segments in which each channel's own speaker speaks, ordered by start; computed on one core.

    Raises
    ------
    SpeechError: P15 the recording has one channel.
    """
    if len(recording.samples) != 2:
        remedy = "use the pyannote diarizer"
        raise SpeechError("P15", f"recording {recording.source.name}", "has one channel, not one per speaker", remedy)
    with cores.hold_one():
        probabilities = []
        for number, samples in enumerate(recording.samples, 1):
            probabilities.append(_speech_probabilities(samples))
            progress(number / 2)
    levels = [_levels(samples) for samples in recording.samples]
    speech = [_speech(probability) for probability in probabilities]
    stretches = []
    for channel, other in ((0, 1), (1, 0)):
        louder = _above_leak(levels[channel], levels[other], speech[other])
        clear_speech = speech[channel] & louder
        frames = clear_speech | _hums(louder, levels[channel], probabilities[channel], clear_speech)
        stretches += [SpeakerSegment(span, channel_speaker(channel)) for span in _spans(frames)]
    return crop(stretches, Span(0, recording.duration))


def channel_speaker(channel: int) -> str:
    """The speaker of a channel, counted from 0, where each channel holds one voice."""
    return f"S{channel + 1}"


def isolate(samples: Samples, spans: Iterable[Span]) -> Samples:
    """A channel, (n,) samples, without the other's leaking speech: silent but for some spans and 0.1 s around them.

    The spans lie at least a quarter of a second apart, as those of one speaker here do.
    """
    isolated = np.zeros_like(samples)
    for span in spans:
        start, end = max(0, (span.start - _AROUND - _FADE) * PER_MS), (span.end + _AROUND + _FADE) * PER_MS
        part = samples[start:end].copy()
        fade = np.linspace(0, 1, min(_FADE * PER_MS, len(part) // 2), dtype=samples.dtype)
        part[: len(fade)] *= fade
        part[len(part) - len(fade) :] *= fade[::-1]
        isolated[start:end] = part
    return isolated


def _speech_probabilities(samples: np.ndarray) -> np.ndarray:
    """The probability of speech in each frame: (n,) samples -> (ceil(n / 512),)."""
    from faster_whisper.vad import get_vad_model

    return np.asarray(get_vad_model()(np.pad(samples, (0, -len(samples) % _FRAME)))).reshape(-1)


def _speech(probability: np.ndarray) -> np.ndarray:
    """Frames with anybody's speech: likely throughout, and surely somewhere."""
    frames = probability >= _FAINT
    for start, end in _runs(frames):
        frames[start:end] = probability[start:end].max() >= _SURE
    return frames


def _hums(louder: np.ndarray, level: np.ndarray, probability: np.ndarray, speech: np.ndarray) -> np.ndarray:
    """Frames of sounds without speech that are as loud as the channel's own ``speech``; all (frames,).

    Where the channel's speaker never speaks, there is nothing to compare with, and so no hums.
    """
    if not speech.any():
        return speech
    least = max(np.median(level[speech]) - _SOFTER, _noise(level) + _ABOVE_NOISE)
    frames = louder & (level > least)
    for start, end in _runs(frames):
        frames[start:end] = (end - start) * _MS >= _HUMMED and probability[start:end].max() >= _HUM
    return frames


def _levels(samples: np.ndarray) -> np.ndarray:
    """Level in dB for each frame, over three frames."""
    power = (np.pad(samples, (0, -len(samples) % _FRAME)).reshape(-1, _FRAME) ** 2).mean(axis=1)
    padded = np.pad(power, 1, mode="edge")
    return 10 * np.log10(np.maximum((padded[:-2] + padded[1:-1] + padded[2:]) / 3, _FLOOR))


def _above_leak(level: np.ndarray, other: np.ndarray, other_speech: np.ndarray) -> np.ndarray:
    """Frames in which a channel is louder than what leaks into it from the other, and its own noise, make together.

    Parameters
    ----------
    level, other: in dB, each relative to nothing in particular: gains that differ cancel out.
    other_speech: frames with speech in the other channel.
    """
    usual, other_usual = (np.percentile(decibels, 98) for decibels in (level, other))
    other_leads = other_speech & (other - other_usual > level - usual)
    if not other_leads.any():
        return np.ones(len(level), bool)
    leak = other + np.median((level - other)[other_leads])
    return level > 10 * np.log10(10 ** (leak / 10) + 10 ** (_noise(level) / 10)) + _MARGIN


def _noise(level: np.ndarray) -> float:
    """The level of a channel, in dB, where nobody speaks."""
    return float(np.percentile(level, 10))


def _spans(frames: np.ndarray) -> list[Span]:
    """Spans in milliseconds of the frames that are set, short gaps closed and short stretches dropped."""
    spans = (Span(round(start * _MS), round(end * _MS)) for start, end in _runs(frames))
    return [span for span in merge(spans, _PAUSE) if span.duration >= _SHORTEST]


def _runs(frames: np.ndarray) -> np.ndarray:
    """First and past-the-last index of each run of frames that are set, shape (runs, 2)."""
    return np.flatnonzero(np.diff(np.concatenate(([0], frames.astype(np.int8), [0])))).reshape(-1, 2)
