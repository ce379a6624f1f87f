"""How long stages took, counted for all workers together."""

from __future__ import annotations

from pipeline.tapes.db.database import Database
from pipeline.tapes.jobs import stage_durations


def test_each_run_counts_in_every_bound_that_it_kept(database: Database) -> None:
    for stage, seconds in (("decode", 1.0), ("decode", 1.001), ("tag", 10_000.0), ("decode", 0.0)):
        with database.writing() as session:
            stage_durations.add(session, stage, seconds)
    with database.reading() as session:
        counted = stage_durations.histograms(session)
    assert list(counted) == ["decode", "tag"]
    assert counted["decode"].at_most == {bound: 2 if bound == 1 else 3 for bound in stage_durations.BOUNDS}
    assert (counted["decode"].count, counted["decode"].seconds) == (3, 2.001)
    assert set(counted["tag"].at_most.values()) == {0}
    assert (counted["tag"].count, counted["tag"].seconds) == (1, 10_000.0)
