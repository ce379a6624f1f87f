"""The diarizers by name."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.speech.diarization import diarizers
from pipeline.speech.diarization.channels import ChannelsDiarizer
from pipeline.speech.diarization.manual import ManualDiarizer
from pipeline.speech.diarization.pyannote import PyannoteDiarizer
from tests.speech.diarization.samples import SETTINGS


def test_each_kind_gets_what_it_needs():
    rttm = Path("turns.rttm")
    assert diarizers.load("manual", SETTINGS, 3, rttm, "tape-7") == ManualDiarizer(rttm, SETTINGS.diarization, "tape-7")
    assert diarizers.load("channels", SETTINGS) == ChannelsDiarizer(SETTINGS.diarization)
    assert diarizers.load("pyannote", SETTINGS, speakers=None) == PyannoteDiarizer(SETTINGS, None)


def test_the_manual_diarizer_needs_a_file():
    with pytest.raises(ValueError, match="needs an RTTM file"):
        diarizers.load("manual", SETTINGS)
