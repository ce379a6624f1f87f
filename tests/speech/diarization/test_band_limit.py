"""What is above 7 kHz is gone, what is below stays, and blocks leave no seam."""

from __future__ import annotations

import numpy as np
import pytest

from pipeline.speech.diarization import band_limit


def tone(frequency: float, seconds: float = 1.0) -> np.ndarray:
    return np.sin(2 * np.pi * frequency * np.arange(int(16_000 * seconds)) / 16_000).astype(np.float32)


@pytest.mark.parametrize(("frequency", "least", "most"), [(300, 0.999, 1.001), (5000, 0.97, 1.01), (7900, 0.0, 0.001)])
def test_only_what_is_below_passes(frequency: float, least: float, most: float) -> None:
    sound = tone(frequency)
    passed = band_limit.below(sound, 16_000)[4000:]
    assert least <= np.sqrt(np.mean(passed**2)) / np.sqrt(np.mean(sound[4000:] ** 2)) <= most


def test_blocks_leave_no_seam(monkeypatch: pytest.MonkeyPatch) -> None:
    sound = tone(440) + tone(7500)
    whole = band_limit.below(sound, 16_000)
    monkeypatch.setattr(band_limit, "_BLOCK", 999)
    np.testing.assert_allclose(band_limit.below(sound, 16_000), whole, atol=1e-5)
