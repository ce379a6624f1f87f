"""Fine-tunes the network on AnnoMI, and scores sessions that it was not trained on.

Every annotator has an offset for every output; scoring uses their mean. Labels are smoothed, and mixed with soft labels
(`pipeline.coding.training.distillation`). The lowest layers and the word vectors stay as they were pretrained; the
higher a layer, the higher its learning rate. A graphics card is used where torch finds one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pipeline.coding.inference.classifier import DECISIONS, MAIN_BEHAVIORS, NETWORK_OUTPUTS
from pipeline.coding.inference.context_windows import (
    ContextWindow,
    PieceRange,
    WindowTokenizer,
    build_window,
    context_windows,
)
from pipeline.coding.training import pretrained
from pipeline.coding.training.augmentation import ExampleWindow, WordNoise, augmented_windows, word_noise
from pipeline.run.progress import Progress, ignore

if TYPE_CHECKING:
    import torch

    from pipeline.coding.training.network import Network

# ``python -m tests.benchmarks.seeds`` compares another way to learn, such as other values here, with what ships: on the
# held-out folds that `tape-review train --keep FOLDER` has finished.
EPOCHS = 5
"""Passes over all sessions."""
BATCH_WINDOWS = 4
"""Windows per training step."""
FROZEN_LAYERS = 4
"""Number of lowest layers that are not trained."""
LEARNING_RATE, LAYER_DECAY, HEAD_LEARNING_RATE, OFFSET_LEARNING_RATE = 5e-5, 0.93, 5e-4, 1.5e-3
"""Learning rate of the highest layer, its factor from layer to layer, and the rates of the heads and the offsets."""
WEIGHT_DECAY, OFFSET_WEIGHT_DECAY = 0.01, 0.05
"""AdamW's default of PyTorch, and more for the annotators' offsets, so that they take on no more than they must."""
WARMUP_SHARE = 0.1
"""Share of the steps in which the rates rise."""
MASKED_SHARE = 0.06
"""Share of word pieces that are masked in training."""
LABEL_SMOOTHING = 0.04
"""The probability that a hand code is taken to be wrong with: experts do not agree on all of them."""
SOFT_LABEL_WEIGHT = 0.5
"""Weight of a soft label; the hand code has the rest."""
LOSS_WEIGHTS = {"open": 0.6, "complex": 0.5, "information": 0.7, "change": 0.6}
"""Decision -> its weight in the loss, where not 1."""
SCORING_WINDOWS = 8
"""Windows that are scored per batch."""
_PADDING_MULTIPLE = 16
"""Batches are padded to a multiple of this many word pieces."""


def finetune(
    table: pd.DataFrame,
    folder: Path,
    seed: int,
    progress: Progress = ignore,
    add_noise: WordNoise = word_noise,
    soft_labels: NDArray[np.float64] | None = None,
) -> Network:
    """Fit the pretrained encoder in a folder, and new heads, to sessions as `pipeline.coding.training.data` reads them.

    ``soft_labels`` are the rows' soft labels, shape (rows, outputs).
    """
    import torch

    from pipeline.coding.training.network import Network

    generator = np.random.default_rng(seed)
    tokenizer = load_tokenizer(folder)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = Network.of(folder, NETWORK_OUTPUTS, int(table["annotator"].max()) + 1)
        network.halve()
        network.to(device())
        frozen = min(FROZEN_LAYERS, len(network.layers) - 1)
        network.layers[:frozen].requires_grad_(False)
        fast: list[torch.Tensor] = [parameter for layer in network.layers[frozen:] for parameter in layer.parameters()]
        exact = [parameter.detach().float().clone() for parameter in fast]
        optimizer = torch.optim.AdamW(_parameter_groups(network, exact, frozen), betas=(0.9, 0.98), fused=True)
        network.train()
        windows_of_epoch = partial(augmented_windows, table, tokenizer, generator, add_noise, soft_labels)
        for batch, done in batches(windows_of_epoch, generator, EPOCHS, BATCH_WINDOWS, optimizer):
            loss(network, tokenizer, batch, generator).backward()
            for parameter, master in zip(fast, exact, strict=True):
                master.grad, parameter.grad = parameter.grad.float(), None  # type: ignore[union-attr]
            torch.nn.utils.clip_grad_norm_(exact, 1.0)
            optimizer.step()
            optimizer.zero_grad()
            with torch.no_grad():
                torch._foreach_copy_(fast, exact)
            progress(done)
        network.eval()
    return network.cpu()


def device() -> torch.device:
    """Return the device that networks are trained on: a graphics card where torch finds one."""
    import torch

    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def batches(
    windows_of_epoch: Callable[[], Iterable[ExampleWindow]],
    generator: np.random.Generator,
    epochs: int,
    size: int,
    optimizer: torch.optim.Optimizer,
) -> Iterator[tuple[list[ExampleWindow], float]]:
    """Yield batches of windows, made anew and shuffled in each epoch, and the share of training done after each.

    The optimizer's rates are set for each step: they rise, then fall.
    """
    rates = [group["lr"] for group in optimizer.param_groups]
    steps = total = 0
    for epoch in range(epochs):
        windows = list(windows_of_epoch())
        total = total or epochs * -(-len(windows) // size)
        order = generator.permutation(len(windows))
        for start in range(0, len(order), size):
            share = min(1.0, (steps + 1) / (WARMUP_SHARE * total)) * max(0.02, 1 - steps / total)
            done = (epoch + min(1.0, (start + size) / len(order))) / epochs
            for group, rate in zip(optimizer.param_groups, rates, strict=True):
                group["lr"] = rate * share
            yield [windows[at] for at in order[start : start + size]], done
            steps += 1


def load_tokenizer(folder: Path) -> WindowTokenizer:
    """Load the tokenizer of the pretrained encoder in a folder."""
    return WindowTokenizer(pretrained.read(folder, pretrained.TOKENIZER).decode())


def scores(network: Network, tokenizer: WindowTokenizer, table: pd.DataFrame) -> NDArray[np.float64]:
    """Return scores of shape (rows, outputs): log-odds of the decisions, then scores of the main behaviors."""
    import torch

    network.to(device())
    result = np.zeros((len(table), NETWORK_OUTPUTS))
    windows = sorted(context_windows(table, tokenizer), key=lambda window: len(window.pieces))
    with torch.no_grad():
        offsets = network.annotators.weight.mean(dim=0)
        for start in range(0, len(windows), SCORING_WINDOWS):
            batch = windows[start : start + SCORING_WINDOWS]
            rows = [utterance.row for window in batch for utterance in window.utterances]
            result[rows] = (network(*collate(batch, tokenizer)) + offsets).cpu().numpy()
    return result


def _parameter_groups(network: Network, exact: list[torch.Tensor], frozen: int) -> list[dict[str, object]]:
    per_layer = len(exact) // (len(network.layers) - frozen)
    groups: list[dict[str, object]] = []
    for number in range(len(network.layers) - frozen):
        rate = LEARNING_RATE * LAYER_DECAY ** (len(network.layers) - frozen - 1 - number)
        of_layer = exact[number * per_layer : (number + 1) * per_layer]
        parameters = [parameter.requires_grad_() for parameter in of_layer]
        groups.append({"params": parameters, "lr": rate, "weight_decay": WEIGHT_DECAY})
    heads = [*network.hidden.parameters(), *network.output.parameters()]
    groups.append({"params": heads, "lr": HEAD_LEARNING_RATE, "weight_decay": WEIGHT_DECAY})
    offsets = [network.annotators.weight]
    groups.append({"params": offsets, "lr": OFFSET_LEARNING_RATE, "weight_decay": OFFSET_WEIGHT_DECAY})
    return groups


def loss(
    network: Network, tokenizer: WindowTokenizer, windows: Sequence[ExampleWindow], generator: np.random.Generator
) -> torch.Tensor:
    """Return the network's loss on some windows, per utterance; word pieces are masked at random."""
    import torch
    from torch.nn import functional

    examples = [example for _, utterances in windows for _, example in utterances]
    batch = [
        build_window(opening, [pieces for pieces, _ in utterances], np.arange(len(utterances)))
        for opening, utterances in windows
    ]
    pieces, real, *utterance_tensors = collate(batch, tokenizer)
    at = pieces.device
    masked = torch.from_numpy(generator.random(pieces.shape) < MASKED_SHARE).to(at) & real
    masked &= (pieces != tokenizer.start) & (pieces != tokenizer.end)
    pieces = torch.where(masked, torch.full_like(pieces, tokenizer.mask), pieces)
    annotators = torch.tensor([example.annotator for example in examples], device=at)
    outputs = network(pieces, real, *utterance_tensors) + network.annotators(annotators)
    decision_logits, main_scores = outputs.split([len(DECISIONS), len(MAIN_BEHAVIORS)], dim=1)
    soft_labels = torch.from_numpy(np.array([example.soft_labels for example in examples])).float().to(at)
    soft_logits, soft_main_scores = soft_labels.split([len(DECISIONS), len(MAIN_BEHAVIORS)], dim=1)
    answers = torch.from_numpy(np.array([example.answers for example in examples])).float().to(at)
    weights = torch.tensor([LOSS_WEIGHTS.get(decision, 1.0) for decision in DECISIONS], device=at)
    weights = (~answers.isnan()).float() * weights
    smoothed = answers.nan_to_num() * (1 - 2 * LABEL_SMOOTHING) + LABEL_SMOOTHING
    targets = _with_soft_labels(smoothed, soft_logits.sigmoid())
    decision_loss = functional.binary_cross_entropy_with_logits(decision_logits, targets, weights, reduction="sum")
    main = torch.tensor([example.main for example in examples], device=at)
    smoothed_main = functional.one_hot(main.clamp(min=0), len(MAIN_BEHAVIORS)).float() * (1 - LABEL_SMOOTHING)
    smoothed_main = smoothed_main + LABEL_SMOOTHING / len(MAIN_BEHAVIORS)
    main_targets = _with_soft_labels(smoothed_main, soft_main_scores.softmax(dim=1))
    main_loss = functional.cross_entropy(main_scores, main_targets, reduction="none")
    return (decision_loss + (main_loss * (main >= 0)).sum()) / len(examples)


def _with_soft_labels(hard: torch.Tensor, soft: torch.Tensor) -> torch.Tensor:
    """Mix the hand codes with the soft labels, where there are any."""
    return ((1 - SOFT_LABEL_WEIGHT) * hard + SOFT_LABEL_WEIGHT * soft).where(~soft.isnan(), hard)


def collate(
    windows: Sequence[ContextWindow], tokenizer: WindowTokenizer
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]:
    """Return a batch of windows as the arguments of `Network.forward`, on the device of training."""
    import torch

    longest = -(-max(len(window.pieces) for window in windows) // _PADDING_MULTIPLE) * _PADDING_MULTIPLE
    pieces = torch.full((len(windows), longest), tokenizer.pad)
    ranges: list[PieceRange] = []
    for number, window in enumerate(windows):
        pieces[number, : len(window.pieces)] = torch.tensor(window.pieces)
        first = number * longest
        ranges += [PieceRange(each.row, first + each.start, first + each.end) for each in window.utterances]
    pooling = torch.zeros(len(ranges), len(windows) * longest)
    for row, utterance in enumerate(ranges):
        pooling[row, utterance.start : utterance.end] = 1 / (utterance.end - utterance.start)
    ends = torch.tensor([utterance.end - 1 for utterance in ranges])
    roles = torch.tensor([utterance.start for utterance in ranges])
    at = device()
    pieces = pieces.to(at)
    return pieces, pieces != tokenizer.pad, pooling.to(at), ends.to(at), roles.to(at)
