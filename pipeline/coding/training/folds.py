"""The networks of the folds, and that of all sessions: learned side by side, one core each, and kept as they come."""

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

from pipeline.coding.inference.classifier import OUTPUTS
from pipeline.coding.inference.features import bare
from pipeline.coding.training import finetuning
from pipeline.coding.training.asr_confusions import Mishearings
from pipeline.coding.training.augmentation import Slipping, slips
from pipeline.coding.training.distillation import Teacher
from pipeline.files import atomic_write
from pipeline.run.progress import Progress, ignore

if TYPE_CHECKING:
    from pipeline.coding.training.network import Network

VARIANTS = ("written", "bare")
"""How the texts are read that the tagger is measured on."""


@dataclass(frozen=True)
class Course:
    """What networks learn from: sessions, the pretrained encoder's folder, counts of what was misheard, a teacher."""

    table: pd.DataFrame  # as `pipeline.coding.training.data.read` gives it
    encoder: Path
    mishearings: pd.DataFrame  # as `pipeline.coding.training.asr_confusions.read` gives it
    teacher: Teacher

    def slipping(self, fold: int | None) -> Slipping:
        """What happens to words in sessions with slips, as it is known from outside of a fold."""
        misheard = Mishearings.of(self.mishearings, fold)
        return lambda text, generator: slips(misheard(text, generator), generator)


@dataclass(frozen=True)
class Kept:
    """A folder with what was learned: a network a seed and fold, and its scores of that fold's sessions."""

    folder: Path

    def network(self, seed: int, fold: int | None) -> Path:
        """Where the network is that saw none of a fold's sessions, or (None) all sessions."""
        return self.folder / f"seed-{seed}-{'all' if fold is None else f'fold-{fold}'}.safetensors"

    def scores(self, seed: int, fold: int) -> Path:
        """Where a network's scores of the fold that it did not see are: (variants, rows, outputs)."""
        return self.network(seed, fold).with_suffix(".npy")

    def has(self, seed: int, fold: int | None) -> bool:
        """Whether all is there that is learned of a fold, or of all sessions; the scores come last."""
        return (self.network(seed, None) if fold is None else self.scores(seed, fold)).exists()


def read(encoder: Path, path: Path) -> Network:
    """A network that was learned from the pretrained encoder in a folder."""
    from safetensors.torch import load_file

    from pipeline.coding.training.network import Network

    state = load_file(path)
    network = Network.of(encoder, OUTPUTS, len(state["annotators.weight"]))
    network.load_state_dict(state)
    return network.eval()


def learn(
    course: Course,
    wanted: Sequence[tuple[int, int | None]],
    kept: Kept,
    cores: int = 1,
    progress: Progress = ignore,
) -> None:
    """Learn what a folder lacks of the wanted seeds and folds (None: the network of all sessions).

    Every network has one core and a process of its own, so that it does not depend on how many there are.
    """
    sizes = course.table["fold"].value_counts()
    lacking = [each for each in wanted if not kept.has(*each)]
    lacking.sort(key=lambda each: 0 if each[1] is None else int(sizes[each[1]]))  # the longest first
    if min(cores, len(lacking)) < 2:
        for number, (seed, fold) in enumerate(lacking):
            _learn(course, seed, fold, kept, partial(_share, progress, number, len(lacking)))
    else:
        _side_by_side(course, lacking, kept, cores, progress)
    progress(1.0)


def readings(table: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Sessions in both variants: as they are, and without punctuation and case."""
    return table, table.assign(text=[bare(text) or text for text in table["text"]])


def _learn(course: Course, seed: int, fold: int | None, kept: Kept, progress: Progress) -> None:
    held = (course.table["fold"] == fold).to_numpy() if fold is not None else np.zeros(len(course.table), dtype=bool)
    rest = course.table[~held]
    taught = course.teacher.scores(rest, fold)
    network = finetuning.finetune(rest, course.encoder, seed, progress, course.slipping(fold), taught)
    _keep(network, kept.network(seed, fold))
    if fold is not None:
        reader = finetuning.reader_of(course.encoder)
        found = [finetuning.scores(network, reader, each) for each in readings(course.table[held])]
        scores = np.stack(found)
        with atomic_write(kept.scores(seed, fold), replace=True, mode=0o666) as file:
            np.save(file, scores, allow_pickle=False)


def _share(progress: Progress, number: int, of: int, done: float) -> None:
    progress((number + done) / of)


def _keep(network: Network, path: Path) -> None:
    from safetensors.torch import save

    with atomic_write(path, replace=True, mode=0o666) as file:
        file.write(save({name: value.contiguous() for name, value in network.state_dict().items()}))


def _side_by_side(
    course: Course, lacking: Sequence[tuple[int, int | None]], kept: Kept, cores: int, progress: Progress
) -> None:
    context = get_context("spawn")
    done = context.Array("d", len(lacking), lock=False)
    with ProcessPoolExecutor(min(cores, len(lacking)), context, _Pupil.begin, (course, kept, done)) as pupils:
        waiting = {pupils.submit(_Pupil.learn, number, *each) for number, each in enumerate(lacking)}
        while waiting:
            ended, waiting = wait(waiting, timeout=1, return_when=FIRST_EXCEPTION)
            progress(sum(done) / len(lacking))
            for each in ended:
                each.result()


class _Pupil:
    """One of the processes; it holds the course, and tells how far it has come."""

    given: ClassVar[tuple[Course, Kept, Any]]

    @classmethod
    def begin(cls, course: Course, kept: Kept, done: Any) -> None:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        cls.given = course, kept, done

    @classmethod
    def learn(cls, number: int, seed: int, fold: int | None) -> None:
        course, kept, done = cls.given
        _learn(course, seed, fold, kept, lambda share: done.__setitem__(number, share))
