"""Work that is done again and again in a thread of its own while the room is open."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def repeating(work: Callable[[], None], every: float, name: str) -> Iterator[None]:
    """Do the work at once and then every so many seconds, until the context ends."""
    over = threading.Event()

    def repeat() -> None:
        work()
        while not over.wait(every):
            work()

    thread = threading.Thread(target=repeat, name=name, daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
