"""pyannote's diarizer on real recordings."""

from __future__ import annotations

import numpy as np
import pytest
import soundfile

from pipeline.formats import rttm
from pipeline.run.progress import ignore
from pipeline.speech.cores import Cores
from pipeline.speech.diarization import diarizers
from pipeline.speech.diarization.contract import SpeakerSegment
from pipeline.speech.diarization.segments import crop
from pipeline.timeline import Span
from tests.speech.diarization.samples import AMI, RECORDINGS, SETTINGS, error_rate, recorded, sound

pytestmark = pytest.mark.engines


def test_a_telephone_call_whose_voices_nobody_counted(telephone):
    diarization = diarizers.load("pyannote", SETTINGS, speakers=None).diarize(telephone[0], Cores(1), ignore)
    assert {segment.speaker for segment in diarization.segments} == {"S1", "S2"}
    assert error_rate(diarization, telephone[1], "sample", 30.0)["rate"] <= 6.0


def test_alike_voices_in_phone_band(tmp_path):
    """The first minute of the swapped role-play: segmentation alone leaves far more speech with the wrong voice."""
    samples = sound("roleplay-swapped.flac")[0, : 60 * 16_000]
    reference = rttm.read(RECORDINGS / "roleplay-swapped.rttm")
    minute = crop((SpeakerSegment(line.span, line.speaker) for line in reference), Span(0, 60_000))
    rttm.write(tmp_path / "minute.rttm", "minute", minute)
    diarization = diarizers.load("pyannote", SETTINGS).diarize(recorded(samples), Cores(1), ignore)
    assert error_rate(diarization, tmp_path / "minute.rttm", "minute", 60.0, collar=0.25)["rate"] <= 10.0


def test_the_second_voice_of_a_monologue_is_a_ghost():
    samples = sound("roleplay-swapped-stereo.flac")[0]
    spans = [line.span for line in rttm.read(RECORDINGS / "roleplay-swapped.rttm") if line.speaker == "S1"]
    monologue = np.concatenate([samples[span.start * 16 : span.end * 16] for span in spans])
    diarization = diarizers.load("pyannote", SETTINGS).diarize(recorded(monologue[: 20 * 16_000]), Cores(1), ignore)
    speakers = {segment.speaker for segment in diarization.segments}
    assert len(speakers) == 1 + len(diarization.spurious_speakers)


@pytest.mark.skipif(not AMI.is_dir(), reason="the AMI clips are not here")
def test_two_people_at_a_table_with_a_distant_microphone():
    samples, _ = soundfile.read(AMI / "dev00.wav", dtype="float32")
    diarization = diarizers.load("pyannote", SETTINGS).diarize(recorded(samples), Cores(1), ignore)
    assert error_rate(diarization, AMI / "debug.rttm", "dev00", 30.0)["rate"] <= 28.0
