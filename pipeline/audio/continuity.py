"""Continuity: what is missing within a segment, and the warnings that say so."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from pipeline.audio.decoder import Hole
from pipeline.audio.quality import QualityWarning
from pipeline.timeline import Span, clock

DAMAGED_SHARE, DAMAGED = 0.1, 5_000
"""Share of a segment, and milliseconds: with more of both lost, no figure of the session can be trusted."""

_LEAST = 100  # ms; shorter gaps and overlaps are the rounding of a recorder
_NAMED = 3  # places that a message names


def within(holes: Sequence[Hole], start: int, end: int) -> list[Hole]:
    """Return the holes of a segment, cut to it, in milliseconds of the segment."""
    result = []
    for hole in holes:
        first, last = max(hole.start, start), min(hole.end, end)
        if first < last or (hole.start == hole.end and start <= hole.start < end):
            missing = min(hole.missing, last - first) if hole.start < hole.end else hole.missing
            result.append(replace(hole, start=first - start, end=last - start, missing=missing))
    return result


def is_too_damaged(holes: Sequence[Hole], duration: int) -> bool:
    """Return whether too much of a segment of ``duration`` milliseconds cannot be decoded: a tenth, or half of a few
    seconds."""
    return _missing(holes, "damage") > max(DAMAGED_SHARE * duration, min(DAMAGED, duration / 2))


def lost(holes: Sequence[Hole]) -> str:
    """Return how much sound cannot be decoded, in words."""
    return _seconds(_missing(holes, "damage"))


def warnings(holes: Sequence[Hole], remark: str | None) -> tuple[QualityWarning, ...]:
    """Return a warning for each kind of hole, and one for the ``remark`` on the file's header, if it has one."""
    result = []
    if remark:
        result.append(QualityWarning("unfinished", None, f"{remark}; check that the end of the session is there"))
    sentences = {
        "gap": "the file holds no sound {places}, and silence stands there: what was said then is missing; "
        "check the file, or choose a segment without it (--start, --end)",
        "damage": "the file is damaged {places}, and silence stands there: what was said then is missing; "
        "copy the file again from the recorder if you can",
        "overlap": "the file holds two sounds at one time {places}, of which the first is kept: check the file",
        "restart": "the file's clock starts again {places}: times after that may differ from those of a player",
    }
    for kind, sentence in sentences.items():
        least = _LEAST if kind in ("gap", "overlap") else 0
        chosen = [hole for hole in holes if hole.kind == kind and hole.missing >= least]
        if not chosen:
            continue
        span = Span(chosen[0].start, max(chosen[-1].end, chosen[0].start + 1))
        result.append(QualityWarning(kind, span, sentence.format(places=_places(chosen))))
    return tuple(result)


def _places(holes: Sequence[Hole]) -> str:
    worst = sorted(sorted(holes, key=lambda hole: -hole.missing)[:_NAMED], key=lambda hole: hole.start)
    named = ", ".join(_at(hole) for hole in worst)
    if len(holes) <= _NAMED:
        return named
    return f"{named} and at {len(holes) - _NAMED} other places ({_seconds(sum(hole.missing for hole in holes))} in all)"


def _at(hole: Hole) -> str:
    first, last = (clock(round(time, -3)) for time in (hole.start, hole.end))
    if hole.kind == "restart":
        return f"at {first}"
    return f"{f'from {first} to {last}' if first != last else f'at {first}'} ({_seconds(hole.missing)})"


def _missing(holes: Sequence[Hole], kind: str) -> int:
    return sum(hole.missing for hole in holes if hole.kind == kind)


def _seconds(milliseconds: int) -> str:
    return f"{milliseconds / 1000:.1f} s" if milliseconds >= 50 else "less than 0.1 s"
