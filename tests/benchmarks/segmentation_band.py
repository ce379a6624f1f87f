"""``python -m tests.benchmarks.segmentation_band``: how who speaks when depends on the sound near 8 kHz.

The 20 minutes of `session-20-minutes` are diarized as the program does, read by the program (48 kHz, resampled) and by
libsndfile (16 kHz from the codec): nobody hears the difference. The segmentation network hears all of it, or what lies
below a cutoff. Printed are the error rates against the truth (without a collar, and with .25 s). Seven runs, about a
minute of one core each.
"""

from __future__ import annotations

from dataclasses import replace
from unittest import mock

import numpy as np
import soundfile
from pyannote.core import Annotation, Segment
from rich.console import Console
from rich.table import Table

from pipeline import settings
from pipeline.audio import recording
from pipeline.audio.recording import SAMPLE_RATE
from pipeline.run.progress import ignore
from pipeline.speech.cores import Cores
from pipeline.speech.diarization import band_limit, diarizers
from tests.benchmarks import scores
from tests.benchmarks.recordings import role_play

VOICES = 2
RUNS = (
    *(("the program", cutoff) for cutoff in (None, 7500.0, band_limit.CUTOFF, 6000.0, 5000.0)),
    *(("libsndfile", cutoff) for cutoff in (None, band_limit.CUTOFF)),
)
"""Who reads the sound, and the cutoff in Hz; None leaves the band whole."""


def main() -> None:
    """Measure and print."""
    loaded, played = settings.load().settings, role_play("session-20-minutes")
    sound = recording.decode(played.path, loaded.audio)
    samples, rate = soundfile.read(played.path, dtype="float32")
    if rate != SAMPLE_RATE:
        raise SystemExit(f"libsndfile reads it at {rate} Hz: nothing to compare")
    sounds = {"the program": sound, "libsndfile": replace(sound, samples=samples[None, :])}
    table = Table(title="Diarization error rate, session-20-minutes")
    for head in ("read by", "heard below, Hz", "DER", "DER .25"):
        table.add_column(head, justify="right")
    limited = band_limit.below
    for reader, cutoff in RUNS:

        def heard(whole: np.ndarray, rate: int, cutoff: float | None = cutoff) -> np.ndarray:
            return whole if cutoff is None else limited(whole, rate, cutoff)

        with mock.patch.object(band_limit, "below", heard):
            diarizer = diarizers.load("pyannote", loaded, VOICES)
            segments = diarizer.diarize(sounds[reader], Cores(1), ignore).segments
        voices = Annotation()
        for number, segment in enumerate(segments):
            voices[Segment(segment.span.start / 1000, segment.span.end / 1000), number] = segment.speaker
        result = scores.Result(words=(), voices=voices, utterances=(), vocalizations=())
        rates = [f"{scores.der(played.truth, result, collar):.3f}" for collar in (0.0, 0.25)]
        table.add_row(reader, "all" if cutoff is None else f"{cutoff:.0f}", *rates)
    Console(width=100).print(table)


if __name__ == "__main__":
    main()
