"""What 8-bit weights cost the tags: ``python -m tests.benchmarks.quantization --data DATA --keep KEEP``

KEEP is what ``tape-review train --keep`` left. Each fold's network is brought to 8 bits as what ships is, and tags the
sessions that it did not see; beside it stands what it gave them in training, with weights of 16 bits. Needs a minute of
one core for 2,000 utterances.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pipeline import model_catalog, settings
from pipeline.coding import tagger
from pipeline.coding.inference import checkpoint
from pipeline.coding.inference.classifier import NETWORK_OUTPUTS, ensemble
from pipeline.coding.inference.onnx_scorer import OnnxScorer
from pipeline.coding.training import cross_validation, data, evaluation, folds
from pipeline.coding.training.folds import CheckpointStore
from tests.benchmarks.taggers import metric_values


def by_eight_bits(table: pd.DataFrame, store: CheckpointStore, seed: int, pretrained: Path) -> NDArray[np.float64]:
    """Scores of every row by the network that saw none of its fold, shape (rows, outputs)."""
    scores = np.zeros((len(table), NETWORK_OUTPUTS))
    for fold, _, held_out in cross_validation.splits(table["fold"].to_numpy()):
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name) / "network"
            cross_validation.network_weights(
                folds.load_network(pretrained, store.network(seed, fold)), pretrained
            ).write(folder)
            scores[held_out] = OnnxScorer(folder).scores(table.iloc[held_out].reset_index(drop=True))
    return scores


def main() -> None:
    """Print a line per figure."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.quantization", description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--keep", type=Path, required=True)
    arguments = parser.parse_args()
    chosen = settings.load().settings
    metadata = checkpoint.read_metadata(tagger.weights_folder(chosen))
    seed, by_fold, store = (
        int(metadata["seeds"][0]),
        checkpoint.fold_calibrations(metadata),
        CheckpointStore(arguments.keep),
    )
    table = data.read(arguments.data)
    words = cross_validation.linear_folds(table)[0]
    network_scores = cross_validation.network_folds(table, seed, store)[0]
    quantized_scores = by_eight_bits(table, store, seed, model_catalog.folder(chosen.coding.encoder, chosen.models))
    sixteen_bits, eight_bits = (
        metric_values(
            evaluation.join_predictions(
                table, cross_validation.fold_predictions(table, ensemble(words, scores), by_fold)
            )
        )
        for scores in (network_scores, quantized_scores)
    )
    print(f"{len(table)} utterances: 16 bits, 8 bits, difference")
    for name in sixteen_bits:
        print(f"{name:36} {sixteen_bits[name]:.3f} {eight_bits[name]:.3f} {eight_bits[name] - sixteen_bits[name]:+.3f}")


if __name__ == "__main__":
    main()
