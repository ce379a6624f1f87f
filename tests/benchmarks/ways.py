"""The ways of processing that the benchmark compares, each run in a process of its own.

``python -m tests.benchmarks.ways WAY AUDIO SPEAKERS RESULT.json`` where WAY is ``plain`` or one of our profiles.
"""

from __future__ import annotations

import json
import resource
import sys
import tempfile
import time
from collections import defaultdict
from pathlib import Path
from typing import Any

from tests.memory import peak_mb


class Clock:
    """Wall seconds per stage; an `Observer` of our runs."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = defaultdict(float)
        self._since: dict[str, float] = {}

    def started(self, stage: str) -> None:
        """Start the stage's clock."""
        self._since[stage] = time.perf_counter()

    def progressed(self, stage: str, fraction: float) -> None:
        """Nothing to show."""

    def finished(self, stage: str, reused: bool) -> None:
        """Stop the stage's clock."""
        self.seconds[stage] += time.perf_counter() - self._since.pop(stage)


def ours(profile: str, audio: Path, speakers: int) -> dict[str, Any]:
    """`tape-review process` with one of its profiles."""
    from pipeline import settings, stages

    clock = Clock()
    chosen = settings.load([] if profile == "verbatim" else [profile]).settings
    request = stages.ProcessRequest((audio,), "the change that the session is about", speakers=speakers)
    with tempfile.TemporaryDirectory() as folder:
        tape = stages.process(request, chosen, Path(folder) / "tape", clock)
        return {"seconds": clock.seconds, **found_in(tape.folder)}


def found_in(tape: Path) -> dict[str, Any]:
    """What a folder of results says, times in seconds."""
    from pyannote.database.util import load_rttm

    from pipeline.formats import tape_tables

    (voices,) = load_rttm(tape / "turns.rttm").values()
    return {
        "words": _rows(tape_tables.read_words(tape / "words.csv"), ("start", "end", "speaker", "text", "role")),
        "utterances": _rows(
            tape_tables.read_utterances(tape / "utterances.csv"), ("start", "end", "speaker", "text", "role", "codes")
        ),
        "vocalizations": _rows(tape_tables.read_vocalizations(tape / "vocalizations.csv"), ("start", "end", "speaker")),
        "voices": [(segment.start, segment.end, speaker) for segment, _, speaker in voices.itertracks(True)],
    }


def plain(audio: Path, speakers: int) -> dict[str, Any]:
    """What a user would script today: faster-whisper's defaults with word times, then pyannote's, one after the other.

    The weights are ours, so that only the way differs. Each word goes to the voice that it overlaps most.
    """
    from tests.benchmarks.stock import diarized, transcribed

    clock = Clock()
    clock.started("transcribe")
    words = transcribed(audio)
    clock.finished("transcribe", reused=False)
    clock.started("diarize")
    voices = diarized(audio, speakers)
    clock.finished("diarize", reused=False)
    attributed = [
        (start, end, max(voices, key=lambda voice: min(end, voice[1]) - max(start, voice[0]))[2], text, "")
        for start, end, text in words
    ]
    return {"seconds": clock.seconds, "words": attributed, "utterances": [], "vocalizations": [], "voices": voices}


def _rows(table: Any, columns: tuple[str, ...]) -> list[list[Any]]:
    seconds = table.assign(start=table["start"] / 1000, end=table["end"] / 1000)
    rows: list[list[Any]] = seconds[list(columns)].values.tolist()
    return rows


def main(way: str, audio: str, speakers: str, result: str) -> None:
    """Run one way on one recording and write what it found."""
    begun = time.perf_counter()
    scores = plain(Path(audio), int(speakers)) if way == "plain" else ours(way, Path(audio), int(speakers))
    scores["wall"] = time.perf_counter() - begun
    scores["peak_mb"] = peak_mb()  # the decoder, a child of ours, is done before the engines begin
    scores["cpu"] = sum(resource.getrusage(who).ru_utime for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    Path(result).write_text(json.dumps(scores), encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
