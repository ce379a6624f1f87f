"""Whether length passes for depth: ``python -m tests.benchmarks.lengths --data DATA``

The rank correlation of how many words a reflection has with the probability that it is complex, if it is a reflection,
among hand-coded reflections of held-out sessions; beside it the same of the experts' codes.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import pandas as pd
from scipy.stats import spearmanr

from pipeline import settings
from pipeline.coding import tagger
from pipeline.coding.inference import checkpoint
from pipeline.coding.training import data, evaluation


def correlations(rows: pd.DataFrame) -> tuple[float, float, int]:
    """With the probability of depth, with the experts' codes, and of how many reflections.

    ``rows`` is what `evaluation.join_predictions` returns.
    """
    known = rows[(rows["hand_reflection"] == 1) & rows["hand_complex"].notna()]
    words = [len(text.split()) for text in known["text"]]
    depth = known["p_reflection_complex"] / (known["p_reflection_complex"] + known["p_reflection_simple"])
    ours, theirs = (float(spearmanr(words, column).statistic) for column in (depth, known["hand_complex"]))
    return ours, theirs, len(known)


def main() -> None:
    """Print one line."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.lengths", description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    table = data.read(parser.parse_args().data)
    folder = tagger.weights_folder(settings.load().settings)
    folds = checkpoint.read_folds(folder, "written")
    shipped = folds[folds["seed"] == checkpoint.read_metadata(folder)["seeds"][0]]
    ours, theirs, number = correlations(evaluation.join_predictions(table, shipped))
    print(
        f"words of {number} reflections with the probability of depth {ours:.3f}, with the experts' codes {theirs:.3f}"
    )


if __name__ == "__main__":
    main()
