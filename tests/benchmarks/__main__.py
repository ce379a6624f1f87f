"""`make bench`: every recording, every way, one table; figures are kept as JSON.

Times are comparable within one run only: the ratio of one way to another is what counts.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from pyannote.core import Annotation, Segment
from rich.console import Console
from rich.table import Table

from tests.benchmarks import scores
from tests.benchmarks.recordings import Recording, meetings, role_play, telephone

WAYS = ("plain", "verbatim", "fast")
FAMILIES = ("question", "reflection", "change", "sustain")
KEPT = Path(".bench")


def chosen(names: list[str]) -> list[Recording]:
    """The recordings of a run: all, or those whose name holds one of the words given."""
    plays = ("roleplay-alcohol", "roleplay-swapped", "roleplay-swapped-stereo", "session-20-minutes")
    everything = [*(role_play(name) for name in plays), telephone(), *meetings()]
    return [one for one in everything if not names or any(name in one.name for name in names)]


def run(recording: Recording, way: str) -> dict[str, Any]:
    """One way on one recording, in a process of its own, scored."""
    with tempfile.TemporaryDirectory() as folder:
        result = Path(folder) / "result.json"
        command = [sys.executable, "-W", "ignore", "-m", "tests.benchmarks.ways"]
        # Ours takes one thread a library; the plain way sets no number, and its libraries take every core.
        threads = str(os.cpu_count()) if way == "plain" else "1"
        env = os.environ | {"OMP_NUM_THREADS": threads}
        subprocess.run([*command, way, str(recording.path), str(recording.speakers), str(result)], check=True, env=env)
        found = json.loads(result.read_text(encoding="utf-8"))
    return {
        "recording": recording.name,
        "way": way,
        "minutes": recording.truth.duration / 60,
        "wall": found["wall"],
        "cpu": found["cpu"],
        "peak_mb": found["peak_mb"],
        "seconds": found["seconds"],
        **score(recording, found),
    }


def score(recording: Recording, found: dict[str, Any]) -> dict[str, Any]:
    """The figures of one result against the truth."""
    voices = Annotation()
    for number, (start, end, speaker) in enumerate(found["voices"]):
        voices[Segment(start, end), number] = speaker
    result = scores.Result(
        words=tuple(scores.Said(*row) for row in found["words"]),
        voices=voices,
        utterances=tuple(
            scores.Said(*row[:5], frozenset(filter(None, row[5].split("|")))) for row in found["utterances"]
        ),
    )
    truth = recording.truth
    figures: dict[str, Any] = {"der": scores.der(truth, result, 0.0), "der_collar": scores.der(truth, result, 0.25)}
    if recording.worded:
        figures |= {"wer": scores.wer(truth, result), "cpwer": scores.cpwer(truth, result)}
        figures |= {"fillers": scores.fillers(result.words), "fillers_spoken": scores.fillers(truth.said)}
    if recording.scripted and result.utterances:
        figures["role"] = scores.role_accuracy(truth, result)
        figures |= {
            family: scores.found(truth, result, family) for family in ("question", "reflection", "change", "sustain")
        }
    return figures


def table(rows: list[dict[str, Any]]) -> Table:
    """One line a recording and way; "x" is how many times faster than the plain way, start-up included."""
    shown = Table(title="Benchmark")
    heads = "recording, way, WER, cpWER, DER, DER .25, um, mm-hm, role, questions, reflections, s/min, x plain, MB"
    for head in heads.split(", "):
        shown.add_column(head, justify="left" if head in ("recording", "way") else "right")
    plain = {row["recording"]: row["wall"] for row in rows if row["way"] == "plain"}
    for row in rows:
        ums, hums = row.get("fillers", ("", ""))
        spoken = row.get("fillers_spoken", ("", ""))
        speedup = f"{plain[row['recording']] / row['wall']:.2f}" if row["recording"] in plain else ""
        shown.add_row(
            row["recording"],
            row["way"],
            *(f"{100 * row[name]:.1f}" if name in row else "" for name in ("wer", "cpwer", "der", "der_collar")),
            *(f"{one}/{all_}" for one, all_ in zip((ums, hums), spoken, strict=True)),
            f"{100 * row['role']:.0f}" if "role" in row else "",
            *(_found(row.get(family)) for family in ("question", "reflection")),
            f"{row['wall'] / row['minutes']:.1f}",
            speedup,
            f"{row['peak_mb']:.0f}",
        )
    return shown


def _found(counts: list[int] | None) -> str:
    return f"{counts[0]}/{counts[1]} +{counts[2]}" if counts else ""


def main() -> None:
    """Run what the command line names."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    parser.add_argument("recordings", nargs="*", help="parts of names; all recordings where none is given")
    parser.add_argument("--ways", nargs="+", choices=WAYS, default=list(WAYS))
    asked = parser.parse_args()
    console = Console(width=150)  # the table needs it, a log does not mind
    rows = []
    for recording in chosen(asked.recordings):
        for way in asked.ways:
            console.print(f"{recording.name}: {way} …")
            rows.append(run(recording, way))
    console.print(table(rows))
    KEPT.mkdir(exist_ok=True)
    place = KEPT / f"{time.strftime('%Y-%m-%d-%H%M%S')}.json"
    place.write_text(json.dumps(rows, indent=1), encoding="utf-8")
    console.print(f"Figures: {place}")


if __name__ == "__main__":
    main()
