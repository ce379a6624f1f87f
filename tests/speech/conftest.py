"""Sound that several tests of recognition share."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from pipeline.speech.chunking import Samples

RECORDING = Path(__file__).parent.parent / "recordings" / "roleplay-alcohol.ogg"


@pytest.fixture(scope="module")
def talk() -> Samples:
    """Seven seconds of the role-play: three sentences of two people, with an "um"."""
    soundfile = pytest.importorskip("soundfile")
    soxr = pytest.importorskip("soxr")
    samples, rate = soundfile.read(RECORDING, dtype="float32", stop=None)
    samples = samples if samples.ndim == 1 else samples.mean(axis=1)
    return np.asarray(soxr.resample(samples[: 7 * rate], rate, 16_000), dtype=np.float32)
