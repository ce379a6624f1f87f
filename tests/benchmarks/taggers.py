"""Ways to tag, side by side on the same five folds: ``python -m tests.benchmarks.taggers --data DATA --minilm FOLDER``

FOLDER holds all-MiniLM-L6-v2 (config.json, model.safetensors, tokenizer.json); without it, the ways that need it are
left out. Every way gives scores of held-out rows; calibration, thresholds and figures are the shipped tagger's. Only
the shipped way was tuned; for the recurrent network five times as many steps were tried on MiniLM's vectors, and were
worse. With ``--keep``, what is learned is kept, to go on from there. Half an hour of one core; the shipped tagger's
line comes from its stored fold predictions.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table
from torch import nn
from torch.nn import functional

from pipeline import model_catalog, settings
from pipeline.coding import tagger
from pipeline.coding.calibration import Calibration
from pipeline.coding.inference import checkpoint
from pipeline.coding.inference.classifier import DECISIONS, MAIN_BEHAVIORS, NETWORK_OUTPUTS, LinearInputs, ensemble
from pipeline.coding.inference.features import lexical_terms
from pipeline.coding.training import cross_validation, data, evaluation, finetuning
from tests.benchmarks.encoders import as_mpnet, vectors

SEEDS = (0, 1, 2)
EPOCHS, STRETCHES, LONGEST, WIDTH, RATE, DROPPED = 12, 16, 64, 128, 2e-3, 0.3
"""Of the recurrent network over a session's frozen vectors; it learns from stretches of sessions, and reads whole."""


class Way(NamedTuple):
    """What it is, with which seeds it runs, and its log-odds of every row for a seed, shape (rows, decisions)."""

    what: str
    seeds: Sequence[int]
    logits: Callable[[int], NDArray[np.float64]]


def words(table: pd.DataFrame) -> NDArray[np.float64]:
    """Words and word pairs alone, each utterance by itself; the features made by hand and the context are left out."""
    inputs = LinearInputs(
        tuple(lexical_terms(text) for text in table["text"]), np.zeros((len(table), 0), dtype=np.float32)
    )
    logits = np.zeros((len(table), len(DECISIONS)))
    for _, rest, held_out in cross_validation.splits(table["fold"].to_numpy()):
        logits[held_out] = cross_validation.fit_linear(table.iloc[rest], [inputs[rest]])(inputs[held_out])
    return logits


class Recurrent(nn.Module):
    """A bidirectional GRU over a session's utterances, with the outputs and the annotators' offsets of ours."""

    def __init__(self, inputs: int, annotators: int) -> None:
        super().__init__()
        self.drop = nn.Dropout(DROPPED)
        self.over = nn.GRU(inputs, WIDTH, batch_first=True, bidirectional=True)
        self.output = nn.Linear(2 * WIDTH + inputs, NETWORK_OUTPUTS)
        self.annotators = nn.Embedding(annotators, NETWORK_OUTPUTS)
        nn.init.zeros_(self.annotators.weight)

    def forward(self, sessions: list[torch.Tensor]) -> torch.Tensor:
        """Scores of all utterances of some sessions, one after the other, shape (utterances, outputs)."""
        joint = [self.drop(session) for session in sessions]
        packed = nn.utils.rnn.pack_sequence(joint, enforce_sorted=False)
        seen, lengths = nn.utils.rnn.pad_packed_sequence(self.over(packed)[0], batch_first=True)
        rows = torch.cat([each[:length] for each, length in zip(seen, lengths, strict=True)])
        return self.output(self.drop(torch.cat([rows, torch.cat(joint)], dim=1)))  # type: ignore[no-any-return]


def recurrent(table: pd.DataFrame, vectors: NDArray[np.float32], seed: int) -> NDArray[np.float64]:
    """Frozen vectors, read by a GRU over the whole session."""
    roles = (table["role"] == "interviewer").to_numpy(dtype=np.float32)
    length = np.log1p(table["text"].str.split().str.len()).to_numpy(dtype=np.float32) / 3
    inputs = torch.from_numpy(np.column_stack([vectors * vectors.shape[1] ** 0.5, roles, length]))
    answers = torch.tensor(table[list(DECISIONS)].to_numpy(dtype=np.float32))
    main = torch.tensor([MAIN_BEHAVIORS.index(name) if name in MAIN_BEHAVIORS else -1 for name in table["main"]])
    annotators = torch.tensor(table["annotator"].to_numpy())
    weights = torch.tensor([finetuning.LOSS_WEIGHTS.get(decision, 1.0) for decision in DECISIONS])
    scores_of_rows = np.zeros((len(table), NETWORK_OUTPUTS))
    for _, rest, held_out in cross_validation.splits(table["fold"].to_numpy()):
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            draw = np.random.default_rng(seed)
            model = Recurrent(inputs.shape[1], int(annotators.max()) + 1)
            optimizer = torch.optim.AdamW(model.parameters(), lr=RATE, weight_decay=0.01)
            sessions = table.iloc[rest].groupby("tape_id", sort=False).indices.values()
            stretches = [rest[rows[at : at + LONGEST]] for rows in sessions for at in range(0, len(rows), LONGEST)]
            for _ in range(EPOCHS):
                order = draw.permutation(len(stretches))
                for start in range(0, len(order), STRETCHES):
                    part = [stretches[at] for at in order[start : start + STRETCHES]]
                    rows = np.concatenate(part)
                    scores = model([inputs[each] for each in part]) + model.annotators(annotators[rows])
                    known_answers = answers[rows]
                    soft = (
                        known_answers.nan_to_num() * (1 - 2 * finetuning.LABEL_SMOOTHING) + finetuning.LABEL_SMOOTHING
                    )
                    loss = functional.binary_cross_entropy_with_logits(
                        scores[:, : len(DECISIONS)], soft, (~known_answers.isnan()) * weights, reduction="sum"
                    ) + functional.cross_entropy(
                        scores[:, len(DECISIONS) :], main[rows], ignore_index=-1, reduction="sum"
                    )
                    optimizer.zero_grad()
                    (loss / len(rows)).backward()
                    optimizer.step()
            model.eval()
            with torch.no_grad():
                for rows in table.iloc[held_out].groupby("tape_id", sort=False).indices.values():
                    scores = model([inputs[held_out[rows]]]) + model.annotators.weight.mean(dim=0)
                    scores_of_rows[held_out[rows]] = scores.numpy()
    return ensemble(np.zeros((len(table), len(DECISIONS))), scores_of_rows)


def figures(table: pd.DataFrame, logits: NDArray[np.float64]) -> dict[str, float]:
    """Return the figures of one way and seed, calibrated like the shipped tagger."""
    by_fold = cross_validation.cross_calibrate(table, logits)
    return metric_values(evaluation.join_predictions(table, cross_validation.fold_predictions(table, logits, by_fold)))


def metric_values(joined: pd.DataFrame) -> dict[str, float]:
    """Figure -> value, of AnnoMI's rows with their tags."""
    metrics = {figure.name: figure.value for figure in evaluation.utterance_metrics(joined)}
    no_spread = {int(fold): Calibration({}, {}) for fold in joined["fold"].unique()}
    sessions = evaluation.session_table(joined, no_spread)
    asked = sessions[sessions["questions"] >= 3]
    return metrics | {"session R:Q, Spearman": float(asked["rq"].corr(asked["tagged_rq"], method="spearman"))}


def ways(table: pd.DataFrame, minilm: Path | None, mpnet: Path, keep: Path) -> dict[str, Way]:
    """All ways; vectors are made when they are first needed, and kept."""

    def of(name: str, folder: Path) -> Callable[[int], NDArray[np.float64]]:
        def run(seed: int) -> NDArray[np.float64]:
            path = keep / f"{name}-vectors.npy"
            if not path.exists():
                np.save(path, vectors(folder, list(table["text"])), allow_pickle=False)
            return recurrent(table, np.load(path, allow_pickle=False), seed)

        return run

    by_name = {
        "words": Way("TF-IDF with logistic regression", (0,), lambda seed: words(table)),
        "features": Way(
            "the same with hand-made features of utterance and context",
            (0,),
            lambda seed: cross_validation.linear_folds(table)[0],
        ),
    }
    if minilm:
        folder = as_mpnet(minilm, keep / "minilm")
        gru = "bidirectional GRU over the session"
        by_name["minilm-gru"] = Way(f"frozen MiniLM vectors, {gru}", SEEDS, of("minilm", folder))
        by_name["mpnet-gru"] = Way(f"frozen mpnet vectors, {gru}", SEEDS, of("mpnet", mpnet))
    return by_name


def main() -> None:
    """Run what the command line names, and print one table."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.taggers", description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--minilm", type=Path)
    parser.add_argument("--keep", type=Path)
    parser.add_argument("--ways", nargs="+", help="words, features, minilm-gru, mpnet-gru; all if not given")
    parser.add_argument("--seeds", type=int, default=len(SEEDS), help="the most that a way runs with")
    arguments = parser.parse_args()
    chosen = settings.load().settings
    table = data.read(arguments.data)
    console = Console(width=190)
    lines: list[tuple[str, list[dict[str, float]]]] = []
    with TemporaryDirectory() as name:
        keep = arguments.keep or Path(name)
        keep.mkdir(parents=True, exist_ok=True)
        mpnet = model_catalog.folder(chosen.coding.encoder, chosen.models)
        for key, way in ways(table, arguments.minilm, mpnet, keep).items():
            if arguments.ways and key not in arguments.ways:
                continue
            of_seeds = []
            for seed in way.seeds[: arguments.seeds]:
                path = keep / f"{key}-{seed}.npy"
                if not path.exists():
                    np.save(path, way.logits(seed), allow_pickle=False)
                of_seeds.append(figures(table, np.load(path, allow_pickle=False)))
                console.print(f"{way.what}, seed {seed} done")
            lines.append((way.what, of_seeds))
    folds = checkpoint.read_folds(tagger.weights_folder(chosen), "written")
    shipped = [metric_values(evaluation.join_predictions(table, rows)) for _, rows in folds.groupby("seed", sort=False)]
    lines.append(("mpnet fine-tuned on windows, with preference and regressions: what ships", shipped))
    console.print(side_by_side(lines))


def side_by_side(lines: Sequence[tuple[str, list[dict[str, float]]]]) -> Table:
    """Return a table of the ways with their figures, the mean and the range of their seeds."""
    table = Table(title="Five family-disjoint folds of AnnoMI, pooled; mean over seeds (lowest-highest)")
    table.add_column("Way")
    table.add_column("Seeds", justify="right")
    for name in lines[-1][1][0]:
        table.add_column("five classes" if name.startswith("OQ") else name.split(",")[0], justify="right")
    for label, of_seeds in lines:
        cells = []
        for name in of_seeds[0]:
            values = [figures[name] for figures in of_seeds]
            span = f" ({min(values):.3f}-{max(values):.3f})" if len(values) > 1 else ""
            cells.append(f"{np.mean(values):.3f}{span}")
        table.add_row(label, str(len(of_seeds)), *cells)
    return table


if __name__ == "__main__":
    main()
