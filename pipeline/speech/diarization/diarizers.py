"""The three diarizers by name."""

from __future__ import annotations

from pathlib import Path

from pipeline.settings import Settings
from pipeline.speech.diarization.channels import ChannelsDiarizer
from pipeline.speech.diarization.contract import Diarizer, Kind
from pipeline.speech.diarization.manual import ManualDiarizer
from pipeline.speech.diarization.pyannote import PyannoteDiarizer


def load(
    kind: Kind, settings: Settings, speakers: int | None = 2, rttm: Path | None = None, tape_id: str = ""
) -> Diarizer:
    """Return the diarizer of a kind. It reads its weights when it starts to work.

    Parameters
    ----------
    speakers: how many voices there are; None lets ``pyannote`` count them. The other two do not need it.
    rttm: the file of the ``manual`` diarizer.
    tape_id: the tape's name, by which a file that came from the same tape is recognized.
    """
    if kind == "manual":
        if rttm is None:
            raise ValueError("the manual diarizer needs an RTTM file")
        return ManualDiarizer(rttm, settings.diarization, tape_id)
    if kind == "channels":
        return ChannelsDiarizer(settings.diarization)
    return PyannoteDiarizer(settings, speakers)
