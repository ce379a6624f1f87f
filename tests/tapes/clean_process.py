"""Processes for tests, started by one that has done nothing yet.

The process of the tests must not fork: it has threads by then, and a lock that one of them holds inside of SQLite at
that moment stays locked in the child for ever. Beside three threads that use SQLite, every third child hung. SQLite
also forbids to carry a connection into a child.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import time
from collections.abc import Callable
from multiprocessing.connection import Connection
from multiprocessing.context import ForkServerProcess

CLEAN = multiprocessing.get_context("forkserver")
CLEAN.set_forkserver_preload(["tests.tapes.jobs.worker_room"])  # so that a worker need not import anything

_START_SECONDS = 120.0

Target = Callable[..., object]
"""A function of a module, or a partial of one: it is sent to the new process by its name."""


def started(target: Target, *arguments: object) -> ForkServerProcess:
    """A process that does something, in this one's environment; it is about to begin when this returns.

    SIGTERM waits until the target lets it in (`signal.pthread_sigmask`).
    """
    here, there = CLEAN.Pipe(duplex=False)
    process = CLEAN.Process(target=_run, args=(there, dict(os.environ), target, arguments))
    process.start()
    there.close()
    assert here.poll(_START_SECONDS)
    here.recv()
    here.close()
    return process


def _run(connection: Connection, environment: dict[str, str], target: Target, arguments: tuple[object, ...]) -> None:
    os.environ.clear()
    os.environ.update(environment)
    time.tzset()
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
    connection.send(True)
    connection.close()
    target(*arguments)
