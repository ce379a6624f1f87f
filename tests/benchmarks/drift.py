"""``python -m tests.benchmarks.drift``: how long the drift charts take, with and without a change."""

from __future__ import annotations

import argparse

from rich.console import Console
from rich.table import Table

from pipeline.measures.trials import named, run_lengths

HORIZON = 250


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.drift", description=__doc__)
    parser.add_argument("--runs", type=int, default=2500)
    runs = parser.parse_args().runs
    console = Console(width=110)
    quiet = Table(title=f"No change: tapes for each false alarm, over the first {HORIZON} tapes of {runs} coders")
    for column in ("agreement", "units", "mean chart", "both watches", "until the first (2,000 tapes at most), mean"):
        quiet.add_column(column, justify="right")
    for agreement, units in ((0.82, 80), (0.70, 80), (0.95, 80), (0.90, 40), (0.82, 160)):
        alone, both = (
            run_lengths(agreement, agreement, units, runs, HORIZON, marginals=marginals) for marginals in (False, True)
        )
        long = run_lengths(agreement, agreement, units, runs // 10, 2000)
        quiet.add_row(f"{agreement}", f"{units}", f"{alone.between:.0f}", f"{both.between:.0f}", f"{long.mean:.0f}")
    console.print(quiet)
    fall = Table(title="Agreement falls: tapes until it is found, mean and its standard error")
    for column in ("from", "to", "units", "right after the calibrated tapes", "after 10 quiet tapes"):
        fall.add_column(column, justify="right")
    for before, after, units in ((0.82, 0.74, 80), (0.82, 0.78, 80), (0.90, 0.82, 80), (0.82, 0.74, 40)):
        at_once, later = (run_lengths(before, after, units, runs, HORIZON, quiet=quiet_) for quiet_ in (0, 10))
        fall.add_row(
            f"{before}", f"{after}", f"{units}", *(f"{each.mean:.2f} ± {each.error:.2f}" for each in (at_once, later))
        )
    console.print(fall)
    bias = Table(title="Every fifth simple reflection coded complex: runs that name it within 6 tapes")
    for column in ("simple reflections a tape", "named", "something else named first"):
        bias.add_column(column, justify="right")
    for simple in (10, 15, 20, 30):
        right, wrong = named(0.2, 6, runs, simple)
        bias.add_row(str(simple), f"{right:.1%}", f"{wrong:.1%}")
    console.print(bias)


if __name__ == "__main__":
    main()
