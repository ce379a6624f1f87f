"""How much the luck of training matters: ``python -m tests.benchmarks.seeds --data DATA --keep KEEP --seed SEED``

Compares the folds of another seed, as many as ``tape-review train --keep KEEP --seed SEED`` has finished so far, with
the shipped seed's predictions of the same folds. Both are calibrated as the shipped seed is.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import pandas as pd
from rich.console import Console
from rich.table import Table

from pipeline import settings
from pipeline.coding import evaluation, learning, tagger, training, weights
from pipeline.coding.classifier import Inputs, mixed
from pipeline.formats import annomi
from tests.benchmarks.taggers import told


def main() -> None:
    """Print a line a figure, for each finished fold and pooled."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.seeds", description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--keep", type=Path, required=True)
    parser.add_argument("--seed", type=int, required=True)
    asked = parser.parse_args()
    place = tagger.place(settings.load().settings)
    about, folds = weights.read_about(place), weights.read_folds(place, "written")
    by_fold, shipped = weights.by_fold(about), int(about["seeds"][0])
    table = annomi.read(asked.data)
    variants = [Inputs.of(each) for each in learning.readings(table)]
    parts: dict[str, pd.DataFrame] = {}
    for fold, rest, held in training.splits(table["fold"].to_numpy()):
        path = asked.keep / f"seed-{asked.seed}-fold-{fold}.npy"
        if not path.exists():
            continue
        linear = training.fit_linear(table.iloc[rest], [each[rest] for each in variants])
        scores = np.load(path, allow_pickle=False)[0]
        rows = table.iloc[held].reset_index(drop=True)
        coded = training.predictions(rows, mixed(linear(variants[0][held]), scores), by_fold)
        parts[f"fold {fold}"] = evaluation.joined(rows, coded)
    if len(parts) > 1:
        parts["all of them"] = pd.concat(parts.values())
    shown = Table(title="The same folds by two seeds")
    for column in ("part", "figure", f"seed {shipped}, which ships", f"seed {asked.seed}"):
        shown.add_column(column, justify="right" if "seed" in column else "left")
    ours = evaluation.joined(table, folds[folds["seed"] == shipped])
    for part, rows in parts.items():
        own, other = told(ours[ours["fold"].isin(rows["fold"].unique())]), told(rows)
        for name, value in own.items():
            shown.add_row(part, name, f"{value:.3f}", f"{other[name]:.3f}")
        shown.add_section()
    Console(width=110).print(shown)


if __name__ == "__main__":
    main()
