"""What the tests of diarizers share: recordings, segments, the diarization error rate."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import soundfile
import soxr

from pipeline import settings
from pipeline.audio.recording import Recording, Source
from pipeline.formats import rttm
from pipeline.speech.diarization.contract import Diarization, SpeakerSegment
from pipeline.timeline import Span

SETTINGS = settings.load().settings
RECORDINGS = Path(__file__).parents[2] / "recordings"
AMI = Path(__file__).parents[3] / "../shared/data/audio"


def recorded(samples: np.ndarray, name: str = "sample.wav", start: int = 0) -> Recording:
    """A recording of these samples, (channels, n) or (n,) at 16 kHz, that begins at ``start`` ms of its file."""
    samples = np.atleast_2d(samples).astype(np.float32)
    length = samples.shape[1] * 1000 // 16_000
    source = Source(name, "0" * 64, "wav", "pcm_s16le", 16_000, len(samples), start + length, start + length)
    return Recording(samples, start, start + length, source, ())


def sound(name: str) -> np.ndarray:
    """One of our recordings, (channels, n) at 16 kHz."""
    samples, rate = soundfile.read(RECORDINGS / name, dtype="float32", always_2d=True)
    return soxr.resample(samples, rate, 16_000).T


def segments(*rows: tuple[int, int, str]) -> tuple[SpeakerSegment, ...]:
    """Segments from (start, end, speaker)."""
    return tuple(SpeakerSegment(Span(start, end), speaker) for start, end, speaker in rows)


def error_rate(
    diarization: Diarization, truth: Path, recording: str, length: float, collar: float = 0.0
) -> dict[str, float]:
    """Diarization error rate in percent, and its parts. ``collar`` is that to each side of a change."""
    from pyannote.core import Annotation, Segment, Timeline
    from pyannote.metrics.diarization import DiarizationErrorRate

    def annotation(segments):
        labels = Annotation()
        for number, segment in enumerate(segments):
            labels[Segment(segment.span.start / 1000, segment.span.end / 1000), number] = segment.speaker
        return labels

    reference = annotation(line for line in rttm.read(truth) if line.recording == recording)
    whole = Timeline([Segment(0, length)])
    parts = DiarizationErrorRate(collar=2 * collar)(
        reference, annotation(diarization.segments), uem=whole, detailed=True
    )
    shares = {name: 100 * value / parts["total"] for name, value in parts.items() if name != "total"}
    return shares | {"rate": 100 * parts["diarization error rate"]}
