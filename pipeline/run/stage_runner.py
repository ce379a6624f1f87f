"""Runs stages: each as soon as the results that it takes are there, two side by side, finished ones read back."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol

from pipeline.run.engines import Engines
from pipeline.run.progress import STAGE_THREADS
from pipeline.run.stage import Stage, StageContext
from pipeline.run.stage_cache import StageStore
from pipeline.speech.cores import Cores

SIDE_BY_SIDE = 2
"""How many stages run at once; no more than two of them have all that they take at any time."""


class Observer(Protocol):
    """Follows a run: a progress display, a benchmark. Its methods are called from several threads."""

    def started(self, stage: str) -> None:
        """Note that the stage begins."""

    def progressed(self, stage: str, fraction: float) -> None:
        """Note that the stage is done by this fraction, 0 to 1."""

    def finished(self, stage: str, reused: bool) -> None:
        """Note that the stage is done; ``reused`` where an earlier run had finished it."""


@dataclass(frozen=True)
class StageRunner:
    """The stages of one run.

    Parameters
    ----------
    keys: stage -> the key under which its result is stored.
    inputs: the run's inputs by name, as the stages' functions use them.
    """

    stages: Sequence[Stage[Any]]
    keys: Mapping[str, str]
    inputs: Mapping[str, Any]
    engines: Engines
    cores: Cores
    observer: Observer

    def results(self, store: StageStore | None, wanted: Collection[str]) -> dict[str, Any]:
        """Return the results of the stages ``wanted``, and of those that had to run or be read for them.

        ``store`` None stores nothing. The first stage that fails stops the others, and its error is raised.

        Raises
        ------
        TapeReviewError: whatever keeps a stage from its result.
        StoppedError: the cores were stopped.
        """
        waiting = self._needed(store, wanted)
        results: dict[str, Any] = {}
        running: dict[Future[Any], str] = {}
        pool = ThreadPoolExecutor(SIDE_BY_SIDE, thread_name_prefix=STAGE_THREADS)
        try:
            while waiting or running:
                unfinished = {*running.values(), *(stage.name for stage in waiting)}
                for stage in [stage for stage in waiting if unfinished.isdisjoint(stage.takes)]:
                    running[pool.submit(self._finish, stage, store, results)] = stage.name
                    waiting.remove(stage)
                for done in wait(running, return_when=FIRST_COMPLETED).done:
                    results[running.pop(done)] = done.result()
        except BaseException:
            self.cores.stop()
            raise
        finally:
            pool.shutdown(wait=False, cancel_futures=True)  # an engine that computes looks up in a moment, and ends
        return results

    def _needed(self, store: StageStore | None, wanted: Collection[str]) -> list[Stage[Any]]:
        """Return the stages to run or to read back, in their order: of a finished stage, nothing before it."""
        names = set(wanted)
        for stage in reversed(self.stages):
            if stage.name in names and not self._finished(stage, store):
                names.update(stage.takes)
        return [stage for stage in self.stages if stage.name in names]

    def _finished(self, stage: Stage[Any], store: StageStore | None) -> bool:
        return store is not None and stage.format is not None and store.has(stage.name, self.keys[stage.name])

    def _finish(self, stage: Stage[Any], store: StageStore | None, results: Mapping[str, Any]) -> Any:
        """Return the result of one stage: computed and stored unless it is in the store, and read back from there."""
        self.observer.started(stage.name)
        key, reused = self.keys[stage.name], self._finished(stage, store)
        result = None if reused else stage.compute(self._context(stage), *(results[name] for name in stage.takes))
        if store is not None and stage.format is not None:
            if not reused:
                store.write(stage.name, key, stage.format.save(result))
            result = stage.format.load(store.read(stage.name, key))
        self.observer.finished(stage.name, reused)
        return result

    def _context(self, stage: Stage[Any]) -> StageContext:
        inputs = {name: self.inputs[name] for name in stage.inputs}
        return StageContext(inputs, self.engines, self.cores, partial(self._progress, stage.name))

    def _progress(self, stage: str, fraction: float) -> None:
        self.cores.raise_if_stopped()
        self.observer.progressed(stage, fraction)
