"""A recording at a glance says what its samples say, and keeps none of them."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
import soundfile

from pipeline import settings
from pipeline.audio import overview
from pipeline.audio import recording as audio
from pipeline.audio.quality import SAMPLE_RATE, peaks
from pipeline.errors import AudioError
from pipeline.settings import AudioSettings
from tests.audio.sessions import leaking, voices

HOUR = 3_600_000


@pytest.fixture(scope="module")
def limits() -> AudioSettings:
    return settings.load().settings.audio


@pytest.fixture(scope="module")
def talk() -> np.ndarray:
    return leaking(voices(60), -12)


def _hum(sound: np.ndarray) -> np.ndarray:
    return 1e-4 * np.random.default_rng(4).standard_normal(sound.shape)


def _pause(sound: np.ndarray) -> np.ndarray:
    silent = sound.copy()
    silent[:, 10 * SAMPLE_RATE : 50 * SAMPLE_RATE] *= 1e-4
    return silent


SCENES = {
    "two voices apart": lambda talk: talk,
    "on one table": lambda talk: np.stack([talk.mean(axis=0), 0.8 * talk.mean(axis=0)]),
    "one channel": lambda talk: talk.mean(axis=0, keepdims=True),
    "nobody": _hum,
    "quiet": lambda talk: 0.003 * talk,
    "one quiet voice": lambda talk: np.stack([talk[0], 0.002 * talk[1]]),
    "far over full scale": lambda talk: 40 * talk,
    "an offset": lambda talk: talk + 0.2,
    "opposite polarity": lambda talk: np.stack([talk.mean(axis=0), -talk.mean(axis=0)]),
    "a slammed door": lambda talk: np.where(np.arange(talk.shape[1]) == 90_000, 30.0, 0.05 * talk),
    "clipped": lambda talk: np.clip(40 * talk, -1, 1),
    "four channels": lambda talk: np.concatenate([0.01 * _hum(talk), talk]),
    "a pause": _pause,
    "telephone": lambda talk: np.repeat(talk[:, ::4], 1, axis=1),
}


@pytest.mark.parametrize("scene", SCENES)
def test_the_warnings_are_those_of_the_samples(scene: str, talk: np.ndarray, limits: AudioSettings, tmp_path: Path):
    sound = SCENES[scene](talk)
    path = tmp_path / "x.wav"
    subtype = "PCM_16" if scene == "clipped" else "FLOAT"
    soundfile.write(path, sound.T, 8_000 if scene == "telephone" else SAMPLE_RATE, subtype=subtype)
    recording = audio.decode(path, limits)
    seen = overview.look_over(path, limits, HOUR)
    assert seen
    assert [warning.code for warning in seen.warnings] == [warning.code for warning in recording.warnings]
    assert [warning.span for warning in seen.warnings] == [warning.span for warning in recording.warnings]
    assert (seen.sha256, seen.shown, seen.complete) == (recording.source.sha256, recording.end, True)
    heights = peaks(recording.samples, 50).max(axis=0)
    assert np.corrcoef(heights[: len(seen.peaks)], seen.peaks)[0, 1] > 0.95
    assert seen.peaks.max() == pytest.approx(heights.max(), abs=0.06)


def test_what_is_longer_is_looked_at_up_to_the_limit(talk: np.ndarray, limits: AudioSettings, tmp_path: Path) -> None:
    soundfile.write(tmp_path / "x.wav", talk.T, SAMPLE_RATE)
    seen = overview.look_over(tmp_path / "x.wav", limits, 20_000)
    assert seen
    assert not seen.complete
    assert 20_000 <= seen.shown <= 21_000


def test_a_recording_that_is_cut_off_is_refused_as_before(limits: AudioSettings, tmp_path: Path) -> None:
    file = io.BytesIO()
    soundfile.write(file, np.zeros(160_000), SAMPLE_RATE, format="WAV")
    (tmp_path / "x.wav").write_bytes(file.getvalue()[:200_000])
    with pytest.raises(AudioError, match="TR-A13"):
        overview.look_over(tmp_path / "x.wav", limits, HOUR)
