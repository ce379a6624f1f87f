"""What lies between a mouth and a file: trimming, level, the room, the telephone, the codec.

Sound is float32, one dimension, `RATE` samples a second unless said otherwise; levels are in dB of full scale (a sine
of amplitude 1 has -3).
"""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import soundfile
import soxr
from scipy import signal

from tests.recordings.voices import Samples

RATE = 16_000
PHONE_RATE = 8_000
PHONE_BAND = (300, 3400)
PHONE_STEPS = 2**12
SPEECH_LEVEL = -23.0
CEILING = 0.5
ROOM_NOISE = -58.0
LINE_NOISE = -66.0
LEAK = -15.0
"""How loud the other one is in one's own microphone, in dB of what one's own voice is there."""
FRAME = RATE // 100
EDGE = 0.015
"""Seconds kept on each side of a trimmed sentence, so that soft onsets stay."""


def resample(samples: Samples, rate: int, to: int) -> Samples:
    return soxr.resample(samples, rate, to, quality="VHQ").astype(np.float32)


def trim(samples: Samples) -> Samples:
    """Without the silence at both edges: what lies 40 dB under the loudest frame is silence."""
    energy = _frames(samples)
    (loud,) = np.nonzero(energy > energy.max() * 1e-4)
    edge = int(EDGE * RATE)
    return samples[max(0, loud[0] * FRAME - edge) : (loud[-1] + 1) * FRAME + edge]


def level(samples: Samples, decibels: float) -> Samples:
    """Scaled so that the speech has this level and no peak passes `CEILING`; edges faded against clicks.

    The frames less than 30 dB under the loudest count as speech.
    """
    energy = _frames(samples)
    speech = energy[energy > energy.max() * 1e-3].mean()
    fade = np.minimum(1, np.arange(1, len(samples) + 1) / (EDGE * RATE / 2))
    gain = min(np.sqrt(10 ** (decibels / 10) / speech), CEILING / np.abs(samples).max())
    return (samples * gain * fade * fade[::-1]).astype(np.float32)


def _frames(samples: Samples) -> Samples:
    """Mean square per 10 ms."""
    whole = samples[: len(samples) // FRAME * FRAME]
    return np.mean(whole.reshape(-1, FRAME) ** 2, axis=1)


def in_room(samples: Samples, rng: np.random.Generator) -> Samples:
    """The voice as a microphone on the desk hears it: eight early reflections and a soft tail (0.3 s to -60 dB)."""
    response = np.zeros(int(0.3 * RATE))
    times = np.arange(len(response)) / RATE
    response += rng.normal(0, 0.02, len(response)) * 10 ** (-3 * times / 0.3) * (times > 0.01)
    for delay in rng.uniform(0.002, 0.030, 8):
        response[int(delay * RATE)] += rng.choice([-1, 1]) * 10 ** ((-9 - 350 * delay) / 20)
    response[0] = 1
    return signal.fftconvolve(samples, response)[: len(samples)].astype(np.float32)


def hiss(length: int, decibels: float, rng: np.random.Generator) -> Samples:
    """Noise that falls by 3 dB an octave above 50 Hz, as rooms do."""
    spectrum = np.fft.rfft(rng.normal(size=length))
    frequencies = np.fft.rfftfreq(length, 1 / RATE)
    noise = np.fft.irfft(spectrum / np.sqrt(np.maximum(frequencies, 50)), length)
    return (noise * 10 ** (decibels / 20) / np.sqrt(np.mean(noise**2))).astype(np.float32)


def on_phone(samples: Samples) -> Samples:
    """The band of a telephone, at `PHONE_RATE`, in steps of 13 bits (A-law's linear range, which FLAC packs well)."""
    band = signal.butter(8, PHONE_BAND, "bandpass", fs=RATE, output="sos")
    narrow = resample(signal.sosfilt(band, samples), RATE, PHONE_RATE)
    return (np.rint(narrow * PHONE_STEPS) / PHONE_STEPS).astype(np.float32)


def write_flac(path: Path, channels: list[Samples], rate: int) -> None:
    """16-bit FLAC, one array a channel."""
    soundfile.write(path, np.stack(channels, axis=1), rate, subtype="PCM_16", format="FLAC", compression_level=1.0)


def on_two_microphones(voices: list[Samples], rng: np.random.Generator) -> list[Samples]:
    """Two voices as a microphone near each of them hears them: its own, and the other `LEAK` dB softer, another way."""
    first, second = voices
    leak = np.float32(10 ** (LEAK / 20))
    return [in_room(near, rng) + leak * in_room(far, rng) for near, far in ((first, second), (second, first))]


def write_opus(path: Path, channels: list[Samples], bits_per_second: int) -> None:
    """Opus in Ogg at `RATE`, one array a channel, so many bits for each; the same samples give the same bytes."""
    pcm = np.clip(np.rint(np.stack(channels, axis=1) * 32767), -32768, 32767).astype(np.int16)
    layout = {1: "mono", 2: "stereo"}[len(channels)]
    with av.open(str(path), "w", format="ogg", container_options={"fflags": "+bitexact"}) as container:
        stream = container.add_stream("libopus", rate=RATE, layout=layout, options={"application": "voip"})
        stream.bit_rate = bits_per_second * len(channels)
        stream.codec_context.flags |= av.codec.context.Flags.bitexact
        for start in range(0, len(pcm), RATE):
            part = pcm[start : start + RATE].reshape(1, -1)
            frame = av.AudioFrame.from_ndarray(part, format="s16", layout=layout)
            frame.sample_rate, frame.pts, frame.time_base = RATE, start, Fraction(1, RATE)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
