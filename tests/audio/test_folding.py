"""More than two channels: those that hold the speech are taken, and a warning says which."""

from __future__ import annotations

import numpy as np

from pipeline.audio.folding import fold
from tests.sounds import tone


def _room(count: int, seconds: int = 30) -> np.ndarray:
    noise: np.ndarray = np.random.default_rng(2).standard_normal((count, 16_000 * seconds)).astype(np.float32) / 3_000
    return noise


def test_one_or_two_channels_stay_as_they_are() -> None:
    for count in (1, 2):
        samples = _room(count)
        folded, warnings = fold(samples)
        assert folded is samples
        assert warnings == ()


def test_two_microphones_beside_a_pair_that_hears_the_room_are_taken_apart() -> None:
    samples, voice = _room(4), tone(30)
    turn = np.arange(len(voice)) // 48_000 % 2 == 0
    samples[:2] += 0.4 * voice
    samples[2] += voice * turn
    samples[3] += voice * ~turn
    folded, (warning,) = fold(samples)
    assert np.array_equal(folded, samples[2:])
    assert warning.code == "channels"
    assert warning.message == "of the recording's 4 channels, 3 and 4, which hold one voice each, are used"


def test_the_voices_of_a_film_stand_in_its_third_channel() -> None:
    samples = _room(6)
    samples[2] += tone(30)
    folded, (warning,) = fold(samples)
    assert np.array_equal(folded, samples[2:3])
    assert "only 3, which holds the voices" in warning.message


def test_channels_that_all_hear_the_same_are_mixed_at_the_same_level() -> None:
    samples = np.repeat(np.rint(tone(5)[None] * 32_768) / 32_768, 8, axis=0).astype(np.float32)
    folded, (warning,) = fold(samples)
    assert np.array_equal(folded, samples[:1])
    assert "mixed to one" in warning.message


def test_silence_in_all_channels_is_no_error() -> None:
    folded, _ = fold(np.zeros((6, 32_000), np.float32))
    assert folded.shape == (1, 32_000)
