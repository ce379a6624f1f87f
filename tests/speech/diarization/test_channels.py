"""One voice per channel."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from pipeline.errors import SpeechError
from pipeline.formats import rttm
from pipeline.run.progress import ignore
from pipeline.speech.cores import Cores
from pipeline.speech.diarization import channels
from pipeline.timeline import Span
from tests.speech.diarization.samples import RECORDINGS, SETTINGS, error_rate, recorded, sound

DIARIZER = channels.ChannelsDiarizer(SETTINGS.diarization)


def test_one_channel_is_refused():
    with pytest.raises(SpeechError, match=r"TR-P15 recording sample.wav has one channel"):
        DIARIZER.diarize(recorded(np.zeros(16_000)), Cores(1), ignore)


@pytest.mark.engines
def test_leaked_speech_does_not_count(stereo, telephone):
    diarization = DIARIZER.diarize(stereo, Cores(1), ignore)
    errors = error_rate(diarization, telephone[1], "sample", 30.0, collar=0.25)
    assert errors["confusion"] < 0.5
    assert errors["rate"] < 3.0


@pytest.mark.engines
def test_leaked_speech_does_not_count_where_noise_drowns_it(stereo, telephone):
    """Louder room tone: between the other's words, one channel is as loud as the other."""
    tone = np.random.default_rng(1).normal(0, 0.004, stereo.samples.shape)
    noisy = replace(stereo, samples=(stereo.samples + tone).astype(np.float32))
    diarization = DIARIZER.diarize(noisy, Cores(1), ignore)
    assert error_rate(diarization, telephone[1], "sample", 30.0, collar=0.25)["rate"] < 5.0


def test_of_a_channel_only_its_own_voice_is_left():
    """100 ms around a voice stay, 20 ms before and after them it comes and goes."""
    isolated = channels.isolate(np.ones(16_000, np.float32), [Span(300, 500), Span(900, 1000)])
    at = {ms: float(isolated[ms * 16]) for ms in (0, 170, 190, 210, 400, 590, 610, 630, 770, 790, 850)}
    assert [at[ms] for ms in (0, 170, 630, 770)] == [0, 0, 0, 0]
    assert [at[ms] for ms in (210, 400, 590, 850)] == [1, 1, 1, 1]
    assert [at[ms] for ms in (190, 610, 790)] == [pytest.approx(0.5, abs=0.01)] * 3


@pytest.mark.engines
def test_a_gain_that_differs_by_20_db_does_not_matter(stereo, telephone):
    unequal = replace(stereo, samples=stereo.samples * np.array([[1.0], [0.1]], np.float32))
    diarization = DIARIZER.diarize(unequal, Cores(1), ignore)
    assert error_rate(diarization, telephone[1], "sample", 30.0, collar=0.25)["rate"] < 3.0


@pytest.mark.engines
def test_a_telephone_line_with_one_speaker_a_channel():
    recording = recorded(sound("roleplay-swapped-stereo.flac"))
    diarization = DIARIZER.diarize(recording, Cores(1), ignore)
    truth, length = RECORDINGS / "roleplay-swapped.rttm", recording.duration / 1000
    assert error_rate(diarization, truth, "roleplay-swapped", length, collar=0.25)["rate"] < 3.0


@pytest.mark.engines
def test_a_hum_under_the_other_s_words_is_heard():
    recording = recorded(sound("roleplay-swapped-stereo.flac"))
    diarization = DIARIZER.diarize(recording, Cores(1), ignore)
    reference = rttm.read(RECORDINGS / "roleplay-swapped.rttm")
    brief = [line for line in reference if line.span.start in (28_169, 87_178, 161_160)]
    assert len(brief) == 3
    for line in brief:
        (segment,) = [s for s in diarization.segments if s.speaker == line.speaker and s.span.overlap(line.span)]
        assert segment.span.overlap(line.span) > 0.7 * line.span.duration


@pytest.mark.engines
@pytest.mark.parametrize("kind", ["hiss", "knock", "rumble"])
def test_noises_as_loud_as_speech_are_no_hums(kind):
    """One every three seconds at the listener's microphone, in the first minute."""
    samples = sound("roleplay-swapped-stereo.flac")[:, : 60 * 16_000]
    before = DIARIZER.diarize(recorded(samples), Cores(1), ignore)
    generator = np.random.default_rng(0)
    burst = generator.normal(0, 1, 16_000 // 3)
    loud = {
        "hiss": 0.06 * burst,
        "knock": 0.3 * burst * np.exp(-np.arange(len(burst)) / 480),
        "rumble": 0.01 * (np.cumsum(burst) - np.cumsum(burst).mean()),
    }
    for second in range(2, 58, 3):
        samples[1, second * 16_000 :][: len(burst)] += loud[kind]
    after = DIARIZER.diarize(recorded(samples), Cores(1), ignore)
    known, spans = ([s.span for s in diarization.segments if s.speaker == "S2"] for diarization in (before, after))
    assert not [span for span in spans if not any(span.overlap(other) for other in known)]


@pytest.mark.engines
def test_the_first_channel_is_s1_whoever_speaks_first(stereo):
    swapped = replace(stereo, samples=stereo.samples[::-1])
    diarization = DIARIZER.diarize(swapped, Cores(1), ignore)
    assert diarization.segments[0].speaker == "S2"
