"""Whether the figures of a run reach what the project promises: a line a target, met or not.

Only what the run holds is judged: without the plain way on the 20-minute file, nothing is said against it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Row = Mapping[str, Any]

SESSION, STEREO = "session-20-minutes", "session-20-minutes-stereo"
"""The same 20 minutes by one microphone and by one a person."""
DEMOS = ("roleplay-alcohol", "roleplay-swapped")
SPEEDUP = 3.5
"""How many times faster than the plain way, end to end."""
PEAK_MB = 2500


@dataclass(frozen=True)
class Verdict:
    """One target: what was asked, what was found, and whether that is enough."""

    where: str
    asked: str
    measured: str
    met: bool


def verdicts(rows: Sequence[Row]) -> list[Verdict]:
    """The targets that the rows of a run can be held against, in the order in which they were set."""
    by = {(row["recording"], row["way"]): row for row in rows}
    judged: list[Verdict] = []
    for session in (SESSION, STEREO):
        ours, plain = by.get((session, "verbatim")), by.get((session, "plain"))
        if ours and plain:
            judged += _against_plain(ours, plain)
        if ours:
            judged += _alone(ours)
    judged += [verdict for name in DEMOS if (row := by.get((name, "verbatim"))) for verdict in _demo(row)]
    for name, limit in (("telephone", 0.06), ("AMI dev00", 0.28)):
        if row := by.get((name, "verbatim")):
            judged.append(_at_most(_name(row), "DER", row["der"], limit))
    return judged


def _against_plain(ours: Row, plain: Row) -> Iterator[Verdict]:
    where = _name(ours)
    for label, figure in (("cpWER", "cpwer"), ("DER", "der")):
        text = f"{label} no worse than plain's {100 * plain[figure]:.2f} %"
        yield Verdict(where, text, f"{100 * ours[figure]:.2f} %", ours[figure] <= plain[figure])
    for label, figure in (("wall", "wall"), ("CPU", "cpu")):
        ratio = plain[figure] / ours[figure]
        text = f"{SPEEDUP:g} times less {label} time than plain's {plain[figure]:.0f} s"
        yield Verdict(where, text, f"{ours[figure]:.0f} s, {ratio:.2f} times", ratio >= SPEEDUP)
    kept, theirs, spoken = (sum(counts) for counts in (ours["fillers"], plain["fillers"], ours["fillers_spoken"]))
    text = f"twice as many fillers and listening noises as plain's {theirs} of {spoken}"
    marked = f"{ours['unclear'][0]} more marked as unclear"
    yield Verdict(where, text, f"{kept}, {kept / max(theirs, 1):.2f} times; {marked}", kept >= 2 * theirs)


def _alone(ours: Row) -> Iterator[Verdict]:
    where = _name(ours)
    yield Verdict(where, f"peak memory under {PEAK_MB} MB", f"{ours['peak_mb']:.0f} MB", ours["peak_mb"] < PEAK_MB)
    if ours["recording"] == STEREO:
        return  # what is transcribed of a channel is what the diarizer found there
    each = ours["seconds"]
    longest, both = max(each["transcribe"], each["diarize"]), each["transcribe"] + each["diarize"]
    rest = sum(each.values()) - both
    text = f"{both:.0f} s of listening within {ours['wall'] - rest:.0f} s"
    yield Verdict(where, "transcription and diarization side by side", text, ours["wall"] - rest < (both + longest) / 2)


def _demo(row: Row) -> Iterator[Verdict]:
    where = _name(row)
    yield Verdict(where, "role right", f"for {100 * row['role']:.0f} % of the words", row["role"] > 0.5)
    yield _at_most(where, "DER .25", row["der_collar"], 0.10)
    yield _at_most(where, "cpWER", row["cpwer"], 0.15)
    for family, least in (("question", 0.8), ("reflection", 0.7)):
        hit, of, _ = row[family]
        yield Verdict(
            where, f"{100 * least:.0f} % of the scripted {family}s found", f"{hit} of {of}", hit >= least * of
        )


def _at_most(where: str, label: str, figure: float, limit: float) -> Verdict:
    return Verdict(where, f"{label} at most {100 * limit:g} %", f"{100 * figure:.1f} %", figure <= limit)


def _name(row: Row) -> str:
    return f"{row['recording']}, {row['way']}"


def real_fillers(rows: Iterable[Row]) -> dict[str, tuple[int, int, int]]:
    """Way -> fillers and listening noises written, spoken, and clips, over the real meetings of a run."""
    counts: dict[str, tuple[int, int, int]] = {}
    for row in rows:
        if row["recording"].startswith("AMI") and "fillers" in row:
            kept, spoken, clips = counts.get(row["way"], (0, 0, 0))
            counts[row["way"]] = (kept + sum(row["fillers"]), spoken + sum(row["fillers_spoken"]), clips + 1)
    return counts
