"""One voice a channel: the best diarizer where each speaker had a microphone of their own.

Silero's voice activity network (MIT; it comes with faster-whisper) hears speech in each channel, and with it the
other's speech that leaks across. What leaks is softer by an amount that stays the same throughout, so it is measured:
while the other one leads, the level of the own channel against the other's. Speech counts only where it is clearly
louder than its leak and the microphone's own noise would be::

    other   ───████████────────      level, dB
    own     ───▁▁▁▁▁▁▁▁──██──▁       ▁ leak: as far below the other as always; █ speech

The network hardly hears hums ("mm-hm"), which is what listeners say. So a sound counts, too, that the network does not
rule out, if it is about as loud as the speaker's speech and stands out of the room's noise.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from pipeline.audio.recording import SAMPLE_RATE, Recording
from pipeline.errors import SpeechError
from pipeline.run.progress import Progress
from pipeline.settings import DiarizationSettings
from pipeline.speech.chunking import PER_MS, Samples
from pipeline.speech.cores import Cores
from pipeline.speech.diarization.contract import Diarization, Voice, channel_speaker, clipped, exclusive, ghosts
from pipeline.timeline import Span, merge

_FRAME = 512  # samples; the network answers for each
_MS = _FRAME * 1000 / SAMPLE_RATE
# Chosen on recordings with a microphone a person: DER and "mm-hm" of `session-20-minutes-stereo` in `make bench` move.
_SURE, _FAINT = 0.4, 0.05  # speech reaches the first probability somewhere and the second throughout
_MARGIN = 6.0  # dB above the leak and the noise
_HUM = 0.1  # what the network has to reach somewhere in a hum
_AROUND, _FADE = 100, 20  # ms that are heard before and after a voice, and in which it comes and goes
_SOFTER, _ABOVE_NOISE, _HUMMED = 15.0, 20.0, 150  # dB below usual speech at most, dB above the noise and ms at least
_FLOOR = 1e-10  # power of digital silence
_PAUSE, _SHORTEST = 400, 90  # ms: shorter gaps are bridged, shorter stretches dropped ("mm" lasts 150)


@dataclass(frozen=True)
class ChannelsDiarizer:
    """Takes each of two channels for one speaker: the first is ``S1``, the second ``S2``."""

    settings: DiarizationSettings

    def diarize(self, recording: Recording, cores: Cores, progress: Progress) -> Diarization:
        """Where each channel's own speaker speaks.

        Raises
        ------
        SpeechError: P15 the recording has one channel.
        """
        if len(recording.samples) != 2:
            remedy = "use the pyannote diarizer"
            raise SpeechError(
                "P15", f"recording {recording.source.name}", "has one channel, not one per speaker", remedy
            )
        with cores.one():
            from faster_whisper import __version__

            likely = []
            for number, samples in enumerate(recording.samples, 1):
                likely.append(_likely(samples))
                progress(number / 2)
        level = [_levels(samples) for samples in recording.samples]
        speech = [_speech(each) for each in likely]
        heard = []
        for own, other in ((0, 1), (1, 0)):
            louder = _own(level[own], level[other], speech[other])
            said = speech[own] & louder
            found = said | _hums(louder, level[own], likely[own], said)
            heard += [Voice(span, channel_speaker(own)) for span in _stretches(found)]
        voices = clipped(heard, Span(0, recording.duration))
        engine = {"diarizer": "channels", "engine": "silero-vad of faster-whisper", "version": __version__}
        return Diarization(voices, exclusive(voices), ghosts(voices, self.settings), engine)


def only(samples: Samples, spans: Iterable[Span]) -> Samples:
    """A channel, (n,) samples, without the other's leaking speech: silent but for some spans and a little around them.

    The spans lie at least a quarter of a second apart, as those of one voice here do.
    """
    found = np.zeros_like(samples)
    for span in spans:
        start, end = max(0, (span.start - _AROUND - _FADE) * PER_MS), (span.end + _AROUND + _FADE) * PER_MS
        part = samples[start:end].copy()
        fade = np.linspace(0, 1, min(_FADE * PER_MS, len(part) // 2), dtype=samples.dtype)
        part[: len(fade)] *= fade
        part[len(part) - len(fade) :] *= fade[::-1]
        found[start:end] = part
    return found


def _likely(samples: np.ndarray) -> np.ndarray:
    """How likely anyone is heard, for each frame: (n,) samples -> (ceil(n / 512),)."""
    from faster_whisper.vad import get_vad_model

    return np.asarray(get_vad_model()(np.pad(samples, (0, -len(samples) % _FRAME)))).reshape(-1)


def _speech(likely: np.ndarray) -> np.ndarray:
    """Frames in which anyone is heard: likely throughout, and surely somewhere."""
    found = likely >= _FAINT
    for start, end in _runs(found):
        found[start:end] = likely[start:end].max() >= _SURE
    return found


def _hums(louder: np.ndarray, level: np.ndarray, likely: np.ndarray, said: np.ndarray) -> np.ndarray:
    """Frames of sounds without speech that are as loud as the channel's own speech (``said``), all (frames,).

    Where the channel's speaker says nothing at all, there are none to compare with, and so no hums.
    """
    if not said.any():
        return said
    least = max(np.median(level[said]) - _SOFTER, _noise(level) + _ABOVE_NOISE)
    found = louder & (level > least)
    for start, end in _runs(found):
        found[start:end] = (end - start) * _MS >= _HUMMED and likely[start:end].max() >= _HUM
    return found


def _levels(samples: np.ndarray) -> np.ndarray:
    """Level in dB for each frame, over three frames."""
    power = (np.pad(samples, (0, -len(samples) % _FRAME)).reshape(-1, _FRAME) ** 2).mean(axis=1)
    padded = np.pad(power, 1, mode="edge")
    return 10 * np.log10(np.maximum((padded[:-2] + padded[1:-1] + padded[2:]) / 3, _FLOOR))


def _own(own: np.ndarray, other: np.ndarray, other_speech: np.ndarray) -> np.ndarray:
    """Frames in which a channel is louder than what leaks into it from the other, and its own noise, make together.

    Parameters
    ----------
    own, other: levels in dB, each relative to nothing in particular: gains that differ cancel out.
    other_speech: frames with speech in the other channel.
    """
    usual = [np.percentile(level, 98) for level in (own, other)]
    theirs = other_speech & (other - usual[1] > own - usual[0])
    if not theirs.any():
        return np.ones(len(own), bool)
    leak = other + np.median((own - other)[theirs])
    return own > 10 * np.log10(10 ** (leak / 10) + 10 ** (_noise(own) / 10)) + _MARGIN


def _noise(level: np.ndarray) -> float:
    """The level of a channel, in dB, where nobody speaks."""
    return float(np.percentile(level, 10))


def _stretches(frames: np.ndarray) -> list[Span]:
    """Spans in milliseconds of the frames that are set, short gaps bridged and short stretches dropped."""
    spans = (Span(round(start * _MS), round(end * _MS)) for start, end in _runs(frames))
    return [span for span in merge(spans, _PAUSE) if span.duration >= _SHORTEST]


def _runs(frames: np.ndarray) -> np.ndarray:
    """First and past-the-last index of each run of frames that are set, shape (runs, 2)."""
    return np.flatnonzero(np.diff(np.concatenate(([0], frames.astype(np.int8), [0])))).reshape(-1, 2)
