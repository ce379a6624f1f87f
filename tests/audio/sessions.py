"""Sessions as two recorders or a screen recorder write them: the stereo role-play, a voice per channel, taken apart."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import av
import numpy as np
import soundfile
import soxr

from pipeline.audio.quality import SAMPLE_RATE

STEREO = Path(__file__).parents[1] / "recordings" / "roleplay-swapped-stereo.flac"


def voices(seconds: float = 60.0) -> np.ndarray:
    """The client and the interviewer, float32 of shape (2, n) at 16 kHz, without anything of the other."""
    whole, rate = soundfile.read(STEREO, dtype="float32", always_2d=True, frames=int(seconds * 8_000))
    resampled: np.ndarray = soxr.resample(whole, rate, SAMPLE_RATE).T
    return np.ascontiguousarray(resampled)


def leaking(sounds: np.ndarray, decibels: float) -> np.ndarray:
    """Each microphone picks up the other voice by so many dB, and has a noise of its own."""
    noise = 10 ** (-70 / 20) * np.random.default_rng(5).standard_normal(sounds.shape)
    mixed: np.ndarray = (sounds + 10 ** (decibels / 20) * sounds[::-1] + noise).astype(np.float32)
    return mixed


def on_clock(sound: np.ndarray, millionths: float) -> np.ndarray:
    """The sound as a recorder writes it whose clock is faster by so many millionths."""
    slow: np.ndarray = soxr.resample(sound, SAMPLE_RATE, SAMPLE_RATE * (1 + millionths / 1e6))
    return slow


def wav(path: Path, sound: np.ndarray, rate: int = SAMPLE_RATE) -> Path:
    """A file of float32 sound, (n,) or (channels, n), at 16 kHz, written at a rate."""
    content = sound.T if rate == SAMPLE_RATE else soxr.resample(sound.T, SAMPLE_RATE, rate)
    soundfile.write(path, content, rate, subtype="PCM_16")
    return path


def with_tracks(path: Path, tracks: Sequence[np.ndarray], titles: Sequence[str] = ()) -> Path:
    """A video's container with several sound tracks, (n,) or (2, n) each, as AAC at 48 kHz."""
    with av.open(path, "w", format="matroska" if path.suffix == ".mkv" else "mp4") as container:
        streams = []
        for number, track in enumerate(tracks):
            stream = container.add_stream("aac", rate=48_000, layout="stereo" if track.ndim == 2 else "mono")
            if number < len(titles):
                stream.metadata["title"] = titles[number]
                stream.metadata["language"] = "eng"
            streams.append(stream)
        for stream, track in zip(streams, tracks, strict=True):
            content = np.atleast_2d(soxr.resample(track.T, SAMPLE_RATE, 48_000).T).astype(np.float32)
            for start in range(0, content.shape[1], 1024):
                part = np.ascontiguousarray(content[:, start : start + 1024])
                frame = av.AudioFrame.from_ndarray(part, format="fltp", layout="stereo" if len(part) == 2 else "mono")
                frame.sample_rate, frame.pts = 48_000, start
                container.mux(stream.encode(frame))
            container.mux(stream.encode(None))
    return path
