"""How a verb that computes for minutes ends at once: on Ctrl-C, and where it fails while engines still compute.

The engines' threads cannot be interrupted. So the work is done in a thread, this one only waits, and the program ends
without asking them; what a run has finished lies on disk whole.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from types import FrameType
from typing import NoReturn, TypeVar

from pipeline.run.progress import STAGE_THREADS

T = TypeVar("T")

GRACE = 0.5
"""Seconds in which the work may tidy up after itself."""

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Interrupted(KeyboardInterrupt):
    """A signal asks the program to end; ``status`` is the exit status that says so."""

    def __init__(self, number: int) -> None:
        self.status = 128 + number
        super().__init__(number)


def interruptible(work: Callable[[], T], stop: Callable[[], None]) -> T:
    """Return the result of ``work``, which runs in a thread.

    Parameters
    ----------
    stop: called on a signal, so that the work ends where it can.

    Raises
    ------
    Interrupted: Ctrl-C, an end from outside, or a terminal that was closed.
    """
    done: Future[T] = Future()

    def run() -> None:
        try:
            done.set_result(work())
        except BaseException as error:
            done.set_exception(error)

    thread = threading.Thread(target=run, name="work", daemon=True)
    with signals_raised():
        try:
            thread.start()
            return done.result()
        except Interrupted:
            for number in _SIGNALS:
                signal.signal(number, signal.SIG_IGN)
            stop()
            thread.join(GRACE)
            raise


@contextmanager
def signals_raised() -> Iterator[None]:
    """Raise `Interrupted` in this thread on a signal, except on those that whoever started us told us to ignore."""

    def interrupt(number: int, _: FrameType | None) -> None:
        raise Interrupted(number)

    before = {caught: signal.getsignal(caught) for caught in _SIGNALS}
    before = {caught: handler for caught, handler in before.items() if handler not in (signal.SIG_IGN, None)}
    for caught in before:
        signal.signal(caught, interrupt)
    try:
        yield
    finally:
        for caught, handler in before.items():
            signal.signal(caught, handler)


def leave(status: int | str | None) -> NoReturn:
    """End the program with this status (see `sys.exit`), at once where the threads of a failed run still compute."""
    if any(thread.name.startswith(STAGE_THREADS) for thread in threading.enumerate()):
        leave_now(status if isinstance(status, int) else int(status is not None))
    sys.exit(status)


def leave_now(status: int) -> NoReturn:
    """End the program with this status whatever its threads are at."""
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError):
            stream.flush()
    os._exit(status)
