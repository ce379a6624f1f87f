"""`make bench`: every recording, every way, one table, and whether the targets are met.

Figures are kept as JSON in ``.bench``, beside them what each way found, for a closer look. Times are comparable within
one run only: the ratio of one way to another is what counts. The 20 minutes with a microphone a person are measured,
too, once they have been spoken: ``python -m tests.recordings.speak session-20-minutes --stereo .bench/recordings``.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

from pyannote.core import Annotation, Segment
from rich.console import Console
from rich.table import Table

from tests.benchmarks import scores, targets
from tests.benchmarks.recordings import Recording, large, meetings, role_play, telephone

WAYS = ("plain", "verbatim")
FAMILIES = ("question", "reflection", "change", "sustain")
KEPT = Path(".bench")


def chosen(names: list[str]) -> list[Recording]:
    """The recordings of a run: all, or those whose name holds one of the words given."""
    plays = ("roleplay-alcohol", "roleplay-swapped", "roleplay-swapped-stereo", "session-20-minutes")
    everything = [*(role_play(name) for name in plays), *large(), telephone(), *meetings()]
    return [recording for recording in everything if not names or any(name in recording.name for name in names)]


def run(recording: Recording, way: str, folder: Path) -> dict[str, Any]:
    """One way on one recording, in a process of its own, scored; what it found stays in the folder."""
    result = folder / f"{recording.name.replace(' ', '-')}-{way}.json"
    command = [sys.executable, "-W", "ignore", "-m", "tests.benchmarks.ways"]
    # Ours takes one thread a library; the plain way sets no number, and its libraries take every core.
    threads = str(os.cpu_count()) if way == "plain" else "1"
    env = os.environ | {"OMP_NUM_THREADS": threads}
    subprocess.run([*command, way, str(recording.path), str(recording.speakers), str(result)], check=True, env=env)
    result_values = json.loads(result.read_text(encoding="utf-8"))
    return {
        "recording": recording.name,
        "way": way,
        "minutes": recording.truth.duration / 60,
        "wall": result_values["wall"],
        "cpu": result_values["cpu"],
        "peak_mb": result_values["peak_mb"],
        "seconds": result_values["seconds"],
        **score(recording, result_values),
    }


def score(recording: Recording, result_values: dict[str, Any]) -> dict[str, Any]:
    """The figures of one result against the truth."""
    voices = Annotation()
    for number, (start, end, speaker) in enumerate(result_values["voices"]):
        voices[Segment(start, end), number] = speaker
    result = scores.Result(
        words=tuple(scores.Said(*row) for row in result_values["words"]),
        voices=voices,
        utterances=tuple(
            scores.Said(*row[:5], frozenset(filter(None, row[5].split("|")))) for row in result_values["utterances"]
        ),
        vocalizations=tuple(scores.Said(*row, "") for row in result_values["vocalizations"]),
    )
    truth = recording.truth
    figures: dict[str, Any] = {"der": scores.der(truth, result, 0.0), "der_collar": scores.der(truth, result, 0.25)}
    if recording.worded:
        figures |= {"wer": scores.wer(truth, result), "cpwer": scores.cpwer(truth, result)}
        figures |= {"fillers": scores.fillers(result.words), "fillers_spoken": scores.fillers(truth.lines)}
    if recording.scripted:
        figures["unclear"] = scores.unclear(truth, result)
    if recording.scripted and result.utterances:
        figures["role"] = scores.role_accuracy(truth, result)
        figures |= {
            family: scores.matched(truth, result, family) for family in ("question", "reflection", "change", "sustain")
        }
    return figures


def table(rows: list[dict[str, Any]]) -> Table:
    """One line a recording and way; "x" is how many times less time than the plain way's, start-up included."""
    shown = Table(title="Benchmark")
    heads = (
        "recording, way, WER, cpWER, DER, DER .25, um, mm-hm, unclear, role, questions, reflections, s/min, "
        "x wall, x CPU, MB"
    )
    for head in heads.split(", "):
        shown.add_column(head, justify="left" if head in ("recording", "way") else "right")
    plain = {row["recording"]: row for row in rows if row["way"] == "plain"}
    for row in rows:
        ums, hums = row.get("fillers", ("", ""))
        spoken = row.get("fillers_spoken", ("", ""))
        base = plain.get(row["recording"])
        shown.add_row(
            row["recording"],
            row["way"],
            *(f"{100 * row[name]:.1f}" if name in row else "" for name in ("wer", "cpwer", "der", "der_collar")),
            *(f"{part}/{whole}" for part, whole in zip((ums, hums), spoken, strict=True)),
            "{} +{}".format(*row["unclear"]) if "unclear" in row else "",
            f"{100 * row['role']:.0f}" if "role" in row else "",
            *(_found(row.get(family)) for family in ("question", "reflection")),
            f"{row['wall'] / row['minutes']:.1f}",
            *(f"{base[time_] / row[time_]:.2f}" if base else "" for time_ in ("wall", "cpu")),
            f"{row['peak_mb']:.0f}",
        )
    return shown


def judged(verdicts: list[targets.Verdict]) -> Table:
    """One line a target."""
    shown = Table(title="Targets")
    for head in ("recording, way", "target", "found", ""):
        shown.add_column(head)
    for verdict in verdicts:
        shown.add_row(verdict.where, verdict.asked, verdict.measured, "met" if verdict.met else "NOT MET")
    return shown


def _found(counts: list[int] | None) -> str:
    return f"{counts[0]}/{counts[1]} +{counts[2]}" if counts else ""


def main() -> None:
    """Run what the command line names."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    parser.add_argument("recordings", nargs="*", help="parts of names; all recordings where none is given")
    parser.add_argument("--ways", nargs="+", choices=WAYS, default=list(WAYS))
    asked = parser.parse_args()
    console = Console(width=160)  # the table needs it, a log does not mind
    folder = KEPT / time.strftime("%Y-%m-%d-%H%M%S")
    folder.mkdir(parents=True)
    rows = []
    for recording in chosen(asked.recordings):
        for way in asked.ways:
            console.print(f"{recording.name}: {way} …")
            rows.append(run(recording, way, folder))
    verdicts = targets.verdicts(rows)
    console.print(table(rows))
    for way, (kept, spoken, clips) in targets.real_fillers(rows).items():
        console.print(f"Real meetings, {clips} clips: {way} wrote {kept} of {spoken} fillers and listening noises.")
    console.print(judged(verdicts))
    path = folder.with_suffix(".json")
    figures = {"rows": rows, "targets": [asdict(verdict) for verdict in verdicts]}
    path.write_text(json.dumps(figures, indent=1), encoding="utf-8")
    console.print(f"Figures: {path}; {sum(verdict.met for verdict in verdicts)} of {len(verdicts)} targets met")


if __name__ == "__main__":
    main()
