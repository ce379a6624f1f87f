"""The least distance of two voices, by embeddings in the plane whose angles are known."""

from __future__ import annotations

import numpy as np
import pytest

from pipeline.speech.diarization.clustering import least_distance


def voices(*degrees: float, length: float = 1.0) -> np.ndarray:
    angles = np.radians(degrees)
    return length * np.stack([np.cos(angles), np.sin(angles)], axis=1)


def test_voices_are_different_from_half_of_the_distance_of_strangers() -> None:
    # cosine distance 1 - cos 90 = 1 within both windows: half of it is 1/2, the Euclidean distance of which is 1
    assert least_distance(voices(0, 90, 5, 95), np.array([0, 0, 1, 1]), 0.8) == pytest.approx(1.0)


def test_strangers_who_are_most_alike_decide() -> None:
    # 1 - cos 120 = 3/2 in one window, 1 - cos 80 = .826 in the other: two at half of that are .909 apart
    assert least_distance(voices(0, 120, 0, 80), np.array([0, 0, 1, 1]), 0.8) == pytest.approx(0.909, abs=0.0005)


def test_a_window_that_cuts_one_person_in_two_does_not_lower_it() -> None:
    assert least_distance(voices(0, 120, 0, 20), np.array([0, 0, 1, 1]), 0.8) == 0.8


def test_only_speakers_of_the_same_window_are_strangers() -> None:
    assert least_distance(voices(0, 120, 90), np.array([0, 1, 2]), 0.8) == 0.8
    assert least_distance(voices(0), np.array([0]), 0.8) == 0.8
    assert least_distance(np.zeros((0, 2)), np.zeros(0, int), 0.8) == 0.8


def test_loudness_of_an_embedding_does_not_matter() -> None:
    embeddings = np.concatenate([voices(0, length=7.0), voices(90, length=0.1)])
    assert least_distance(embeddings, np.array([0, 0]), 0.8) == pytest.approx(1.0)
