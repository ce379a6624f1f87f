"""``python -m tests.benchmarks.far_field [FOLDER]``: who speaks when, far from the microphone, and with what else.

FOLDER has sound files and RTTM files that name them by their stems; without one, the real meetings of the shared data
and the telephone sample are measured. Each clip is diarized as the program does and by every candidate: with its number
of voices, with the two that the program assumes, and with voices that nobody counted. Where the windows of ten seconds
happen to fall changes the error rate of a short clip by a tenth, so each clip is also begun a little later (`STARTS`).

Printed are the errors of each clip, all candidates side by side, and what choosing among them is worth: for each clip,
the candidate that is best on all *others* (leave-one-out). What was chosen on the same clips would flatter. Figures are
kept as JSON in ``.bench``. The seven clips take less than two minutes of one core.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import time
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
import soundfile
from pyannote.core import Annotation, Segment, Timeline
from pyannote.database.util import load_rttm
from pyannote.metrics.diarization import DiarizationErrorRate, JaccardErrorRate
from rich.console import Console
from rich.table import Table

from pipeline import settings
from pipeline.audio import recording
from pipeline.run.progress import ignore
from pipeline.speech.cores import Cores
from pipeline.speech.diarization import clustering, diarizers, resegmentation
from pipeline.speech.diarization.contract import Diarization
from tests.benchmarks.recordings import SHARED, telephone

RESULTS = Path(".bench")
STARTS = (0.0, 0.7, 1.4)
"""Seconds after which a clip is begun, each a measurement of its own."""
ASSUMED = 2
"""The number of voices that `tape-review process` looks for if nobody says another."""
COUNTS = ("known", "assumed", "uncounted")
SOUNDS = frozenset({".wav", ".flac", ".ogg"})


@dataclass(frozen=True)
class Clip:
    """A sound file and who speaks when in it; ``duration`` in seconds."""

    name: str
    path: Path
    voices: Annotation
    duration: float


@dataclass(frozen=True)
class Candidate:
    """Another way to diarize: ``settings`` of the section, and values that ``modules`` have instead of their own."""

    name: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    modules: Mapping[Any, Mapping[str, Any]] = field(default_factory=dict)


@dataclass(frozen=True)
class Errors:
    """Seconds of speech, and of each kind of error in them. Overlap is counted, without a collar."""

    speech: float
    missed: float
    false_alarm: float
    confused: float
    jaccard: float = 0.0
    """Jaccard error rate: the mean over voices, whether they speak much or little."""

    @property
    def rate(self) -> float:
        """The diarization error rate."""
        return (self.missed + self.false_alarm + self.confused) / self.speech


@dataclass(frozen=True)
class HeldOut:
    """A clip, the candidate that is best on all others, its error rate on this one, and that of the program."""

    clip: str
    candidate: str
    rate: float
    present: float


PRESENT = Candidate("as it is")


def _distance(value: float) -> dict[str, Any]:
    return {"least_distance": lambda *_: value}


CANDIDATES = (
    PRESENT,
    Candidate("2 s alone, distance 0.8 always", modules={clustering: _distance(0.8) | {"LEAST_ALONE": 2.0}}),
    *(Candidate(f"{value} s alone", modules={clustering: {"LEAST_ALONE": value}}) for value in (0.2, 0.5, 1.5, 2.0)),
    *(Candidate(f"distance {value} always", modules={clustering: _distance(value)}) for value in (0.7, 0.8, 0.9, 1.0)),
    *(Candidate(f"distance at least {value}", {"threshold": value}) for value in (0.7, 0.9)),
    *(
        Candidate(f"cost of a change {value}", modules={resegmentation: {"_CHANGE_COST": value}})
        for value in (0.15, 0.6)
    ),
    *(Candidate(f"bonus of staying {value}", modules={resegmentation: {"_STAY_BONUS": value}}) for value in (0.0, 0.2)),
)


def pooled(errors: Iterable[Errors]) -> Errors:
    """The errors of several clips as if they were one; no Jaccard rate, as their voices are not the same."""
    every = list(errors)
    names = "speech", "missed", "false_alarm", "confused"
    return Errors(*(sum(getattr(each, name) for each in every) for name in names))


def held_out(results: Mapping[str, Mapping[str, Errors]], present: str) -> list[HeldOut]:
    """What choosing among candidates is worth on clips that had no say in it.

    Parameters
    ----------
    results: candidate -> clip -> errors; every candidate has the same clips. Of equal ones the first is chosen.
    present: the candidate to compare with.
    """
    chosen = []
    for clip in results[present]:
        scores = {
            name: pooled(errors for other, errors in clips.items() if other != clip).rate
            for name, clips in results.items()
        }
        best = min(scores, key=lambda name: scores[name])
        chosen.append(HeldOut(clip, best, results[best][clip].rate, results[present][clip].rate))
    return chosen


def clips(folder: Path | None) -> list[Clip]:
    """The sound files of a folder that an RTTM file in it names; without a folder, those of the module's docstring."""
    chosen = folder or SHARED
    voices = {name: each for path in sorted(chosen.glob("*.rttm")) for name, each in load_rttm(path).items()}
    named = [path for path in sorted(chosen.glob("*")) if path.suffix in SOUNDS and path.stem in voices]
    listed = [Clip(path.stem, path, voices[path.stem], float(soundfile.info(path).duration)) for path in named]
    if folder is None:
        call = telephone()
        listed.append(Clip(call.name, call.path, call.truth.voices, call.truth.duration))
    return listed


def measure(clip: Clip, start: float, candidates: Sequence[Candidate]) -> Iterator[tuple[str, str, Errors]]:
    """Yield candidate, kind of count, and errors of a clip that begins later by ``start`` seconds."""
    from pipeline.speech.diarization import pyannote_pipeline
    from tests.benchmarks.remembering import LOADED_ONCE, Remembering  # imports torch and pyannote.audio

    loaded = settings.load().settings
    sound = recording.decode(clip.path, loaded.audio)
    skipped = round(start * recording.SAMPLE_RATE)
    sound = replace(sound, samples=sound.samples[:, skipped:], start=sound.start + round(start * 1000))
    rest = later(clip, start)
    numbers = dict(zip(COUNTS, (len(rest.voices.labels()), ASSUMED, None), strict=True))
    Remembering.forget()
    for candidate in candidates:
        values = loaded.diarization.model_dump() | dict(candidate.settings)
        section = type(loaded.diarization).model_validate(values)
        chosen = loaded.model_copy(update={"diarization": section})
        with contextlib.ExitStack() as stack:
            cheaper = {"SharedEmbeddingPipeline": Remembering, **LOADED_ONCE}
            stack.enter_context(mock.patch.multiple(pyannote_pipeline, **cheaper))
            for module, constants in candidate.modules.items():
                stack.enter_context(mock.patch.multiple(module, **constants))
            for kind, number in numbers.items():
                diarization = diarizers.load("pyannote", chosen, number).diarize(sound, Cores(1), ignore)
                yield candidate.name, kind, count(rest, diarization)


def later(clip: Clip, start: float) -> Clip:
    """The clip from a time on, in seconds."""
    rest = Annotation()
    for segment, track, voice in clip.voices.itertracks(yield_label=True):
        if segment.end > start:
            rest[Segment(max(segment.start - start, 0.0), segment.end - start), track] = voice
    return replace(clip, voices=rest, duration=clip.duration - start)


def count(clip: Clip, diarization: Diarization) -> Errors:
    """The errors of a diarization."""
    voices, extent = Annotation(), Timeline([Segment(0, clip.duration)])
    for number, segment in enumerate(diarization.segments):
        voices[Segment(segment.span.start / 1000, segment.span.end / 1000), number] = segment.speaker
    parts = DiarizationErrorRate()(clip.voices, voices, uem=extent, detailed=True)
    kinds = ("total", "missed detection", "false alarm", "confusion")
    return Errors(*(float(parts[kind]) for kind in kinds), float(JaccardErrorRate()(clip.voices, voices, uem=extent)))


Results = Mapping[str, Mapping[str, Mapping[str, Sequence[Errors]]]]
"""Kind of count -> candidate -> clip -> errors by start."""


def clip_table(results: Mapping[str, Sequence[Errors]], title: str) -> Table:
    """A row per clip and one for all: error rate and its range over the starts, and its parts, as shares of speech."""
    table = Table("clip", "speech s", "DER", "from-to", "missed", "false alarm", "confused", "JER", title=title)
    every = [errors for starts in results.values() for errors in starts]
    for name, starts in [*results.items(), ("all together", every)]:
        rates, together = [errors.rate for errors in starts], pooled(starts)
        parts = together.missed, together.false_alarm, together.confused
        jaccard = sum(errors.jaccard for errors in starts) / len(starts)
        table.add_row(
            name,
            f"{together.speech / len(starts):.1f}",
            f"{together.rate:.3f}",
            f"{min(rates):.3f}-{max(rates):.3f}",
            *(f"{part / together.speech:.3f}" for part in parts),
            f"{jaccard:.3f}",
        )
    return table


def candidate_table(results: Results) -> Table:
    """A row per candidate: the error rate of all clips together by kind of count."""
    table = Table("candidate", *COUNTS, title="DER of all clips together")
    for name in results[COUNTS[0]]:
        rates = (pooled(each for starts in results[kind][name].values() for each in starts).rate for kind in COUNTS)
        table.add_row(name, *(f"{rate:.3f}" for rate in rates))
    return table


def choice_table(rows: Sequence[HeldOut], kind: str) -> Table:
    """A row per clip: what was chosen without it, its error rate there, and as the program is."""
    table = Table("clip", "chosen on the others", "held out", "as it is", title=f"Leave one clip out, voices {kind}")
    for row in rows:
        table.add_row(row.clip, row.candidate, f"{row.rate:.3f}", f"{row.present:.3f}")
    for name, of in (("mean", np.mean), ("least", np.min), ("most", np.max)):
        table.add_row(name, "", *(f"{of([getattr(row, key) for row in rows]):.3f}" for key in ("rate", "present")))
    return table


def main() -> None:
    """Measure, print, keep."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.far_field", description=__doc__)
    parser.add_argument("folder", nargs="?", type=Path)
    parser.add_argument("--present", action="store_true", help="the program as it is alone, without candidates")
    asked = parser.parse_args()
    if not (measured := clips(asked.folder)):
        parser.error(f"{asked.folder or SHARED} has no sound file that an RTTM file names")
    console = Console(width=120)
    results: Any = {kind: defaultdict(lambda: defaultdict(list)) for kind in COUNTS}
    for clip in measured:
        console.print(f"{clip.name} …")
        for start in STARTS:
            for name, kind, errors in measure(clip, start, [PRESENT] if asked.present else CANDIDATES):
                results[kind][name][clip.name].append(errors)
    for kind in COUNTS:
        console.print(clip_table(results[kind][PRESENT.name], f"The program as it is, voices {kind}"))
    if not asked.present:
        console.print(candidate_table(results))
    for kind in COUNTS if not asked.present and len(measured) > 1 else ():
        together = {
            name: {clip: pooled(starts) for clip, starts in by_clip.items()} for name, by_clip in results[kind].items()
        }
        console.print(choice_table(held_out(together, PRESENT.name), kind))
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / f"far-field-{time.strftime('%Y-%m-%d-%H%M%S')}.json"
    figures = {
        kind: {
            name: {clip: [asdict(each) for each in starts] for clip, starts in by_clip.items()}
            for name, by_clip in by_name.items()
        }
        for kind, by_name in results.items()
    }
    path.write_text(json.dumps(figures, indent=1), encoding="utf-8")
    console.print(f"Figures: {path}")


if __name__ == "__main__":
    main()
