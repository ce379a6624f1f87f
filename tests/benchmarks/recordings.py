"""The recordings of the benchmark, with what was really said in them."""

from __future__ import annotations

import csv
import importlib.util
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

import soundfile
from pyannote.core import Annotation
from pyannote.database.util import load_rttm

from tests.benchmarks.scores import Said, Truth

OURS = Path(__file__).parents[1] / "recordings"
SHARED = Path(__file__).parents[3] / "shared" / "data" / "audio"


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


def role_play(name: str) -> Recording:
    """One of our own synthetic recordings: sound, script and speaker times lie side by side."""
    path = next(file for file in OURS.glob(f"{name}.*") if file.suffix in {".ogg", ".flac", ".wav"})
    script = name.removesuffix("-stereo")
    with (OURS / f"{script}.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    said = tuple(
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
    truth = Truth(said, _voices(OURS / f"{script}.rttm"), _duration(path))
    return Recording(name, path, truth, rows[0]["target_behavior"], 2, scripted=True)


def meetings() -> list[Recording]:
    """Real meetings from a distant microphone (AMI, CC BY 4.0), where the shared data are beside the checkout."""
    if not SHARED.is_dir():
        return []
    words: dict[str, list[Said]] = defaultdict(list)
    with (SHARED / "words.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            words[row["clip"]].append(Said(float(row["start"]), float(row["end"]), row["speaker"], row["text"]))
    voices = load_rttm(SHARED / "debug.rttm")
    found = []
    for path in sorted(SHARED.glob("*.wav")):
        if len(words[path.stem]) > 20:  # two clips are room tone: error rates of a handful of words say nothing
            truth = Truth(tuple(words[path.stem]), voices[path.stem], _duration(path))
            found.append(Recording(f"AMI {path.stem}", path, truth, "", len(truth.voices.labels()), scripted=False))
    return found


def telephone() -> Recording:
    """Two people on the telephone: the sample inside the pyannote.audio package, whose words nobody wrote down."""
    found = importlib.util.find_spec("pyannote.audio")  # without running it: it needs a stand-in first
    folder = Path(str(found and found.origin)).parent / "sample"
    path = folder / "sample.wav"
    truth = Truth((), _voices(folder / "sample.rttm"), _duration(path))
    return Recording("telephone", path, truth, "", 2, scripted=False, worded=False)


def _voices(path: Path) -> Annotation:
    (voices,) = load_rttm(path).values()
    return voices


def _duration(path: Path) -> float:
    return float(soundfile.info(path).duration)
