"""Trains the networks of the folds and that of all sessions: side by side, one core each, stored as they finish."""

from __future__ import annotations

import signal
from collections.abc import Sequence
from concurrent.futures import FIRST_EXCEPTION, ProcessPoolExecutor, wait
from dataclasses import dataclass
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import pandas as pd

from pipeline.coding.inference.classifier import NETWORK_OUTPUTS
from pipeline.coding.inference.features import strip_punctuation
from pipeline.coding.training import finetuning
from pipeline.coding.training.asr_confusions import AsrConfusions
from pipeline.coding.training.augmentation import WordNoise, word_noise
from pipeline.coding.training.distillation import SoftLabels
from pipeline.files import atomic_write
from pipeline.run.progress import Progress, ignore

if TYPE_CHECKING:
    from pipeline.coding.training.network import Network

VARIANTS = ("written", "bare")
"""Variants of the texts that the tagger is measured on: as they are, and without punctuation and case."""


@dataclass(frozen=True)
class TrainingData:
    """The sessions, the pretrained encoder's folder, counts of misrecognized words, and soft labels."""

    table: pd.DataFrame  # as `pipeline.coding.training.data.read` returns it
    encoder: Path
    asr_confusions: pd.DataFrame  # as `pipeline.coding.training.asr_confusions.read` returns it
    soft_labels: SoftLabels

    def word_noise(self, fold: int | None) -> WordNoise:
        """Return the word noise for training, with the confusions of all folds but one."""
        confuse = AsrConfusions.of(self.asr_confusions, fold)
        return lambda text, generator: word_noise(confuse(text, generator), generator)


@dataclass(frozen=True)
class CheckpointStore:
    """A folder of trained networks: one per seed and fold, with its scores of that fold's sessions."""

    folder: Path

    def network(self, seed: int, fold: int | None) -> Path:
        """Return the path of the network that was trained without a fold's sessions, or (None) on all sessions."""
        return self.folder / f"seed-{seed}-{'all' if fold is None else f'fold-{fold}'}.safetensors"

    def scores(self, seed: int, fold: int) -> Path:
        """Return the path of a network's scores of its held-out fold: (variants, rows, outputs)."""
        return self.network(seed, fold).with_suffix(".npy")

    def has(self, seed: int, fold: int | None) -> bool:
        """Whether a fold's network, or that of all sessions, is complete; the scores are written last."""
        return (self.network(seed, None) if fold is None else self.scores(seed, fold)).exists()


def load_network(encoder: Path, path: Path) -> Network:
    """Load a network that was fine-tuned from the pretrained encoder in a folder."""
    from safetensors.torch import load_file

    from pipeline.coding.training.network import Network

    state = load_file(path)
    network = Network.of(encoder, NETWORK_OUTPUTS, len(state["annotators.weight"]))
    network.load_state_dict(state)
    return network.eval()


def train_networks(
    training_data: TrainingData,
    runs: Sequence[tuple[int, int | None]],
    store: CheckpointStore,
    cores: int = 1,
    progress: Progress = ignore,
) -> None:
    """Train what a store lacks of some runs: pairs of seed and held-out fold (None: all sessions).

    Every network has one core and a process of its own, so that it does not depend on how many there are.
    """
    sizes = training_data.table["fold"].value_counts()
    lacking = [run for run in runs if not store.has(*run)]
    lacking.sort(key=lambda run: 0 if run[1] is None else int(sizes[run[1]]))  # the longest first
    if min(cores, len(lacking)) < 2:
        for number, (seed, fold) in enumerate(lacking):
            report = partial(_report_share, progress, number, len(lacking))
            _train_network(training_data, seed, fold, store, report)
    else:
        _train_in_parallel(training_data, lacking, store, cores, progress)
    progress(1.0)


def text_variants(table: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return sessions in both variants: as they are, and without punctuation and case."""
    return table, table.assign(text=[strip_punctuation(text) or text for text in table["text"]])


def _train_network(
    training_data: TrainingData, seed: int, fold: int | None, store: CheckpointStore, progress: Progress
) -> None:
    table = training_data.table
    held_out = (table["fold"] == fold).to_numpy() if fold is not None else np.zeros(len(table), dtype=bool)
    rest = table[~held_out]
    soft_labels = training_data.soft_labels.scores(rest, fold)
    add_noise = training_data.word_noise(fold)
    network = finetuning.finetune(rest, training_data.encoder, seed, progress, add_noise, soft_labels)
    _save_network(network, store.network(seed, fold))
    if fold is not None:
        tokenizer = finetuning.load_tokenizer(training_data.encoder)
        variants = text_variants(table[held_out])
        scores = np.stack([finetuning.scores(network, tokenizer, variant) for variant in variants])
        with atomic_write(store.scores(seed, fold), replace=True, mode=0o666) as file:
            np.save(file, scores, allow_pickle=False)


def _report_share(progress: Progress, number: int, total: int, done: float) -> None:
    progress((number + done) / total)


def _save_network(network: Network, path: Path) -> None:
    from safetensors.torch import save

    with atomic_write(path, replace=True, mode=0o666) as file:
        file.write(save({name: value.contiguous() for name, value in network.state_dict().items()}))


def _train_in_parallel(
    training_data: TrainingData,
    runs: Sequence[tuple[int, int | None]],
    store: CheckpointStore,
    cores: int,
    progress: Progress,
) -> None:
    context = get_context("spawn")
    done = context.Array("d", len(runs), lock=False)
    shared = (training_data, store, done)
    with ProcessPoolExecutor(min(cores, len(runs)), context, _FoldProcess.begin, shared) as pool:
        waiting = {pool.submit(_FoldProcess.train, number, *run) for number, run in enumerate(runs)}
        while waiting:
            ended, waiting = wait(waiting, timeout=1, return_when=FIRST_EXCEPTION)
            progress(sum(done) / len(runs))
            for future in ended:
                future.result()


class _FoldProcess:
    """A worker process: it holds the training data, and reports its progress in a shared array."""

    shared: ClassVar[tuple[TrainingData, CheckpointStore, Any]]

    @classmethod
    def begin(cls, training_data: TrainingData, store: CheckpointStore, done: Any) -> None:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        cls.shared = training_data, store, done

    @classmethod
    def train(cls, number: int, seed: int, fold: int | None) -> None:
        training_data, store, done = cls.shared
        _train_network(training_data, seed, fold, store, lambda share: done.__setitem__(number, share))
