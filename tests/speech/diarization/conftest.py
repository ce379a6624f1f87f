"""Recordings that several diarizers are tested on."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile

from pipeline.audio.recording import Recording
from pipeline.formats import rttm
from tests.speech.diarization.samples import recorded


@pytest.fixture(scope="session")
def telephone() -> tuple[Recording, Path]:
    """Two people on the telephone: the sample that pyannote.audio ships, with its truth."""
    import importlib.util

    package = importlib.util.find_spec("pyannote.audio")
    assert package is not None
    assert package.submodule_search_locations is not None
    folder = Path(package.submodule_search_locations[0]) / "sample"
    return recorded(soundfile.read(folder / "sample.wav", dtype="float32")[0]), folder / "sample.rttm"


@pytest.fixture(scope="session")
def stereo(telephone) -> Recording:
    """The same call on two microphones: each speaker on one channel, 12 dB softer on the other, with room tone."""
    recording, truth = telephone
    sound = np.zeros((2, recording.mono.size), np.float32)
    for line in rttm.read(truth):
        samples = slice(line.span.start * 16, line.span.end * 16)
        sound[int(line.speaker == "speaker91"), samples] = recording.mono[samples]
    leak = 10 ** (-12 / 20)
    tone = np.random.default_rng(0).normal(0, 0.0005, sound.shape)
    return recorded(np.array([[1, leak], [leak, 1]]) @ sound + tone)
