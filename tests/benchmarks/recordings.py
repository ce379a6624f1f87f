"""The recordings of the benchmark, with what was really said in them."""

from __future__ import annotations

import csv
import importlib.util
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile
from pyannote.core import Annotation, Segment
from pyannote.database.util import load_rttm

from tests.benchmarks.scores import Said, Truth

OURS = Path(__file__).parents[1] / "recordings"
SHARED = Path(__file__).parents[3] / "shared" / "data" / "audio"

AUDIBLE = 6.0
"""dB over the room's noise from which a voice counts as heard."""
ROOM_TAIL = 30
"""Frames of 10 ms after speech in which the room still sounds."""
SPOKEN = Path(".bench") / "recordings"
"""Where recordings are looked for that are too large to be kept with us; `tests.recordings.speak` makes them."""


@dataclass(frozen=True)
class Recording:
    """A sound file and its truth; ``scripted`` where roles and codes are known too, ``worded`` where the words are."""

    name: str
    path: Path
    truth: Truth
    target_behavior: str
    speakers: int
    scripted: bool
    worded: bool = True


def role_play(name: str, folder: Path = OURS) -> Recording:
    """One of our own synthetic recordings; script and speaker times lie with us, the sound maybe in another folder."""
    path = next(file for file in folder.glob(f"{name}.*") if file.suffix in {".ogg", ".flac", ".wav"})
    script = name.removesuffix("-stereo")
    with (OURS / f"{script}.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    lines = tuple(
        Said(
            float(row["start"]),
            float(row["end"]),
            row["speaker"],
            row["text"],
            row["role"],
            frozenset(filter(None, row["codes"].split("|"))),
        )
        for row in rows
    )
    samples, rate = soundfile.read(path, dtype="float32", always_2d=True)
    voices = audible(_voices(OURS / f"{script}.rttm"), samples.mean(axis=1), rate)
    return Recording(name, path, Truth(lines, voices, _duration(path)), rows[0]["target_behavior"], 2, scripted=True)


def large() -> list[Recording]:
    """The 20 minutes with a microphone a person, where they have been spoken."""
    name = "session-20-minutes-stereo"
    return [role_play(name, SPOKEN)] if (SPOKEN / f"{name}.ogg").exists() else []


def audible(voices: Annotation, samples: np.ndarray, rate: int) -> Annotation:
    """The voices without what nobody can hear at their edges: under `AUDIBLE` dB over the room's own noise.

    One synthetic voice ends each sentence with most of a second of breath that lies under that noise; nobody would call
    that speech, and no diarizer could find it. Where another one talks over an edge, it stays as it is.
    """
    step = rate // 100
    whole = samples[: len(samples) // step * step].reshape(-1, step)
    level = 10 * np.log10(np.convolve((whole**2).mean(axis=1), np.ones(3) / 3, mode="same") + 1e-12)
    spoken = np.zeros(len(level), bool)
    for segment in voices.get_timeline():
        spoken[round(segment.start * 100) : round(segment.end * 100) + ROOM_TAIL] = True
    loud = np.flatnonzero(level > np.median(level[~spoken]) + AUDIBLE)
    annotation = Annotation(uri=voices.uri)
    for segment, track, speaker in voices.itertracks(yield_label=True):
        first, last = np.searchsorted(loud, (round(segment.start * 100), round(segment.end * 100)))
        if last > first:
            edges = max(segment.start, loud[first] / 100), min(segment.end, (loud[last - 1] + 1) / 100)
            annotation[Segment(*edges), track] = speaker
    return annotation


def meetings() -> list[Recording]:
    """Real meetings from a distant microphone (AMI, CC BY 4.0), where the shared data are beside the checkout."""
    if not SHARED.is_dir():
        return []
    words: dict[str, list[Said]] = defaultdict(list)
    with (SHARED / "words.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            words[row["clip"]].append(Said(float(row["start"]), float(row["end"]), row["speaker"], row["text"]))
    voices = load_rttm(SHARED / "debug.rttm")
    recordings = []
    for path in sorted(SHARED.glob("*.wav")):
        if len(words[path.stem]) > 20:  # two clips are room tone: error rates of a handful of words say nothing
            truth = Truth(tuple(words[path.stem]), voices[path.stem], _duration(path))
            recordings.append(
                Recording(f"AMI {path.stem}", path, truth, "", len(truth.voices.labels()), scripted=False)
            )
    return recordings


def telephone() -> Recording:
    """Two people on the telephone: the sample inside the pyannote.audio package, whose words nobody wrote down."""
    package = importlib.util.find_spec("pyannote.audio")  # without running it: it needs a stand-in first
    folder = Path(str(package and package.origin)).parent / "sample"
    path = folder / "sample.wav"
    truth = Truth((), _voices(folder / "sample.rttm"), _duration(path))
    return Recording("telephone", path, truth, "", 2, scripted=False, worded=False)


def _voices(path: Path) -> Annotation:
    (voices,) = load_rttm(path).values()
    return voices


def _duration(path: Path) -> float:
    return float(soundfile.info(path).duration)
