"""Training the tagger: five family-disjoint folds for all that is measured or calibrated, all sessions for what ships.

Annotators differ more than classes do: each gets an offset of its own in training, and prediction uses the mean of all.
PAIR is not used: its simple reflections are shorter by half, and length is what a model learns from it.
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

from pipeline.coding import calibration as calibrations
from pipeline.coding.calibration import Calibration
from pipeline.coding.inference.checkpoint import Fitted, Learned
from pipeline.coding.inference.classifier import DECISIONS, OUTPUTS, Inputs, Linear, mixed
from pipeline.coding.inference.tfidf import Vocabulary
from pipeline.coding.training import folds, pretrained
from pipeline.coding.training.folds import VARIANTS, Course, Kept, learn, readings
from pipeline.run.progress import Progress, ignore

if TYPE_CHECKING:
    from pipeline.coding.training.network import Layer, Network

SEEDS = (0,)
"""The first is that of what ships; the folds are learned and measured with each."""
RARE = 4
"""Words and pairs that occur in fewer texts, counting both variants, are left out."""
LINEAR_COST = 2.0


def fit_linear(table: pd.DataFrame, variants: Sequence[Inputs]) -> Linear:
    """One logistic regression a decision, of both variants; an annotator's offset is replaced by the mean of all."""
    from scipy.sparse import hstack, vstack
    from sklearn.linear_model import LogisticRegression

    vocabulary = Vocabulary.of([text for variant in variants for text in variant.lexical], RARE)
    annotators = np.eye(int(table["annotator"].max()) + 1, dtype=np.float32)[table["annotator"]]
    rows = vstack([hstack([vocabulary(variant.lexical), variant.hand, annotators]) for variant in variants]).tocsr()
    size = rows.shape[1] - annotators.shape[1]
    columns = []
    for decision in DECISIONS:
        answer = np.tile(table[decision].to_numpy(dtype=float), len(variants))
        asked = ~np.isnan(answer)
        model = LogisticRegression(C=LINEAR_COST, solver="liblinear", random_state=0).fit(rows[asked], answer[asked])
        coefficients = model.coef_[0]
        columns.append([*coefficients[:size], model.intercept_[0] + coefficients[size:].mean()])
    return Linear(vocabulary, np.array(columns, dtype=np.float32).T)


def linear_folds(table: pd.DataFrame) -> NDArray[np.float64]:
    """The linear view of every row by what saw none of its fold, shape (variants, rows, decisions)."""
    variants = [Inputs.of(each) for each in readings(table)]
    found = np.zeros((len(VARIANTS), len(table), len(DECISIONS)))
    for _, rest, held in splits(table["fold"].to_numpy()):
        linear = fit_linear(table.iloc[rest], [variant[rest] for variant in variants])
        for number, variant in enumerate(variants):
            found[number, held] = linear(variant[held])
    return found


def network_folds(table: pd.DataFrame, seed: int, kept: Kept) -> NDArray[np.float64]:
    """The network's scores of every row by what saw none of its fold, shape (variants, rows, outputs)."""
    found = np.zeros((len(VARIANTS), len(table), OUTPUTS))
    for fold, _, held in splits(table["fold"].to_numpy()):
        found[:, held] = np.load(kept.scores(seed, fold), allow_pickle=False)
    return found


def train(
    course: Course, seeds: Sequence[int], keep: Path | None = None, cores: int = 1, progress: Progress = ignore
) -> Fitted:
    """Make what ships, of the first seed, and measure all.

    Parameters
    ----------
    keep: a folder in which the networks are kept as they come; those that lie there are not learned anew.
    cores: how many networks are learned side by side.
    """
    with _kept(keep) as kept:
        learn(course, [(seeds[0], None), *_folds(course, seeds)], kept, cores, progress)
        network = folds.read(course.encoder, kept.network(seeds[0], None))
        return fitted(course, {seed: network_folds(course.table, seed, kept) for seed in seeds}, network)


def measure(
    course: Course, seeds: Sequence[int], keep: Path | None = None, cores: int = 1, progress: Progress = ignore
) -> pd.DataFrame:
    """The fold predictions that `train` makes with these seeds, without making what ships."""
    words = linear_folds(course.table)
    with _kept(keep) as kept:
        learn(course, _folds(course, seeds), kept, cores, progress)
        return pd.concat(
            [_measured(course.table, words, network_folds(course.table, seed, kept), seed).folds for seed in seeds]
        )


def _folds(course: Course, seeds: Sequence[int]) -> list[tuple[int, int | None]]:
    return [(seed, int(fold)) for seed in seeds for fold in sorted(course.table["fold"].unique())]


@contextmanager
def _kept(keep: Path | None) -> Iterator[Kept]:
    if keep:
        yield Kept(keep)
        return
    with TemporaryDirectory() as folder:
        yield Kept(Path(folder))


def fitted(course: Course, scores: Mapping[int, NDArray[np.float64]], network: Network) -> Fitted:
    """A tagger from what the folds' networks found: each seed's calibrated by itself, and the first one's kept."""
    table = course.table
    words = linear_folds(table)
    first, *others = (_measured(table, words, of, seed) for seed, of in scores.items())
    calibration = calibrate(table, first.logits[0], np.arange(len(table)))
    linear = fit_linear(table, [Inputs.of(each) for each in readings(table)])
    folds = pd.concat([first.folds, *(other.folds for other in others)])
    return Fitted(linear, learned(network, course.encoder), calibration, first.by_fold, folds)


class _Measured(NamedTuple):
    """One seed on held-out sessions: log-odds (variants, rows, decisions), each fold's calibration, what is stored."""

    logits: NDArray[np.float64]
    by_fold: Mapping[int, Calibration]
    folds: pd.DataFrame


def _measured(table: pd.DataFrame, words: NDArray[np.float64], scores: NDArray[np.float64], seed: int) -> _Measured:
    logits = np.stack([mixed(words[number], scores[number]) for number in range(len(VARIANTS))])
    by_fold = cross_calibrated(table, logits[0])
    folds = [
        predictions(table, logits[number], by_fold).assign(variant=variant, seed=seed)
        for number, variant in enumerate(VARIANTS)
    ]
    return _Measured(logits, by_fold, pd.concat(folds))


def learned(network: Network, folder: Path) -> Learned:
    """A fine-tuned network as it is stored."""
    state = {name: value.detach().float().numpy() for name, value in network.state_dict().items()}
    tokenizer = pretrained.read(folder, pretrained.TOKENIZER)
    return Learned(state, tokenizer, cast("Layer", network.layers[0]).heads, network.norm.eps)


def predictions(table: pd.DataFrame, logits: NDArray[np.float64], by_fold: Mapping[int, Calibration]) -> pd.DataFrame:
    """Fold predictions without text: what `Calibration.coded` gives beside the codes by hand."""
    by_hand = _by_hand(table)
    parts = []
    for fold, _, held in splits(table["fold"].to_numpy()):
        rows = by_hand.iloc[held]
        found = by_fold[fold].probabilities(logits[held])
        parts.append(rows.assign(**by_fold[fold].coded(table["role"].to_numpy(dtype=object)[held], found)))
    return pd.concat(parts).sort_index()


def _by_hand(table: pd.DataFrame) -> pd.DataFrame:
    """The rows' keys and their codes by hand: the main one in our words, and yes, no or nothing for each decision."""
    kinds = {"question": ("open", "closed"), "reflection": ("complex", "simple")}
    deciding = {"question": "open", "reflection": "complex"}
    talk = np.select([table["change"] == 1, table["change"] == 0], ["change", "sustain"], "neutral")
    main = np.where(table["role"] == "client", talk, table["main"])
    for behavior, (yes, no) in kinds.items():
        answer = table[deciding[behavior]].to_numpy(dtype=float)
        kind = np.select([answer == 1, answer == 0], [f"{behavior}_{yes}", f"{behavior}_{no}"], "")
        main = np.where(main == behavior, kind, main)
    told: dict[str, Any] = {
        f"hand_{name}": table[name] for name in ("question", "reflection", "complex", "information")
    }
    told |= {
        f"hand_{name}": np.where(table["role"] == "client", talk == name, np.nan) for name in ("change", "sustain")
    }
    return table[["tape_id", "utterance_id", "role", "family", "fold"]].assign(hand=main, **told)


def calibrate(table: pd.DataFrame, logits: NDArray[np.float64], rows: NDArray[np.intp]) -> Calibration:
    """Calibrate on the held-out log-odds of some rows, shape (rows, decisions)."""
    part = table.iloc[rows]
    return calibrations.fit(
        logits[rows],
        part[list(DECISIONS)].to_numpy(dtype=float),
        part["tape_id"].to_numpy(dtype=object),
        part["role"].to_numpy(dtype=object),
    )


def cross_calibrated(table: pd.DataFrame, logits: NDArray[np.float64]) -> dict[int, Calibration]:
    """Fold -> the calibration on all other folds' held-out log-odds, shape (rows, decisions)."""
    return {fold: calibrate(table, logits, rest) for fold, rest, _ in splits(table["fold"].to_numpy())}


def splits(folds: NDArray[np.int64]) -> Iterator[tuple[int, NDArray[np.intp], NDArray[np.intp]]]:
    """Each fold with the rows outside of it and its own rows."""
    for fold in np.unique(folds):
        yield int(fold), np.flatnonzero(folds != fold), np.flatnonzero(folds == fold)
