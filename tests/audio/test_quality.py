"""Levels, activity, warnings and the cross-talk test, on sounds made here and, where they are, on real ones."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile

from pipeline.audio import quality
from pipeline.audio.quality import SAMPLE_RATE, QualityWarning
from pipeline.timeline import Span

AUDIO = Path(__file__).parents[3] / "shared" / "data" / "audio"
RECORDINGS = Path(__file__).parents[1] / "recordings"


def voice(seconds: float, seed: int, level: float = -20.0) -> np.ndarray:
    """Syllables: bursts of wide-band noise, four a second and uneven, at about ``level`` dBFS; float32, shape (n,)."""
    random = np.random.default_rng(seed)
    loud = np.repeat(random.uniform(0.2, 1.0, int(seconds * 4) + 1), SAMPLE_RATE // 4)[: int(seconds * SAMPLE_RATE)]
    swell = np.abs(np.sin(np.pi * np.arange(len(loud)) * 4 / SAMPLE_RATE))
    sound = random.standard_normal(len(loud)) * loud * swell
    return (sound * 10 ** (level / 20) / np.sqrt(np.mean(sound**2))).astype(np.float32)


def room(seconds: float, level: float = -65.0, seed: int = 99) -> np.ndarray:
    return (np.random.default_rng(seed).standard_normal(int(seconds * SAMPLE_RATE)) * 10 ** (level / 20)).astype(
        np.float32
    )


def talk(seconds: float = 60.0) -> tuple[np.ndarray, np.ndarray]:
    """Two voices that take turns of 3 s and 6 s."""
    time = np.arange(int(seconds * SAMPLE_RATE)) / SAMPLE_RATE
    first = time % 9 < 3
    return voice(seconds, 1) * first, voice(seconds, 2) * ~first


def inspect(
    samples: np.ndarray, rate: int = 48_000, clipped: tuple[tuple[int, int], ...] = ()
) -> dict[str, QualityWarning]:
    warnings = quality.inspect(np.atleast_2d(samples), rate, clipped, quiet_dbfs=-45.0, silence_seconds=60.0)
    return {warning.code: warning for warning in warnings}


def test_a_full_scale_square_wave_is_0_dbfs_and_half_of_it_is_6_db_less() -> None:
    square = np.tile(np.array([1.0, -1.0], np.float32), 480)
    assert quality.levels(np.stack([square, square / 2])) == pytest.approx(
        np.array([[0.0] * 3, [-6.0206] * 3]), abs=1e-4
    )


def test_an_incomplete_last_frame_is_left_out_and_silence_has_a_level() -> None:
    assert quality.levels(np.zeros((1, 959), np.float32)).tolist() == [[-90.0, -90.0]]


def test_a_normal_recording_gets_no_warning() -> None:
    first, second = talk()
    assert inspect(first + second + room(60)) == {}


@pytest.mark.parametrize(
    "sound",
    [
        lambda: np.zeros(SAMPLE_RATE * 60, np.float32),
        lambda: room(60, level=-40.0),
        lambda: (0.1 * np.sin(2 * np.pi * 50 * np.arange(SAMPLE_RATE * 60) / SAMPLE_RATE)).astype(np.float32),
        lambda: voice(0.5, 1),
    ],
    ids=["silence", "noise", "hum", "too short"],
)
def test_where_nobody_speaks_the_warning_says_so(sound: Callable[[], np.ndarray]) -> None:
    assert list(inspect(sound())) == ["no_speech"]


def test_a_short_speech_in_a_long_silence_is_found() -> None:
    sound = room(600)
    sound[SAMPLE_RATE * 300 : SAMPLE_RATE * 310] += voice(10, 1)
    warnings = inspect(sound)
    assert set(warnings) == {"silence"}


def test_quiet_voices_are_reported_with_their_level() -> None:
    warning = inspect(voice(30, 1, level=-52.0) + room(30, level=-85.0))["quiet"]
    assert "-5" in warning.message
    assert "closer" in warning.message


def test_a_low_sample_rate_is_reported() -> None:
    assert "8,000 Hz" in inspect(voice(30, 1) + room(30), rate=8_000)["narrow_band"].message


def test_a_telephone_band_in_a_wide_file_is_reported() -> None:
    spectrum = np.fft.rfft(voice(30, 1) + room(30))
    spectrum[np.fft.rfftfreq(30 * SAMPLE_RATE, 1 / SAMPLE_RATE) > 3_400] = 0
    assert "above 4 kHz" in inspect(np.fft.irfft(spectrum).astype(np.float32))["narrow_band"].message


def test_a_long_silence_is_reported_with_its_times() -> None:
    sound = room(200)
    sound[: SAMPLE_RATE * 50] += voice(50, 1)
    sound[SAMPLE_RATE * 130 :] += voice(70, 2)
    warning = inspect(sound)["silence"]
    assert warning.span is not None
    assert warning.span.start == pytest.approx(50_000, abs=500)
    assert warning.span.end == pytest.approx(130_000, abs=500)
    assert "2:10" in warning.message
    assert "--start" in warning.message


def test_a_silence_of_less_than_the_setting_is_a_pause() -> None:
    sound = room(100)
    sound[: SAMPLE_RATE * 20] += voice(20, 1)
    sound[SAMPLE_RATE * 75 :] += voice(25, 2)
    assert inspect(sound) == {}


def test_clipping_is_reported_where_it_is_worst() -> None:
    clipped = ((3, 4), (5, 6), (100, 1), (104, 40), (106, 2))
    warning = inspect(voice(120, 1) + room(120), clipped=clipped)["clipping"]
    assert warning.span == Span(100_000, 107_000)
    assert "0:03-0:06, 1:40-1:47" in warning.message


def test_a_few_clipped_peaks_are_no_clipping() -> None:
    assert inspect(voice(60, 1) + room(60), clipped=((3, 4), (5, 5))) == {}


@pytest.mark.parametrize("leak", [-60.0, -15.0, -10.0])
@pytest.mark.parametrize("gain", [0.0, -12.0, 12.0])
def test_two_speakers_on_two_channels_are_recognized(leak: float, gain: float) -> None:
    first, second = talk()
    across = 10 ** (leak / 20)
    channels = [
        first + across * np.roll(second, 40) + room(60, seed=3),
        second + across * np.roll(first, 40) + room(60, seed=4),
    ]
    assert quality.two_voices(np.stack([channels[0], channels[1] * 10 ** (gain / 20)]).astype(np.float32))


def test_a_listener_who_says_little_has_a_voice() -> None:
    listens = np.arange(60 * SAMPLE_RATE) % (15 * SAMPLE_RATE) > 1.5 * SAMPLE_RATE
    speaker, listener = voice(60, 1) * listens, voice(60, 2) * ~listens
    channels = [speaker + 0.2 * listener + room(60, seed=3), listener + 0.2 * speaker + room(60, seed=4)]
    assert quality.two_voices(np.stack(channels).astype(np.float32))


def _panned(decibels: float) -> np.ndarray:
    first, second = talk()
    across = 10 ** (-decibels / 20)
    return np.stack([first + across * second, across * first + second]) + np.stack([room(60, seed=3), room(60, seed=4)])


@pytest.mark.parametrize(
    "samples",
    [
        lambda: (sum(talk()) + room(60))[None],
        lambda: np.tile(sum(talk()) + room(60), (2, 1)),
        lambda: np.stack([sum(talk()), 0.5 * sum(talk())]) + np.stack([room(60, seed=3), room(60, seed=4)]),
        lambda: _panned(4.0),
        lambda: np.stack([sum(talk()) + room(60, seed=3), room(60, level=-50.0, seed=4)]),
        lambda: np.stack([sum(talk()) + room(60, seed=3), np.zeros(60 * SAMPLE_RATE)]),
        lambda: np.stack([voice(60, 1) + room(60, seed=3), 0.3 * voice(60, 1) + room(60, seed=4)]),
    ],
    ids=["mono", "the same twice", "one fainter", "stereo recorder", "noise", "dead channel", "one voice that leaks"],
)
def test_anything_else_is_not_one_speaker_a_channel(samples: Callable[[], np.ndarray]) -> None:
    assert not quality.two_voices(samples().astype(np.float32))


def test_peaks_are_the_largest_magnitudes_and_cover_the_last_stretch() -> None:
    sound = np.zeros((2, 2_000), np.float32)
    sound[0, 100], sound[1, 1_999] = -0.5, 0.25
    assert quality.peaks(sound, per_second=10).tolist() == [[0.5, 0.0], [0.0, 0.25]]
    assert quality.peaks(sound[:, :0]).shape == (2, 0)


REAL = {"dev00": set(), "trn01": set(), "trn02": {"quiet"}, "trn03": set(), "trn04": set(), "trn05": set()}


@pytest.mark.parametrize("name", REAL)
def test_real_recordings_get_no_false_alarm(name: str) -> None:
    """AMI's distant microphones; in trn02 everybody sits far away, at -49 dBFS."""
    path = AUDIO / f"{name}.wav"
    if not path.exists():
        pytest.skip("the shared recordings are not here")
    samples, rate = soundfile.read(path, dtype="float32")
    assert set(inspect(samples, rate)) == REAL[name]


@pytest.mark.parametrize(
    "path", sorted(file for file in RECORDINGS.glob("roleplay-*") if file.suffix in {".opus", ".ogg", ".flac", ".wav"})
)
def test_only_a_stereo_role_play_has_one_speaker_a_channel(path: Path) -> None:
    samples, _ = soundfile.read(path, dtype="float32", always_2d=True)
    assert quality.two_voices(samples.T) == ("stereo" in path.stem)


def test_pauses_are_given_by_their_middles_and_the_longest_stay() -> None:
    """Frames of 20 ms: pauses from 1.0 to 2.0, 3.0 to 3.4 and 3.9 to 4.7 s, whose middles are 1.5, 3.2 and 4.3 s."""
    level = np.repeat([-20.0, -70.0, -20.0, -70.0, -20.0, -70.0, -20.0], [50, 50, 50, 20, 25, 40, 25])
    assert quality.pauses(level, 600, 10) == (1500, 4300)
    assert quality.pauses(level, 400, 10) == (1500, 3200, 4300)
    assert quality.pauses(level, 400, 2) == (1500, 4300)
    assert quality.pauses(level[:0], 600, 10) == ()
