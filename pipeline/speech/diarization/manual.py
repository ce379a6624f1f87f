"""The diarizer that reads an RTTM file, which somebody wrote or corrected by hand."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path

from pipeline.audio.recording import Recording
from pipeline.errors import SpeechError
from pipeline.formats import rttm as rttm_format
from pipeline.formats.rttm import RttmLine
from pipeline.run.progress import Progress
from pipeline.settings import DiarizationSettings
from pipeline.speech.cores import Cores
from pipeline.speech.diarization.contract import Diarization, SpeakerSegment
from pipeline.speech.diarization.segments import crop, exclusive, numbered_labels, relabel, spurious_speakers
from pipeline.timeline import Span, to_seconds

_OUR_LABEL = re.compile(r"S[1-9]\d{0,3}")


@dataclass(frozen=True)
class ManualDiarizer:
    """Reads an RTTM file.

    A file of ours states what its times count from, and which recording it belongs to. Times in another file count
    from the start of the whole recording; lines that are named after the tape (``tape_id``) count from its segment.
    """

    rttm: Path
    settings: DiarizationSettings
    tape_id: str = ""

    def diarize(self, recording: Recording, cores: Cores, progress: Progress) -> Diarization:
        """Return the file's speakers within the segment; those that are called ``S1``, ``S2``, … keep their labels.

        Raises
        ------
        SpeechError: P10 the file cannot be read, P11 a line is not RTTM, P12 it is another recording's file, P13 nobody
        speaks in the segment.
        """
        zero, lines = self._lines(recording)
        shifted = (SpeakerSegment(line.span.shift(zero), line.speaker) for line in lines)
        segments = crop(shifted, Span(recording.start, recording.end))
        if not all(_OUR_LABEL.fullmatch(segment.speaker) for segment in segments):
            segments = relabel(segments, numbered_labels(segments))
        if not segments:
            value = f"names no voice from {recording.start / 1000:.1f} s to {recording.end / 1000:.1f} s"
            remedy = f"check --start and --end; its times count from {to_seconds(zero)} s of the recording"
            raise SpeechError("P13", f"file {self.rttm.name}", value, remedy)
        progress(1.0)
        engine = {"diarizer": "manual", "checksum": checksum(self.rttm)}
        return Diarization(segments, exclusive(segments), spurious_speakers(segments, self.settings), engine)

    def _lines(self, recording: Recording) -> tuple[int, list[RttmLine]]:
        """The zero of the file's times, in milliseconds of the recording, and its lines about this recording."""
        file, thing = rttm_format.read_file(self.rttm), f"file {self.rttm.name}"
        if file.recording is not None and file.recording != recording.source.sha256:
            remedy = "name the right file, or remove its SPKR-INFO lines if both have the same sound"
            raise SpeechError("P12", thing, f"was made of another recording (SHA-256 {file.recording[:12]}…)", remedy)
        names = dict.fromkeys(sorted(line.recording for line in file.lines))
        expected = rttm_format.recording_name(recording.source.name)
        zeros = {expected: 0} | dict.fromkeys(rttm_format.tape_names(self.tape_id) - {expected}, recording.start)
        if file.recording is not None and len(names) == 1:
            zeros = dict.fromkeys(names, 0)
        known = next((name for name in zeros if name in names), expected)  # the recording's own name comes first
        if names and known not in names:
            value = f"names {', '.join(list(names)[:3])}, not {expected}"
            raise SpeechError("P12", thing, value, "name the right file, or change the second field of its lines")
        lines = [line for line in file.lines if line.recording == known]
        return zeros[known] if file.zero is None else file.zero, lines


def checksum(rttm: Path) -> str:
    """Return the SHA-256 of an RTTM file.

    Raises
    ------
    SpeechError: P10 the file cannot be read.
    """
    return hashlib.sha256(rttm_format.content(rttm)).hexdigest()
