"""Training the tagger: five family-disjoint folds for all that is measured or calibrated, all sessions for what ships.

Every session is learned twice, as it is and without punctuation and case, as a recognizer may write it. Annotators
differ more than classes do: each gets an offset of its own in training, and prediction uses the mean of all. PAIR is
not used: its simple reflections are shorter by half, and length is what a model learns from it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pipeline.coding import calibration as calibrations
from pipeline.coding.calibration import Calibration
from pipeline.coding.classifier import DECISIONS, Classifier, Inputs, Network
from pipeline.coding.encoder import Encoder
from pipeline.coding.features import Matrix, bare
from pipeline.coding.vocabulary import Vocabulary
from pipeline.coding.weights import Fitted
from pipeline.progress import Progress, ignore

VARIANTS = ("written", "bare")
"""How the texts of a corpus are read: as they are, and without punctuation and case."""

SEEDS = (0, 1, 2)
LATENT = 128
"""Dimensions that the words are reduced to for the networks."""
RARE = 4
"""Words and pairs that occur in fewer texts, counting both copies, are left out."""
LINEAR_COST = 2.0
UNITS, EPOCHS, BATCH, DROPPED, RATE, DECAY = 128, 12, 128, 0.4, 3e-3, 1e-3
"""Of the networks: hidden units, passes, rows a step, share dropped of inputs and units, top learning rate, decay."""
WORTH = {"open": 0.5, "complex": 0.5, "information": 0.7, "change": 0.5}
"""How much a decision counts in the networks' loss, where not 1."""


@dataclass(frozen=True)
class Corpus:
    """Labeled sessions: a table as `pipeline.formats.annomi` reads it, and its inputs as written and bare."""

    table: pd.DataFrame
    variants: tuple[Inputs, Inputs]

    @classmethod
    def of(cls, table: pd.DataFrame, encoder: Encoder, progress: Progress = ignore) -> Corpus:
        """Read both variants; several minutes for some thousand utterances."""
        written = Inputs.of(table, encoder, lambda done: progress(done / 2))
        stripped = table.assign(text=table["text"].map(bare))
        return cls(table, (written, Inputs.of(stripped, encoder, lambda done: progress(0.5 + done / 2))))

    @property
    def answers(self) -> NDArray[np.float64]:
        """Shape (rows, decisions): 1, 0, or NaN where a decision was not asked."""
        return self.table[list(DECISIONS)].to_numpy(dtype=float)

    @property
    def roles(self) -> NDArray[np.object_]:
        """The role of each row."""
        return self.table["role"].to_numpy(dtype=object)

    @property
    def tapes(self) -> NDArray[np.object_]:
        """The tape of each row."""
        return self.table["tape_id"].to_numpy(dtype=object)


@dataclass(frozen=True)
class HeldOut:
    """Log-odds of every row from a classifier that saw none of its fold, probabilities calibrated on the other folds.

    Shapes: (2 variants, 2 views, rows, decisions) and (2 variants, rows, decisions); variants are written and bare.
    """

    logits: NDArray[np.float64]
    probabilities: NDArray[np.float64]
    by_fold: dict[int, Calibration]


def fit(corpus: Corpus, rows: NDArray[np.intp], seeds: Sequence[int] = SEEDS) -> Classifier:
    """Fit a classifier to some rows of a corpus, both variants of them."""
    from sklearn.decomposition import TruncatedSVD

    variants = [variant[rows] for variant in corpus.variants]
    texts = [text for variant in variants for text in variant.lexical]
    vocabulary = Vocabulary.of(texts, RARE)
    answers = corpus.answers[rows]
    annotators = np.eye(int(corpus.table["annotator"].max()) + 1, dtype=np.float32)[
        corpus.table["annotator"].iloc[rows]
    ]
    terms = [vocabulary(variant.lexical) for variant in variants]
    linear = _fit_linear(terms, [variant.hand for variant in variants], annotators, answers)
    latent = TruncatedSVD(LATENT, n_iter=3, random_state=0).fit(terms[0])
    # Dimensions beyond the rank of a small corpus hardly vary: they must not be blown up.
    scale = np.maximum(latent.transform(terms[0]).std(axis=0), 1e-3) * 2
    reduction = (latent.components_ / scale[:, None]).T.astype(np.float32)
    classifier = Classifier(vocabulary, linear, reduction, ())
    dense = [classifier.dense(term, variant) for term, variant in zip(terms, variants, strict=True)]
    networks = tuple(_fit_network(dense, annotators, answers, seed) for seed in seeds)
    return replace(classifier, networks=networks)


def cross_fit(corpus: Corpus, progress: Progress = ignore) -> HeldOut:
    """Classify every fold with what was fitted to the other folds, families never split."""
    folds = corpus.table["fold"].to_numpy()
    logits = np.zeros((2, 2, len(folds), len(DECISIONS)))
    for number, (_, rest, held) in enumerate(splits(folds)):
        classifier = fit(corpus, rest)
        for variant, inputs in enumerate(corpus.variants):
            logits[variant][:, held] = classifier(inputs[held])
        progress((number + 1) / len(np.unique(folds)))
    probabilities = np.zeros((2, len(folds), len(DECISIONS)))
    by_fold = {}
    for fold, rest, held in splits(folds):
        by_fold[fold] = calibrate(corpus, logits, rest)
        for variant in range(2):
            probabilities[variant][held] = by_fold[fold].probabilities(logits[variant][:, held])
    return HeldOut(logits, probabilities, by_fold)


def predictions(corpus: Corpus, held_out: HeldOut, variant: int) -> pd.DataFrame:
    """Fold predictions without text: ``tape_id, utterance_id`` and what `Calibration.coded` gives."""
    parts = []
    for fold, _, held in splits(corpus.table["fold"].to_numpy()):
        rows = corpus.table.iloc[held][["tape_id", "utterance_id"]]
        found = held_out.by_fold[fold].coded(corpus.roles[held], held_out.probabilities[variant][held])
        parts.append(rows.assign(**found))
    return pd.concat(parts).sort_index()


def train(corpus: Corpus, progress: Progress = ignore) -> Fitted:
    """Make what ships."""
    held_out = cross_fit(corpus, lambda done: progress(done * 0.8))
    every = np.arange(len(corpus.table))
    classifier = fit(corpus, every)
    progress(1.0)
    folds = [predictions(corpus, held_out, number).assign(variant=variant) for number, variant in enumerate(VARIANTS)]
    return Fitted(classifier, calibrate(corpus, held_out.logits, every), held_out.by_fold, pd.concat(folds))


def calibrate(corpus: Corpus, logits: NDArray[np.float64], rows: NDArray[np.intp]) -> Calibration:
    """Calibrate on the held-out log-odds of some rows, as written."""
    return calibrations.fit(logits[0][:, rows], corpus.answers[rows], corpus.tapes[rows], corpus.roles[rows])


def splits(folds: NDArray[np.int64]) -> Iterator[tuple[int, NDArray[np.intp], NDArray[np.intp]]]:
    """Each fold with the rows outside of it and its own rows."""
    for fold in np.unique(folds):
        yield int(fold), np.flatnonzero(folds != fold), np.flatnonzero(folds == fold)


def _fit_linear(terms: list[Any], hand: list[Matrix], annotators: Matrix, answers: NDArray[np.float64]) -> Matrix:
    """One logistic regression a decision; an annotator's offset is replaced by the mean of all."""
    from scipy.sparse import hstack, vstack
    from sklearn.linear_model import LogisticRegression

    rows = vstack([hstack([term, own, annotators]) for term, own in zip(terms, hand, strict=True)]).tocsr()
    size = terms[0].shape[1] + hand[0].shape[1]
    columns = []
    for number in range(len(DECISIONS)):
        answer = np.tile(answers[:, number], len(terms))
        asked = ~np.isnan(answer)
        model = LogisticRegression(C=LINEAR_COST, solver="liblinear", random_state=0).fit(rows[asked], answer[asked])
        coefficients = model.coef_[0]
        columns.append([*coefficients[:size], model.intercept_[0] + coefficients[size:].mean()])
    return np.array(columns, dtype=np.float32).T


def _fit_network(variants: list[Matrix], annotators: Matrix, answers: NDArray[np.float64], seed: int) -> Network:
    """One shared hidden layer for all decisions; each batch takes either variant."""
    import torch
    from torch import nn

    generator = np.random.default_rng(seed)
    inputs = [torch.from_numpy(variant) for variant in variants]
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        drop = nn.Dropout(DROPPED)
        hidden, output = nn.Linear(variants[0].shape[1], UNITS), nn.Linear(UNITS, len(DECISIONS))
        offsets = nn.Linear(annotators.shape[1], len(DECISIONS), bias=False)
        nn.init.zeros_(offsets.weight)
        net = nn.Sequential(drop, hidden, nn.ReLU(), drop, output)
        optimizer = torch.optim.AdamW([*net.parameters(), *offsets.parameters()], lr=RATE, weight_decay=DECAY)
        steps = EPOCHS * -(-len(answers) // BATCH)
        schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, RATE, total_steps=steps)
        asked = torch.from_numpy(~np.isnan(answers)).float()
        worth = asked * torch.tensor([WORTH.get(decision, 1.0) for decision in DECISIONS])
        targets = torch.from_numpy(np.nan_to_num(answers)).float()
        who = torch.from_numpy(annotators)
        for _ in range(EPOCHS):
            order = generator.permutation(len(answers))
            for start in range(0, len(order), BATCH):
                batch = torch.from_numpy(order[start : start + BATCH])
                logits = net(inputs[generator.integers(len(inputs))][batch]) + offsets(who[batch])
                loss = nn.functional.binary_cross_entropy_with_logits(
                    logits, targets[batch], worth[batch], reduction="none"
                )
                loss = (loss.sum(dim=0) / worth[batch].gt(0).sum(dim=0).clamp(min=1)).sum()
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
                schedule.step()
        with torch.no_grad():
            bias = output.bias + offsets.weight.mean(dim=1)
            first = torch.cat([hidden.weight.T, hidden.bias[None]]).numpy()
            return Network(first, torch.cat([output.weight.T, bias[None]]).numpy())
