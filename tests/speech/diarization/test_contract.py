"""The contract that every diarizer meets."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import numpy as np
import pytest

from pipeline.audio.recording import Recording
from pipeline.run.progress import ignore
from pipeline.speech.cores import Cores
from pipeline.speech.diarization import diarizers
from pipeline.speech.diarization.contract import Diarizer
from pipeline.timeline import Span
from tests.speech.diarization.samples import SETTINGS, error_rate, recorded


@pytest.mark.engines
@pytest.mark.parametrize("kind", ["pyannote", "channels", "manual"])
class TestContract:
    @pytest.fixture
    def recording(self, kind, telephone, stereo) -> Recording:
        return stereo if kind == "channels" else telephone[0]

    @pytest.fixture
    def load(self, kind, telephone) -> Callable[[], Diarizer]:
        return lambda: diarizers.load(kind, SETTINGS, rttm=telephone[1] if kind == "manual" else None)

    def test_keeps_its_promises(self, kind, recording, load, telephone):
        shown: list[float] = []
        diarization = load().diarize(recording, Cores(1), shown.append)

        assert {segment.speaker for segment in diarization.segments} == {"S1", "S2"}
        assert diarization.segments[0].speaker == "S1"
        assert list(diarization.segments) == sorted(diarization.segments)
        assert all(
            0 <= s.span.start < s.span.end <= recording.duration for s in diarization.segments + diarization.exclusive
        )
        for speaker in ("S1", "S2"):
            spans = [segment.span for segment in diarization.segments if segment.speaker == speaker]
            assert all(first.end < second.start for first, second in pairwise(spans))
        assert all(first.span.end <= second.span.start for first, second in pairwise(diarization.exclusive))
        assert all(
            any(segment.speaker == alone.speaker and alone.span in segment.span for segment in diarization.segments)
            for alone in diarization.exclusive
        )
        assert diarization.spurious_speakers == ()
        assert diarization.engine["diarizer"] == kind
        assert shown == sorted(shown)
        assert shown[-1] == 1.0
        assert error_rate(diarization, telephone[1], "sample", 30.0)["confusion"] < 2.0

        assert load().diarize(recording, Cores(1), ignore) == diarization

    def test_takes_a_very_short_recording(self, kind, recording, load):
        short = recorded(recording.samples[:, 16_000 * 12 : 16_000 * 12 + 8_000], start=12_000)
        diarization = load().diarize(short, Cores(1), ignore)
        assert all(segment.span in Span(0, 500) for segment in diarization.segments + diarization.exclusive)
        assert len(diarization.segments) <= 2


@pytest.mark.engines
@pytest.mark.parametrize(("kind", "channels"), [("pyannote", 1), ("channels", 2)])
@pytest.mark.parametrize("level", [0.0, 0.001, 0.05])
def test_nobody_is_heard_where_nobody_speaks(kind, channels, level):
    """Digital silence, room tone, and loud noise, for six seconds."""
    sound = np.random.default_rng(0).normal(0, 1, (channels, 96_000)) * level
    diarization = diarizers.load(kind, SETTINGS).diarize(recorded(sound), Cores(1), ignore)
    assert (diarization.segments, diarization.exclusive, diarization.spurious_speakers) == ((), (), ())
