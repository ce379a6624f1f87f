"""Another seed, or another way to learn it, against what ships: ``python -m tests.benchmarks.seeds --data DATA ...``

``--keep FOLDER --seed SEED`` is what ``tape-review train --keep FOLDER --seed SEED`` has finished so far. It is
compared with the shipped seed's predictions of the same folds. Of several folds each is calibrated on the others, as
what ships is; a single one borrows the shipped seed's calibration. Once all are there, the differences have 90 %
intervals from drawing families, and the figures of calibration stand beside them.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

from pipeline import settings
from pipeline.coding import tagger
from pipeline.coding.inference import checkpoint
from pipeline.coding.inference.classifier import NETWORK_OUTPUTS, ensemble
from pipeline.coding.training import cross_validation, data, evaluation
from pipeline.coding.training.folds import CheckpointStore
from tests.benchmarks.taggers import metric_values

DRAWS, SEED, WIDTH = 400, 0, 90


def logits(table: pd.DataFrame, kept: CheckpointStore, seed: int) -> NDArray[np.float64]:
    """Held-out log-odds as written, shape (rows, decisions); NaN in folds that are not finished."""
    scores = np.full((len(table), NETWORK_OUTPUTS), np.nan)
    for fold, _, held in cross_validation.splits(table["fold"].to_numpy()):
        if kept.scores(seed, fold).exists():
            scores[held] = np.load(kept.scores(seed, fold), allow_pickle=False)[0]
    return ensemble(cross_validation.linear_folds(table)[0], scores)


def differences(ours: pd.DataFrame, other: pd.DataFrame) -> dict[str, tuple[float, float]]:
    """Figure -> ends of the interval of the other's minus ours, of tagged rows in the same order."""
    rows = pd.Series(range(len(ours))).groupby(ours["family"].to_numpy()).apply(np.array).to_dict()
    families, generator = list(rows), np.random.default_rng(SEED)
    drawn = []
    for _ in range(DRAWS):
        chosen = np.concatenate([rows[families[at]] for at in generator.integers(len(families), size=len(families))])
        our_metrics, their_metrics = (evaluation.utterance_metrics(tagged.iloc[chosen]) for tagged in (ours, other))
        drawn.append({our.name: their.value - our.value for our, their in zip(our_metrics, their_metrics, strict=True)})
    ends = pd.DataFrame(drawn).quantile([(100 - WIDTH) / 200, (100 + WIDTH) / 200])
    return {str(name): (float(ends[name].iloc[0]), float(ends[name].iloc[1])) for name in ends}


def main() -> None:
    """Print a line per figure, for each finished fold and pooled."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.seeds", description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--keep", type=Path, required=True)
    parser.add_argument("--seed", type=int, required=True)
    arguments = parser.parse_args()
    folder = tagger.weights_folder(settings.load().settings)
    metadata, folds = checkpoint.read_metadata(folder), checkpoint.read_folds(folder, "written")
    by_fold, shipped = checkpoint.fold_calibrations(metadata), int(metadata["seeds"][0])
    whole = data.read(arguments.data)
    other_logits = logits(whole, CheckpointStore(arguments.keep), arguments.seed)
    done = ~np.isnan(other_logits).any(axis=1)
    table, other_logits = whole[done].reset_index(drop=True), other_logits[done]
    if table.empty:
        parser.error(f"{arguments.keep} holds no finished fold of seed {arguments.seed}")
    other_calibrations = (
        cross_validation.cross_calibrate(table, other_logits) if table["fold"].nunique() > 1 else by_fold
    )
    other = evaluation.join_predictions(
        table, cross_validation.fold_predictions(table, other_logits, other_calibrations)
    )
    ours = evaluation.join_predictions(table, folds[folds["seed"] == shipped])
    shown = Table(title="The same folds by two seeds")
    for column in ("part", "figure", f"seed {shipped}, which ships", f"seed {arguments.seed}", "difference"):
        shown.add_column(column, justify="left" if column in ("part", "figure") else "right")
    for fold in sorted(table["fold"].unique()):
        both = [metric_values(each[each["fold"] == fold]) for each in (ours, other)]
        for name in both[0]:
            shown.add_row(f"fold {fold}", name, *(f"{each[name]:.3f}" for each in both))
        shown.add_section()
    if done.all():
        ends = differences(ours, other)
        for our, their in zip(
            evaluation.metrics(ours, by_fold), evaluation.metrics(other, other_calibrations), strict=True
        ):
            interval_text = "{:.3f} to {:.3f}".format(*ends[our.name]) if our.name in ends else ""
            shown.add_row("all", our.name, f"{our.value:.3f}", f"{their.value:.3f}", interval_text)
    elif table["fold"].nunique() > 1:
        both = [metric_values(ours), metric_values(other)]
        for name in both[0]:
            shown.add_row("all of them", name, *(f"{each[name]:.3f}" for each in both))
    Console(width=130).print(shown)


if __name__ == "__main__":
    main()
