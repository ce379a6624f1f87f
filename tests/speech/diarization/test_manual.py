"""Diarization from RTTM files."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from pipeline.errors import SpeechError
from pipeline.formats import rttm
from pipeline.run.progress import ignore
from pipeline.speech.cores import Cores
from pipeline.speech.diarization.contract import Diarization
from pipeline.speech.diarization.manual import ManualDiarizer
from tests.speech.diarization.samples import SETTINGS, recorded, segments


@pytest.fixture
def file(tmp_path: Path) -> Path:
    written = segments((1000, 5000, "zoe"), (4000, 6000, "adam"), (9000, 9500, "zoe"))
    rttm.write(tmp_path / "told.rttm", "my tape.wav", written)
    return tmp_path / "told.rttm"


def diarize(file: Path, start: int, seconds: int, name: str = "my tape.wav") -> Diarization:
    recording = recorded(np.zeros(16_000 * seconds), name, start)
    return ManualDiarizer(file, SETTINGS.diarization).diarize(recording, Cores(1), ignore)


def test_times_count_from_the_start_of_the_recording(file):
    diarization = diarize(file, start=4500, seconds=5)
    assert diarization.segments == segments((0, 500, "S1"), (0, 1500, "S2"), (4500, 5000, "S1"))
    assert diarization.exclusive == segments((0, 1500, "S2"), (4500, 5000, "S1"))
    assert diarization.spurious_speakers == ("S1",)  # one second


def test_names_are_not_carried_on(file):
    assert "zoe" not in repr(diarize(file, start=0, seconds=10))


def test_another_recordings_file_is_refused(file):
    with pytest.raises(SpeechError, match=r"TR-P12 file told.rttm names my_tape, not other"):
        diarize(file, 0, 10, "other.wav")


@pytest.mark.parametrize("uri", ["tape-7", "sample", "anything"])
def test_what_a_cut_tape_wrote_gives_the_same_voices(uri, tmp_path):
    """Its times count from the segment's start, here 4.5 s, whatever the name in it was changed to."""
    written = segments((0, 800, "S2"), (500, 3000, "S1"), (4000, 5000, "S2"))
    rttm.write(tmp_path / "turns.rttm", uri, written, 4500, "0" * 64)
    assert diarize(tmp_path / "turns.rttm", 4500, 5).segments == written
    later = diarize(tmp_path / "turns.rttm", 5500, 4)  # another segment of the same recording
    assert later.segments == segments((0, 2000, "S1"), (3000, 4000, "S2"))


@pytest.mark.parametrize("tape_id", ["tape-7", "Ann's tape 2.1"])
def test_what_an_older_version_wrote_counts_from_the_segment(tape_id, tmp_path):
    written = segments((0, 800, "S2"), (500, 3000, "S1"))
    rttm.write(tmp_path / "turns.rttm", tape_id, written)
    recording = recorded(np.zeros(16_000 * 5), "my tape.wav", 4500)
    manual = ManualDiarizer(tmp_path / "turns.rttm", SETTINGS.diarization, tape_id)
    assert manual.diarize(recording, Cores(1), ignore).segments == written


def test_what_another_recording_s_tape_wrote_is_refused(tmp_path):
    rttm.write(tmp_path / "turns.rttm", "my tape.wav", segments((0, 800, "S2")), 0, "1" * 64)
    with pytest.raises(SpeechError, match=r"TR-P12 file turns.rttm was made of another recording"):
        diarize(tmp_path / "turns.rttm", 0, 5)


def test_where_nobody_speaks_the_zero_is_named(tmp_path):
    rttm.write(tmp_path / "turns.rttm", "tape-7", segments((0, 800, "S2")), 4500, "0" * 64)
    with pytest.raises(SpeechError, match=r"TR-P13 .* its times count from 4.500 s of the recording"):
        diarize(tmp_path / "turns.rttm", 9000, 5)


def test_a_segment_without_voices_is_refused(file):
    with pytest.raises(SpeechError, match=r"TR-P13 .* from 20.0 s to 30.0 s; check --start"):
        diarize(file, 20_000, 10)
