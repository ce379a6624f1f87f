"""A language model learns to code sessions and teaches the tagger: ``python -m tests.benchmarks.distillation FILE``

Needs ``--data DATA --keep FOLDER`` as well. FILE is a language model as GGUF; `tests.benchmarks.language_models` says
which and where from, and this takes ``pip install transformers gguf accelerate peft``. Its lower layers get adapters
(LoRA: Hu et al., 2021) and heads like the tagger's, and learn what the tagger learns, without the sessions of one fold
or of two. What it answers about those is kept, and an interrupted run goes on from there. Printed are the figures of
the folds that each did not see, beside the shipped tagger's. ``--answers FILE`` stores what the tagger learns from
(`models/teacher`). Fifteen networks: each some half a minute of an H100 if six learn ``--at-once``, or hours of a core.
"""

from __future__ import annotations

import argparse
from functools import partial
from itertools import combinations
from multiprocessing import get_context
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from rich.console import Console
from torch import Tensor, nn

from pipeline import settings
from pipeline.coding import tagger
from pipeline.coding.adaptation import log_odds
from pipeline.coding.inference import checkpoint
from pipeline.coding.inference.classifier import DECISIONS, NETWORK_OUTPUTS, ensemble
from pipeline.coding.inference.context_windows import WindowTokenizer
from pipeline.coding.training import asr_confusions, data, finetuning
from pipeline.coding.training.asr_confusions import AsrConfusions
from pipeline.coding.training.augmentation import WordNoise, augmented_windows, word_noise
from pipeline.coding.training.cross_validation import linear_folds
from pipeline.coding.training.distillation import COLUMNS, KEYS, SoftLabels
from pipeline.coding.training.finetuning import HEAD_LEARNING_RATE, OFFSET_LEARNING_RATE, OFFSET_WEIGHT_DECAY
from pipeline.settings import project_folder
from tests.benchmarks.language_models import NAMES, PROMPT, Encode, lower
from tests.benchmarks.taggers import figures, side_by_side

LAYERS, RANK, SCALE = 16, 16, 32
"""Lowest layers that are used; the adapters' rank, and what they count (alpha)."""
ADAPTED = ("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj")
EPOCHS, BATCH, RATE, DROPPED, WIDTH = 3, 2, 2e-4, 0.15, 768
LONGEST, START = 160, 70
"""Pieces of an utterance that are read; of a longer one, the start and the end."""
SEED = 0


class Script(WindowTokenizer):
    """Sessions as a script, in a language model's pieces; a line break is an utterance's mark."""

    size, before, after = 1024, 300, 120
    start = end = -1  # a window opens with words

    def __init__(self, encode: Encode) -> None:
        self._encode = encode
        self.pad = self.mask = encode("!")[0]
        self._known: dict[str, tuple[int, ...]] = {}

    def opening(self, target: str) -> tuple[int, ...]:
        return self._pieces(PROMPT.format(target=target))

    def utterance(self, role: str, text: str) -> tuple[int, ...]:
        words = self._pieces(f" {text}")
        if len(words) > LONGEST:
            words = words[:START] + words[START - LONGEST :]
        return self._pieces(NAMES.get(role, "Someone:")) + words + self._pieces("\n")

    def _pieces(self, text: str) -> tuple[int, ...]:
        if text not in self._known:
            self._known[text] = tuple(self._encode(text))
        return self._known[text]


class Listener(nn.Module):
    """A language model with heads like those of `pipeline.coding.training.network`."""

    def __init__(self, model: nn.Module, width: int, annotators: int) -> None:
        super().__init__()
        self.model, self.norm, self.drop = model, nn.LayerNorm(width), nn.Dropout(DROPPED)
        self.hidden, self.output = nn.Linear(3 * width, WIDTH), nn.Linear(WIDTH, NETWORK_OUTPUTS)
        self.annotators = nn.Embedding(annotators, NETWORK_OUTPUTS)
        nn.init.zeros_(self.annotators.weight)

    def forward(self, pieces: Tensor, real: Tensor, read: Tensor, ends: Tensor, roles: Tensor) -> Tensor:
        """Scores of shape (utterances, outputs), as `pipeline.coding.training.network.Network.forward` gives them."""
        states = self.model(input_ids=pieces, attention_mask=real.long(), use_cache=False).last_hidden_state
        flat = self.norm(states.flatten(0, 1).float())
        joint = torch.cat([read @ flat, flat[ends], flat[roles]], dim=1)
        return self.output(self.drop(torch.tanh(self.hidden(self.drop(joint)))))


def adapted(model: nn.Module) -> nn.Module:
    """A language model with adapters, kept in 32 bits; nothing else of it learns."""
    from peft import LoraConfig, inject_adapter_in_model

    how = LoraConfig(r=RANK, lora_alpha=SCALE, lora_dropout=0.05, target_modules=list(ADAPTED))
    model = inject_adapter_in_model(how, model)
    for parameter in model.parameters():
        if parameter.requires_grad:
            parameter.data = parameter.data.float()
    return model


def learned(model: nn.Module, tokenizer: Script, table: pd.DataFrame, add_noise: WordNoise, width: int) -> Listener:
    """What has learned from some sessions."""
    torch.backends.cuda.enable_cudnn_sdp(False)  # with it, losses were no numbers (torch 2.11, H100)
    generator = np.random.default_rng(SEED)
    torch.manual_seed(SEED)
    network = Listener(adapted(model), width, int(table["annotator"].max()) + 1).to(finetuning.device())
    adapters = [parameter for parameter in network.model.parameters() if parameter.requires_grad]
    heads = [parameter for part in (network.norm, network.hidden, network.output) for parameter in part.parameters()]
    groups = [
        {"params": adapters, "lr": RATE, "weight_decay": 0.0},
        {"params": heads, "lr": HEAD_LEARNING_RATE, "weight_decay": finetuning.WEIGHT_DECAY},
        {"params": [network.annotators.weight], "lr": OFFSET_LEARNING_RATE, "weight_decay": OFFSET_WEIGHT_DECAY},
    ]
    optimizer = torch.optim.AdamW(groups, betas=(0.9, 0.98))
    network.train()
    windows_of_epoch = partial(augmented_windows, table, tokenizer, generator, add_noise)
    for batch, _ in finetuning.batches(windows_of_epoch, generator, EPOCHS, BATCH, optimizer):
        finetuning.loss(network, tokenizer, batch, generator).backward()
        torch.nn.utils.clip_grad_norm_([parameter for group in groups for parameter in group["params"]], 1.0)
        optimizer.step()
        optimizer.zero_grad()
    return network.eval()


def kept(folder: Path, without: tuple[int, ...]) -> Path:
    """Where the answers are of a teacher that did not see some folds."""
    return folder / f"without-{'-'.join(map(str, without))}.npz"


def wanted(folds: list[int]) -> list[tuple[int, ...]]:
    """The folds that each teacher does not see."""
    return [(fold,) for fold in folds] + list(combinations(folds, 2))


class Task(NamedTuple):
    """What every teacher begins with, and where its answers go."""

    table: pd.DataFrame
    asr_confusions: pd.DataFrame
    model: nn.Module
    tokenizer: Script
    folder: Path


_TASKS: list[Task] = []
"""The one task, for processes that are forked from this one."""


def _learn(without: tuple[int, ...]) -> tuple[int, ...]:
    table, counts, model, tokenizer, folder = _TASKS[-1]
    held_out = table["fold"].isin(without)
    confuse = AsrConfusions.of(counts[~counts["fold"].isin(without)])
    width = int(model.config.hidden_size)
    add_noise: WordNoise = lambda text, draw: word_noise(confuse(text, draw), draw)  # noqa: E731
    network = learned(model, tokenizer, table[~held_out], add_noise, width)
    scores = finetuning.scores(network, tokenizer, table[held_out])
    offsets = network.annotators.weight.detach().cpu().numpy()
    path = kept(folder, without)
    part = path.with_name(f"part-{path.name}")
    np.savez(part, scores=scores, told=scores + (offsets - offsets.mean(axis=0))[table["annotator"][held_out]])
    part.replace(path)
    return without


def answer(table: pd.DataFrame, folder: Path, without: tuple[int, ...], fold: int, what: str) -> NDArray[np.float64]:
    """What a teacher that did not see some folds makes of the rows of one of them, shape (rows, outputs)."""
    with np.load(kept(folder, without), allow_pickle=False) as stored:
        return stored[what][(table.loc[table["fold"].isin(without), "fold"] == fold).to_numpy()]


def answers(table: pd.DataFrame, folder: Path) -> SoftLabels:
    """All answers that learners may hear, as they are stored."""
    folds = sorted(table["fold"].unique())
    parts = []
    for without in (None, *folds):
        for fold in folds:
            if fold == without:
                continue
            unseen = (fold,) if without is None else tuple(sorted((fold, without)))
            part = table.loc[table["fold"] == fold, list(KEYS[1:])].copy()
            part[list(COLUMNS[len(KEYS) :])] = answer(table, folder, unseen, fold, "told").round(1)
            parts.append(part.assign(without=without))
    labels = pd.concat(parts, ignore_index=True).astype({"without": "Int64"})
    return SoftLabels(labels[list(COLUMNS)])


def main() -> None:
    """Learn what is lacking, print the figures, and store the answers."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.distillation", description=__doc__)
    parser.add_argument("file", type=Path)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--keep", type=Path, required=True)
    parser.add_argument("--answers", type=Path)
    parser.add_argument("--at-once", type=int, default=1)
    arguments = parser.parse_args()
    arguments.keep.mkdir(parents=True, exist_ok=True)
    table = data.read(arguments.data)
    folds = sorted(map(int, table["fold"].unique()))
    counts = asr_confusions.read(project_folder("models") / "mishearings" / "mishearings.csv")
    lacking = [without for without in wanted(folds) if not kept(arguments.keep, without).exists()]
    console = Console(width=150)
    if lacking:
        encode, model = lower(arguments.file, LAYERS)
        _TASKS.append(Task(table, counts, model, Script(encode), arguments.keep))
        # A process a network: each begins with the language model as it was.
        with get_context("fork").Pool(arguments.at_once, maxtasksperchild=1) as pool:
            for without in pool.imap_unordered(_learn, lacking):
                console.print(f"without {' and '.join(map(str, without))} learned")
    scores = np.zeros((len(table), NETWORK_OUTPUTS))
    for fold in folds:
        scores[(table["fold"] == fold).to_numpy()] = answer(table, arguments.keep, (fold,), fold, "scores")
    alone = ensemble(np.zeros((len(table), len(DECISIONS))), scores)
    beside = ensemble(linear_folds(table)[0], scores)
    stored = checkpoint.read_folds(tagger.weights_folder(settings.load().settings), "written")
    keys = ["tape_id", "utterance_id"]
    shipped = log_odds(table[keys].merge(stored[stored["seed"] == stored["seed"].iloc[0]], on=keys))
    lines = [
        ("what ships, from its stored probabilities", [figures(table, shipped)]),
        (f"{arguments.file.stem}, lowest {LAYERS} layers, fine-tuned", [figures(table, alone)]),
        ("the same, with regressions on words", [figures(table, beside)]),
    ]
    console.print(side_by_side(lines))
    if arguments.answers:
        how = {"method": "gzip", "mtime": 0}
        answers(table, arguments.keep).table.to_csv(arguments.answers, index=False, compression=how)


if __name__ == "__main__":
    main()
