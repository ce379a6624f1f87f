"""The thread of a worker that makes suggestions (`suggestions`) while there is no job, in a process of its own."""

from __future__ import annotations

import time
from collections.abc import Callable
from threading import Event, Thread

from pipeline.errors import TapeReviewError
from pipeline.run.progress import ignore
from pipeline.tapes import logs
from pipeline.tapes.clock import Clock
from pipeline.tapes.home import Home
from pipeline.tapes.jobs import suggestions
from pipeline.tapes.jobs.engine_process import Runner

_LOOK = 0.5
"""Seconds between two looks into the records at whether a suggestion is still wanted."""


class GivenBackError(Exception):
    """The worker has something else to do."""


class SuggestionThread(Thread):
    """Takes one suggestion after the other; lets go of it as soon as the worker has a job or stops.

    Parameters
    ----------
    busy: whether the worker has a job. ended: whether it stops.
    """

    def __init__(
        self,
        home: Home,
        worker: str,
        new_runner: Callable[[], Runner],
        busy: Callable[[], bool],
        ended: Event,
        clock: Clock,
    ) -> None:
        super().__init__(name="suggestions", daemon=True)
        self._home, self._worker, self._clock = home, worker, clock
        self._new_runner, self._busy, self._ended = new_runner, busy, ended

    def run(self) -> None:
        """Look for a suggestion to make with every heartbeat."""
        while not self._ended.wait(self._home.settings.heartbeat_seconds):
            try:
                if not self._busy() and (tape_id := suggestions.claim(self._home, self._worker, self._clock())):
                    self._make(tape_id)
            except Exception:
                logs.get().warning("worker.trouble", worker=self._worker, exc_info=True)

    def _make(self, tape_id: str) -> None:
        looked = 0.0

        def go_on() -> None:
            nonlocal looked
            if self._ended.is_set() or self._busy():
                raise GivenBackError
            if time.monotonic() - looked > _LOOK:
                looked = time.monotonic()
                suggestions.require(self._home, tape_id, self._worker, self._clock())

        runner = self._new_runner()
        try:
            outcome = runner.do(tape_id, suggestions.STEP, ignore, go_on)
        except GivenBackError:
            suggestions.give_back(self._home, tape_id, self._worker, self._clock())
            return
        except TapeReviewError:  # nobody wants it anymore, or the consent has ended
            suggestions.fail(self._home, tape_id, self._worker, self._clock())
            return
        finally:
            runner.end()
        if outcome.error is not None or outcome.failure is not None:
            suggestions.fail(self._home, tape_id, self._worker, self._clock())
            logs.get().warning(
                "worker.trouble", worker=self._worker, code=outcome.error.code if outcome.error else None
            )
