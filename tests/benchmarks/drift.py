"""``python -m tests.benchmarks.drift``: how long the drift charts take, with and without a change.

The charts' settings were chosen on other draws than these; another ``--seed`` draws anew.
"""

from __future__ import annotations

import argparse

from rich.console import Console
from rich.table import Table

from pipeline.measures.drift.simulation import bias_detection_rates, run_lengths

HORIZON, LONG, FALLEN = 250, 2000, 100


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.drift", description=__doc__)
    parser.add_argument("--runs", type=int, default=5000, help="coders for each figure; a tenth for the longest runs")
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    runs, seed, console = arguments.runs, arguments.seed, Console(width=118)
    quiet = Table(title=f"No change, {runs} coders: tapes until the first false alarm, and tapes for each false alarm")
    for column in ("agreement", "units", f"until the first, mean (none in {LONG} counts as {LONG})"):
        quiet.add_column(column, justify="right")
    for column in (f"for each, first {HORIZON} tapes", "mean chart alone", "for each, first 50 tapes"):
        quiet.add_column(column, justify="right")
    for agreement, units in ((0.82, 80), (0.70, 80), (0.95, 80), (0.90, 40), (0.82, 160)):
        case = (agreement, agreement, units)
        alone, both = (run_lengths(*case, runs, HORIZON, seed=seed, marginals=marginals) for marginals in (False, True))
        long = run_lengths(*case, max(1, runs // 10), LONG, seed=seed)
        run_lengths_found = [(long.mean, long.error), both.between(HORIZON), alone.between(HORIZON), both.between(50)]
        quiet.add_row(f"{agreement}", f"{units}", *(f"{value:.0f} ± {error:.0f}" for value, error in run_lengths_found))
    console.print(quiet)
    fall = Table(title=f"Agreement falls, {runs} coders: tapes until it is found, mean and its standard error")
    for column in ("from", "to", "units", "right after the first five", "of these within 4"):
        fall.add_column(column, justify="right")
    for column in ("after 10 quiet tapes", "after 30"):
        fall.add_column(column, justify="right")
    for before, after, units in ((0.82, 0.74, 80), (0.82, 0.78, 80), (0.90, 0.82, 80), (0.82, 0.74, 40)):
        at_once, *later = (
            run_lengths(before, after, units, runs, FALLEN, quiet=quiet_, seed=seed) for quiet_ in (0, 10, 30)
        )
        first, *rest = (f"{each.mean:.2f} ± {each.error:.2f}" for each in (at_once, *later))
        within = f"{(at_once.tapes <= 4).mean():.0%}"
        fall.add_row(f"{before}", f"{after}", f"{units}", first, within, *rest)
    console.print(fall)
    bias = Table(title=f"Every fifth simple reflection coded complex, {runs} coders: named within 6 tapes")
    for column in ("simple reflections a tape", "named", "something else named first"):
        bias.add_column(column, justify="right")
    for simple in (10, 15, 20, 30):
        right, wrong = bias_detection_rates(0.2, 6, runs, simple, seed=seed)
        bias.add_row(str(simple), f"{right:.1%}", f"{wrong:.1%}")
    console.print(bias)


if __name__ == "__main__":
    main()
