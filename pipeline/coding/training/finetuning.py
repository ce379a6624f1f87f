"""Fine-tuning the network on AnnoMI, and its scores for sessions it has not seen.

Every annotator has an offset of its own for every output; scoring uses their mean. Labels are softened a little, and
mixed with what a teacher heard (`pipeline.coding.training.distillation`). The lowest layers and the word vectors stay
as they were pretrained; the higher a layer, the faster it learns. A graphics card is used where torch finds one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pipeline.coding.inference.classifier import DECISIONS, MAIN, OUTPUTS
from pipeline.coding.inference.context_windows import Reader, Span, Window, window, windows
from pipeline.coding.training import pretrained
from pipeline.coding.training.augmentation import Said, Slipping, slips, spoiled
from pipeline.run.progress import Progress, ignore

if TYPE_CHECKING:
    import torch

    from pipeline.coding.training.network import Network

EPOCHS = 5
BATCH = 4
"""Windows of a step."""
FROZEN = 4
"""Lowest layers that do not learn."""
RATE, FALLS, HEADS, OFFSETS = 5e-5, 0.93, 5e-4, 1.5e-3
"""Learning rate of the highest layer, how it falls from layer to layer, and those of the heads and the offsets."""
DECAY, OFFSETS_DECAY = 0.01, 0.05
WARMING = 0.1
"""Share of the steps in which the rates rise."""
MASKED = 0.06
"""Share of word pieces that are hidden from the network in training."""
SOFTENED = 0.04
TAUGHT = 0.5
"""What a teacher's answer counts, beside the hand code's rest."""
WORTH = {"open": 0.6, "complex": 0.5, "information": 0.7, "change": 0.6}
"""How much a decision counts in the loss, where not 1."""
SCORED = 8
"""Windows that are scored at once."""
_MULTIPLE = 16
"""Batches are padded to a multiple of this."""


def finetune(
    table: pd.DataFrame,
    folder: Path,
    seed: int,
    progress: Progress = ignore,
    slipping: Slipping = slips,
    taught: NDArray[np.float64] | None = None,
) -> Network:
    """Fit the pretrained encoder in a folder, and new heads, to sessions as `pipeline.coding.training.data` reads them.

    ``taught`` is what a teacher answered for each row, shape (rows, outputs).
    """
    import torch

    from pipeline.coding.training.network import Network

    generator = np.random.default_rng(seed)
    reader = reader_of(folder)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = Network.of(folder, OUTPUTS, int(table["annotator"].max()) + 1)
        network.halve()
        network.to(device())
        frozen = min(FROZEN, len(network.layers) - 1)
        network.layers[:frozen].requires_grad_(False)
        fast: list[torch.Tensor] = [parameter for layer in network.layers[frozen:] for parameter in layer.parameters()]
        exact = [parameter.detach().float().clone() for parameter in fast]
        optimizer = torch.optim.AdamW(_groups(network, exact, frozen), betas=(0.9, 0.98), fused=True)
        network.train()
        again = partial(spoiled, table, reader, generator, slipping, taught)
        for batch, done in batches(again, generator, EPOCHS, BATCH, optimizer):
            loss(network, reader, batch, generator).backward()
            for parameter, own in zip(fast, exact, strict=True):
                own.grad, parameter.grad = parameter.grad.float(), None  # type: ignore[union-attr]
            torch.nn.utils.clip_grad_norm_(exact, 1.0)
            optimizer.step()
            optimizer.zero_grad()
            with torch.no_grad():
                torch._foreach_copy_(fast, exact)
            progress(done)
        network.eval()
    return network.cpu()


def device() -> torch.device:
    """Where networks learn: a graphics card where torch finds one."""
    import torch

    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def batches(
    again: Callable[[], Iterable[Said]],
    generator: np.random.Generator,
    epochs: int,
    size: int,
    optimizer: torch.optim.Optimizer,
) -> Iterator[tuple[list[Said], float]]:
    """All windows some times over, each time made anew and in another order, some at once.

    The optimizer's rates are set for each step: they rise, then fall. With the windows comes how much is done after it.
    """
    rates = [group["lr"] for group in optimizer.param_groups]
    steps = total = 0
    for epoch in range(epochs):
        given = list(again())
        total = total or epochs * -(-len(given) // size)
        order = generator.permutation(len(given))
        for start in range(0, len(order), size):
            share = min(1.0, (steps + 1) / (WARMING * total)) * max(0.02, 1 - steps / total)
            done = (epoch + min(1.0, (start + size) / len(order))) / epochs
            for group, rate in zip(optimizer.param_groups, rates, strict=True):
                group["lr"] = rate * share
            yield [given[at] for at in order[start : start + size]], done
            steps += 1


def reader_of(folder: Path) -> Reader:
    """The reader of the pretrained encoder in a folder."""
    return Reader(pretrained.read(folder, pretrained.TOKENIZER).decode())


def scores(network: Network, reader: Reader, table: pd.DataFrame) -> NDArray[np.float64]:
    """Scores of every row, shape (rows, outputs): log-odds of the decisions, then scores of the main behaviors."""
    import torch

    network.to(device())
    found = np.zeros((len(table), OUTPUTS))
    given = sorted(windows(table, reader), key=lambda window: len(window.pieces))
    with torch.no_grad():
        offsets = network.annotators.weight.mean(dim=0)
        for start in range(0, len(given), SCORED):
            part = given[start : start + SCORED]
            spans = [span for window in part for span in window.spans]
            found[[span.row for span in spans]] = (network(*joined(part, reader)) + offsets).cpu().numpy()
    return found


def _groups(network: Network, exact: list[torch.Tensor], frozen: int) -> list[dict[str, object]]:
    each = len(exact) // (len(network.layers) - frozen)
    groups: list[dict[str, object]] = []
    for number in range(len(network.layers) - frozen):
        rate = RATE * FALLS ** (len(network.layers) - frozen - 1 - number)
        own = [parameter.requires_grad_() for parameter in exact[number * each : (number + 1) * each]]
        groups.append({"params": own, "lr": rate, "weight_decay": DECAY})
    heads = [*network.hidden.parameters(), *network.output.parameters()]
    groups.append({"params": heads, "lr": HEADS, "weight_decay": DECAY})
    groups.append({"params": [network.annotators.weight], "lr": OFFSETS, "weight_decay": OFFSETS_DECAY})
    return groups


def loss(network: Network, reader: Reader, given: Sequence[Said], generator: np.random.Generator) -> torch.Tensor:
    """How far a network is from what some windows teach; word pieces are hidden from it at random."""
    import torch
    from torch.nn import functional

    lessons = [lesson for _, said in given for _, lesson in said]
    part = [window(opening, [own for own, _ in said], np.arange(len(said))) for opening, said in given]
    pieces, real, *where = joined(part, reader)
    at = pieces.device
    hidden = torch.from_numpy(generator.random(pieces.shape) < MASKED).to(at) & real
    hidden &= (pieces != reader.start) & (pieces != reader.end)
    pieces = torch.where(hidden, torch.full_like(pieces, reader.mask), pieces)
    who = torch.tensor([lesson.annotator for lesson in lessons], device=at)
    found = network(pieces, real, *where) + network.annotators(who)
    decided, preferred = found.split([len(DECISIONS), len(MAIN)], dim=1)
    heard = torch.from_numpy(np.array([lesson.taught for lesson in lessons])).float().to(at)
    taught, other = heard.split([len(DECISIONS), len(MAIN)], dim=1)
    answers = torch.from_numpy(np.array([lesson.answers for lesson in lessons])).float().to(at)
    worth = (~answers.isnan()).float() * torch.tensor([WORTH.get(decision, 1.0) for decision in DECISIONS], device=at)
    soft = _mixed(answers.nan_to_num() * (1 - 2 * SOFTENED) + SOFTENED, taught.sigmoid())
    yes_no = functional.binary_cross_entropy_with_logits(decided, soft, worth, reduction="sum")
    main = torch.tensor([lesson.main for lesson in lessons], device=at)
    behaviors = functional.one_hot(main.clamp(min=0), len(MAIN)).float() * (1 - SOFTENED) + SOFTENED / len(MAIN)
    one_of = functional.cross_entropy(preferred, _mixed(behaviors, other.softmax(dim=1)), reduction="none")
    return (yes_no + (one_of * (main >= 0)).sum()) / len(lessons)


def _mixed(hard: torch.Tensor, taught: torch.Tensor) -> torch.Tensor:
    """What the hand codes say, and where a teacher answered, what it says too."""
    return ((1 - TAUGHT) * hard + TAUGHT * taught).where(~taught.isnan(), hard)


def joined(
    given: Sequence[Window], reader: Reader
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]:
    """Windows side by side, as `Network.forward` takes them, where networks learn."""
    import torch

    longest = -(-max(len(window.pieces) for window in given) // _MULTIPLE) * _MULTIPLE
    pieces = torch.full((len(given), longest), reader.pad)
    spans: list[Span] = []
    for number, shown in enumerate(given):
        pieces[number, : len(shown.pieces)] = torch.tensor(shown.pieces)
        first = number * longest
        spans += [Span(span.row, first + span.start, first + span.end) for span in shown.spans]
    read = torch.zeros(len(spans), len(given) * longest)
    for row, span in enumerate(spans):
        read[row, span.start : span.end] = 1 / (span.end - span.start)
    ends = torch.tensor([span.end - 1 for span in spans])
    roles = torch.tensor([span.start for span in spans])
    here = device()
    pieces = pieces.to(here)
    return pieces, pieces != reader.pad, read.to(here), ends.to(here), roles.to(here)
