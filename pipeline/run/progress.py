"""How far a stage has come: a callable that takes the done fraction, 0 to 1."""

from __future__ import annotations

from collections.abc import Callable

Progress = Callable[[float], None]


def ignore(fraction: float) -> None:
    """The progress of a caller that does not show any."""


STAGE_THREADS = "stage"
"""How the threads are called in which stages run side by side; one may still compute when its run has failed."""
