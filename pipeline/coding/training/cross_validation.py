"""Trains the tagger: on five family-disjoint folds to measure and calibrate it, on all sessions for what ships.

Annotators differ more than classes do: each has an offset of its own in training, and prediction uses the mean of all.
PAIR is not used: its simple reflections are half as long as AnnoMI's, and a model would learn the length from it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, NamedTuple, cast

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pipeline.coding import calibration
from pipeline.coding.calibration import Calibration
from pipeline.coding.inference.classifier import DECISIONS, NETWORK_OUTPUTS, LinearInputs, LinearModel, ensemble
from pipeline.coding.inference.tfidf import Vocabulary
from pipeline.coding.training import folds, pretrained
from pipeline.coding.training.folds import VARIANTS, CheckpointStore, TrainingData, text_variants, train_networks
from pipeline.coding.training.tagger_files import FittedTagger, NetworkWeights
from pipeline.run.progress import Progress, ignore

if TYPE_CHECKING:
    from pipeline.coding.training.network import EncoderLayer, Network

SEEDS = (0,)
"""Seeds of training; the shipped tagger is of the first, and the folds are trained and measured with each."""
MIN_TEXTS = 4
"""Words and pairs that occur in fewer texts, counting both variants, are left out."""
LINEAR_COST = 2.0
"""Inverse strength of regularization, scikit-learn's ``C``; ``python -m tests.benchmarks.taggers`` has this model."""


def fit_linear(table: pd.DataFrame, variants: Sequence[LinearInputs]) -> LinearModel:
    """Fit a logistic regression per decision to both variants; the mean of all annotators' offsets replaces each."""
    from scipy.sparse import hstack, vstack
    from sklearn.linear_model import LogisticRegression

    vocabulary = Vocabulary.of([text for variant in variants for text in variant.terms], MIN_TEXTS)
    annotators = np.eye(int(table["annotator"].max()) + 1, dtype=np.float32)[table["annotator"]]
    rows = vstack([hstack([vocabulary(variant.terms), variant.features, annotators]) for variant in variants]).tocsr()
    size = rows.shape[1] - annotators.shape[1]
    columns = []
    for decision in DECISIONS:
        answers = np.tile(table[decision].to_numpy(dtype=float), len(variants))
        known = ~np.isnan(answers)
        model = LogisticRegression(C=LINEAR_COST, solver="liblinear", random_state=0).fit(rows[known], answers[known])
        coefficients = model.coef_[0]
        columns.append([*coefficients[:size], model.intercept_[0] + coefficients[size:].mean()])
    return LinearModel(vocabulary, np.array(columns, dtype=np.float32).T)


def linear_folds(table: pd.DataFrame) -> NDArray[np.float64]:
    """Return the linear model's log-odds of every row, fitted without its fold, shape (variants, rows, decisions)."""
    variants = [LinearInputs.of(variant) for variant in text_variants(table)]
    logits = np.zeros((len(VARIANTS), len(table), len(DECISIONS)))
    for _, rest, held_out in splits(table["fold"].to_numpy()):
        linear = fit_linear(table.iloc[rest], [variant[rest] for variant in variants])
        for number, variant in enumerate(variants):
            logits[number, held_out] = linear(variant[held_out])
    return logits


def network_folds(table: pd.DataFrame, seed: int, store: CheckpointStore) -> NDArray[np.float64]:
    """Return the network's scores of every row, trained without its fold, shape (variants, rows, outputs)."""
    scores = np.zeros((len(VARIANTS), len(table), NETWORK_OUTPUTS))
    for fold, _, held_out in splits(table["fold"].to_numpy()):
        scores[:, held_out] = np.load(store.scores(seed, fold), allow_pickle=False)
    return scores


def train(
    training_data: TrainingData,
    seeds: Sequence[int],
    keep: Path | None = None,
    cores: int = 1,
    progress: Progress = ignore,
) -> FittedTagger:
    """Train the tagger that ships, with the first seed, and measure it with all seeds.

    Parameters
    ----------
    keep: a folder in which the networks are stored as they finish; those in it are not trained again.
    cores: the number of networks that are trained side by side.
    """
    with _checkpoint_store(keep) as store:
        train_networks(training_data, [(seeds[0], None), *_fold_runs(training_data, seeds)], store, cores, progress)
        network = folds.load_network(training_data.encoder, store.network(seeds[0], None))
        scores = {seed: network_folds(training_data.table, seed, store) for seed in seeds}
        return fit_tagger(training_data, scores, network)


def measure(
    training_data: TrainingData,
    seeds: Sequence[int],
    keep: Path | None = None,
    cores: int = 1,
    progress: Progress = ignore,
) -> pd.DataFrame:
    """Return the fold predictions that `train` makes with these seeds, without training the tagger that ships."""
    table = training_data.table
    linear_logits = linear_folds(table)
    with _checkpoint_store(keep) as store:
        train_networks(training_data, _fold_runs(training_data, seeds), store, cores, progress)
        results = (_measure_seed(table, linear_logits, network_folds(table, seed, store), seed) for seed in seeds)
        return pd.concat([result.folds for result in results])


def _fold_runs(training_data: TrainingData, seeds: Sequence[int]) -> list[tuple[int, int | None]]:
    return [(seed, int(fold)) for seed in seeds for fold in sorted(training_data.table["fold"].unique())]


@contextmanager
def _checkpoint_store(keep: Path | None) -> Iterator[CheckpointStore]:
    if keep:
        yield CheckpointStore(keep)
        return
    with TemporaryDirectory() as folder:
        yield CheckpointStore(Path(folder))


def fit_tagger(
    training_data: TrainingData, scores: Mapping[int, NDArray[np.float64]], network: Network
) -> FittedTagger:
    """Return the tagger of a network, calibrated on the first seed's held-out scores, with all seeds' predictions.

    ``scores`` are the `network_folds` of each seed; every seed's predictions are calibrated on its own scores.
    """
    table = training_data.table
    linear_logits = linear_folds(table)
    first, *others = (_measure_seed(table, linear_logits, of_seed, seed) for seed, of_seed in scores.items())
    calibrated = calibrate(table, first.logits[0], np.arange(len(table)))
    linear = fit_linear(table, [LinearInputs.of(variant) for variant in text_variants(table)])
    predictions = pd.concat([first.folds, *(other.folds for other in others)])
    return FittedTagger(linear, network_weights(network, training_data.encoder), calibrated, first.by_fold, predictions)


class _SeedResult(NamedTuple):
    """A seed's held-out log-odds (variants, rows, decisions), and its folds' calibrations and predictions."""

    logits: NDArray[np.float64]
    by_fold: Mapping[int, Calibration]
    folds: pd.DataFrame


def _measure_seed(
    table: pd.DataFrame, linear_logits: NDArray[np.float64], scores: NDArray[np.float64], seed: int
) -> _SeedResult:
    logits = np.stack([ensemble(linear_logits[number], scores[number]) for number in range(len(VARIANTS))])
    by_fold = cross_calibrate(table, logits[0])
    predictions = [
        fold_predictions(table, logits[number], by_fold).assign(variant=variant, seed=seed)
        for number, variant in enumerate(VARIANTS)
    ]
    return _SeedResult(logits, by_fold, pd.concat(predictions))


def network_weights(network: Network, folder: Path) -> NetworkWeights:
    """Return a fine-tuned network's weights as they are stored, with the tokenizer of the encoder in a folder."""
    state = {name: value.detach().float().numpy() for name, value in network.state_dict().items()}
    tokenizer = pretrained.read(folder, pretrained.TOKENIZER)
    return NetworkWeights(state, tokenizer, cast("EncoderLayer", network.layers[0]).heads, network.norm.eps)


def fold_predictions(
    table: pd.DataFrame, logits: NDArray[np.float64], by_fold: Mapping[int, Calibration]
) -> pd.DataFrame:
    """Return fold predictions without text: the hand codes beside `Calibration.pretag_columns`."""
    by_hand = _hand_codes(table)
    parts = []
    for fold, _, held_out in splits(table["fold"].to_numpy()):
        rows = by_hand.iloc[held_out]
        probabilities = by_fold[fold].probabilities(logits[held_out])
        roles = table["role"].to_numpy(dtype=object)[held_out]
        parts.append(rows.assign(**by_fold[fold].pretag_columns(roles, probabilities)))
    return pd.concat(parts).sort_index()


def _hand_codes(table: pd.DataFrame) -> pd.DataFrame:
    """Return the rows' keys and hand codes: the main one by our names, and 1, 0 or NaN for each decision."""
    kinds = {"question": ("open", "closed"), "reflection": ("complex", "simple")}
    deciding = {"question": "open", "reflection": "complex"}
    talk = np.select([table["change"] == 1, table["change"] == 0], ["change", "sustain"], "neutral")
    main = np.where(table["role"] == "client", talk, table["main"])
    for behavior, (yes, no) in kinds.items():
        answer = table[deciding[behavior]].to_numpy(dtype=float)
        kind = np.select([answer == 1, answer == 0], [f"{behavior}_{yes}", f"{behavior}_{no}"], "")
        main = np.where(main == behavior, kind, main)
    columns: dict[str, Any] = {
        f"hand_{name}": table[name] for name in ("question", "reflection", "complex", "information")
    }
    columns |= {
        f"hand_{name}": np.where(table["role"] == "client", talk == name, np.nan) for name in ("change", "sustain")
    }
    return table[["tape_id", "utterance_id", "role", "family", "fold"]].assign(hand=main, **columns)


def calibrate(table: pd.DataFrame, logits: NDArray[np.float64], rows: NDArray[np.intp]) -> Calibration:
    """Fit a calibration to the held-out log-odds of some rows, shape (rows, decisions)."""
    part = table.iloc[rows]
    return calibration.fit(
        logits[rows],
        part[list(DECISIONS)].to_numpy(dtype=float),
        part["tape_id"].to_numpy(dtype=object),
        part["role"].to_numpy(dtype=object),
    )


def cross_calibrate(table: pd.DataFrame, logits: NDArray[np.float64]) -> dict[int, Calibration]:
    """Return for each fold the calibration fitted to the held-out log-odds of all other folds, (rows, decisions)."""
    return {fold: calibrate(table, logits, rest) for fold, rest, _ in splits(table["fold"].to_numpy())}


def splits(fold_of_rows: NDArray[np.int64]) -> Iterator[tuple[int, NDArray[np.intp], NDArray[np.intp]]]:
    """Yield each fold with the rows outside of it and the rows in it."""
    for fold in np.unique(fold_of_rows):
        yield int(fold), np.flatnonzero(fold_of_rows != fold), np.flatnonzero(fold_of_rows == fold)
