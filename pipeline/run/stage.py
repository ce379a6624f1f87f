"""A stage of the main job: what it takes, and the function that computes its result."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from pipeline.run.engines import Engines
from pipeline.run.progress import Progress
from pipeline.run.stage_cache import ResultFormat
from pipeline.speech.cores import Cores

T = TypeVar("T")


@dataclass(frozen=True)
class Stage(Generic[T]):
    """One stage, with everything that decides its result declared: its key is made of this, and of nothing else.

    Parameters
    ----------
    label: what people read while it works.
    compute: called with a `StageContext` and the results of the stages that it takes, in their order.
    takes: earlier stages whose results it takes.
    inputs: names of the run's inputs (`pipeline.run.stage_keys.RunInputs`) that it uses.
    packages: the packages that compute it: another version may compute something else.
    format: how its result is stored; None where it takes a moment and is not stored.
    """

    name: str
    label: str
    compute: Callable[..., T]
    takes: tuple[str, ...] = ()
    inputs: tuple[str, ...] = ()
    packages: tuple[str, ...] = ()
    format: ResultFormat[T] | None = None


@dataclass(frozen=True)
class StageContext:
    """All that a stage's function works with, besides the results that it takes.

    ``inputs`` holds the inputs that the stage declares, and no others.
    """

    inputs: Mapping[str, Any]
    engines: Engines
    cores: Cores
    progress: Progress
