"""How long stages took, counted in the records for all workers together: no tape can be told from it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import accumulate

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from pipeline.tapes.db.records import StageDuration

BOUNDS = (1, 5, 15, 60, 120, 300, 600, 1200, 3600)
"""Upper bounds in seconds: a text takes moments, a stage of 20 minutes of sound minutes, a slow machine an hour."""

LONGER = 0
"""Stands for the bound of what took longer than all of these."""


@dataclass(frozen=True)
class StageHistogram:
    """How often a stage took at most each of `BOUNDS` seconds; ``count`` in all, ``seconds`` together."""

    at_most: Mapping[int, int]
    count: int
    seconds: float


def add(session: Session, stage: str, seconds: float) -> None:
    """Count one run of a stage."""
    bound = next((bound for bound in BOUNDS if seconds <= bound), LONGER)
    row = update(StageDuration).where(StageDuration.stage == stage, StageDuration.bound == bound)
    counted = row.values(count=StageDuration.count + 1, total_ms=StageDuration.total_ms + round(1000 * seconds))
    if session.execute(counted.returning(StageDuration.count)).first() is None:
        session.add(StageDuration(stage=stage, bound=bound, count=1, total_ms=round(1000 * seconds)))


def histograms(session: Session) -> dict[str, StageHistogram]:
    """Stage -> how long it took."""
    counts: dict[str, dict[int, int]] = {}
    seconds: dict[str, float] = {}
    for row in session.scalars(select(StageDuration).order_by(StageDuration.stage)):
        counts.setdefault(row.stage, {})[row.bound] = row.count
        seconds[row.stage] = seconds.get(row.stage, 0.0) + row.total_ms / 1000
    return {
        stage: StageHistogram(
            dict(zip(BOUNDS, accumulate(by_bound.get(bound, 0) for bound in BOUNDS), strict=True)),
            sum(by_bound.values()),
            seconds[stage],
        )
        for stage, by_bound in counts.items()
    }
