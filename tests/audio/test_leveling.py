"""Levels before anything judges: offset, polarity and gain, on sounds made here."""

from __future__ import annotations

import numpy as np
import pytest

from pipeline.audio import leveling, quality
from pipeline.audio.quality import SAMPLE_RATE
from tests.audio.test_quality import room, talk, voice


def decibels(level: float) -> np.float32:
    return np.float32(10 ** (level / 20))


def loudness(sound: np.ndarray) -> float:
    """The level of the active frames, in dBFS."""
    level = quality.levels(sound)
    return float(10 * np.log10(np.mean(10 ** (level[quality.activity(level)] / 10))))


def test_sound_at_a_usual_level_is_left_as_it_is() -> None:
    sound = np.round((voice(20, 1) + room(20)) * 32_768) / np.float32(32_768)
    leveled = leveling.leveled(sound[None])
    assert np.array_equal(leveled.samples[0], sound.astype(np.float32))
    assert leveled.gains == (0.0,)
    assert leveled.warnings == ()


@pytest.mark.parametrize("offset", [0.02, 0.3, -0.7])
def test_constant_offset_is_removed_before_anything_is_judged(offset: float) -> None:
    sound = 0.3 * voice(20, 1) * (np.arange(20 * SAMPLE_RATE) % (4 * SAMPLE_RATE) < 2 * SAMPLE_RATE) + room(20)
    samples = leveling.leveled((sound + np.float32(offset))[None]).samples[0]
    assert abs(samples.mean()) < 1e-4
    plain = quality.activity(quality.levels(sound))
    assert np.mean(quality.activity(quality.levels(samples)) == plain) > 0.98


def test_offset_that_begins_in_the_middle_is_removed_from_there_on() -> None:
    sound = 0.3 * voice(20, 1) + room(20)
    shifted = sound + np.float32(0.4) * (np.arange(len(sound)) > 8 * SAMPLE_RATE)
    samples = leveling.leveled(shifted[None]).samples[0]
    assert abs(samples[10 * SAMPLE_RATE :].mean()) < 1e-3
    assert abs(samples[: 7 * SAMPLE_RATE].mean()) < 1e-3


def test_offset_of_one_channel_moves_only_that_one() -> None:
    first, second = talk(30)
    channels = np.stack([first + room(30), second + room(30, seed=3) + np.float32(0.2)])
    samples = leveling.leveled(channels).samples
    assert np.abs(samples[0] - channels[0]).max() < 2 / 32_768
    assert abs(samples[1].mean()) < 1e-4
    assert quality.two_voices(samples)


@pytest.mark.parametrize("softer", [0, -12])
def test_opposite_polarity_is_turned_and_named(softer: float) -> None:
    sound = voice(20, 1) + room(20)
    leveled = leveling.leveled(np.stack([sound, -decibels(softer) * sound]))
    assert [warning.code for warning in leveled.warnings] == ["polarity"]
    mean = leveled.samples.mean(axis=0)
    assert loudness(mean) == pytest.approx(loudness(sound * (1 + decibels(softer)) / 2), abs=0.1)


def test_channels_that_agree_or_hold_two_people_are_not_turned() -> None:
    first, second = talk(30)
    near, far = first - decibels(-12) * second + room(30), second - decibels(-12) * first + room(30, seed=3)
    assert leveling.leveled(np.stack([near, far])).warnings == ()
    assert leveling.leveled(np.stack([near, near])).warnings == ()


@pytest.mark.parametrize("level", [-42.0, -60.0, -100.0])
def test_quiet_voices_are_brought_up(level: float) -> None:
    sound = voice(20, 1) + room(20)
    leveled = leveling.leveled((sound * decibels(level + 20))[None])
    assert loudness(leveled.samples[0]) == pytest.approx(leveling.SPEECH_LEVEL, abs=1.5)
    assert np.abs(leveled.samples).max() <= 1


def test_each_channel_with_a_voice_of_its_own_is_brought_up_by_its_own_need() -> None:
    first, second = talk(60)
    leveled = leveling.leveled(np.stack([first + room(60), decibels(-35) * (second + room(60, seed=3))]))
    assert leveled.gains[0] == 0
    assert leveled.gains[1] == pytest.approx(30, abs=3)
    warnings = quality.inspect(leveled.samples, 48_000, (), -45.0, 60.0, leveled.gains)
    (warning,) = warnings
    assert (warning.code, "channel 2" in warning.message) == ("quiet", True)
    assert f"{leveled.gains[1]:.0f} dB" in warning.message


def test_a_dead_channel_beside_a_full_one_is_not_brought_up() -> None:
    sound = voice(20, 1) + room(20)
    hiss = room(20, level=-75, seed=5)
    leveled = leveling.leveled(np.stack([sound, hiss]))
    assert leveled.gains == (0.0, 0.0)


def test_neither_silence_nor_hum_is_brought_up() -> None:
    hum = (1e-4 * np.sin(2 * np.pi * 50 * np.arange(20 * SAMPLE_RATE) / SAMPLE_RATE)).astype(np.float32)
    for sound in (hum, np.zeros_like(hum)):
        assert leveling.leveled(sound[None]).gains == (0.0,)


def test_a_slammed_door_does_not_keep_quiet_voices_down() -> None:
    sound = decibels(-35) * (voice(30, 1) + room(30))
    sound[5 * SAMPLE_RATE : 5 * SAMPLE_RATE + 4_000] = np.float32(0.9)
    sound[5 * SAMPLE_RATE : 5 * SAMPLE_RATE + 4_000 : 2] *= -1
    assert leveling.leveled(sound[None]).gains[0] > 20


@pytest.mark.parametrize("level", [6.0, 24.0, 60.0])
def test_sound_over_full_scale_is_scaled_down_whole(level: float) -> None:
    sound = voice(20, 1) + room(20)
    sound *= decibels(level) / np.abs(sound).max()
    leveled = leveling.leveled(sound[None])
    assert np.abs(leveled.samples[0] * decibels(level) - sound).max() <= decibels(level) / 32_768
    (warning,) = leveled.warnings
    assert f"{level:.0f} dB over full scale" in warning.message


def test_one_broken_sample_does_not_silence_the_rest() -> None:
    sound = voice(20, 1) + room(20)
    usual = loudness(sound)
    sound[100_000] = np.float32(1e20)
    leveled = leveling.leveled(np.stack([sound, sound]))
    assert loudness(leveled.samples[0]) == pytest.approx(usual, abs=1)
    assert leveled.warnings == ()
