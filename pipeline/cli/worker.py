"""`tape-review worker`: do the work that is queued."""

from __future__ import annotations

import signal
import sys
import threading
from types import FrameType
from typing import Annotated, Literal

import typer

from pipeline.cli._shared.options import Config, Home, Profile


def worker(
    queue: Annotated[
        Literal["all", "cpu", "gpu"], typer.Option(help="Which jobs to take, if graphics cards have their own queue.")
    ] = "all",
    until_empty: Annotated[bool, typer.Option("--until-empty", help="Exit when no work is left.")] = False,
    home: Home = None,
    profile: Profile = None,
    config: Config = None,
) -> None:
    """Transcribe and pre-code submitted tapes, and destroy the tapes that are due.

    `tape-review serve` does this as well. Several workers may run side by side, with PostgreSQL also on several
    machines. If a worker dies, another one takes over its job, or the next one that starts.
    """
    from pipeline.cli._shared.home_access import open_home, settings_with_home, warn_of_little_memory
    from pipeline.tapes import logs
    from pipeline.tapes.jobs.worker import Worker

    logs.configure(sys.stderr)

    stop = threading.Event()

    def leave(number: int, frame: FrameType | None) -> None:
        stop.set()

    for each in (signal.SIGINT, signal.SIGTERM):
        signal.signal(each, leave)
    with open_home(home, config, profile) as tapes_home:
        warn_of_little_memory(tapes_home)
        with Worker(tapes_home, settings_with_home(profile, config, home), queue) as working:
            typer.echo(f"Worker {working.name} is ready")
            while not stop.wait(tapes_home.settings.poll_seconds):
                if until_empty and working.idle():
                    break
        typer.echo("Stopped; what was under way goes on with the next worker" if stop.is_set() else "Nothing is left")
