"""Where the threads of a process stand: of a worker, or the process that does its steps, which hangs."""

from __future__ import annotations

import faulthandler
import os
import re
import signal
import time
from contextlib import suppress
from pathlib import Path

import psutil

_DEEPEST = 8
"""Frames of a thread that are shown, the innermost first."""

_FRAME = re.compile(r'File "(.*)", line (\d+) in (.*)')


def shown_on_signal() -> None:
    """Have this process write the stacks of its threads to a file in the folder FAKE_STACKS when it gets SIGUSR1."""
    folder = Path(os.environ["FAKE_STACKS"])
    folder.mkdir(exist_ok=True)
    faulthandler.register(signal.SIGUSR1, (folder / str(os.getpid())).open("w"))


def of_all(folder: Path) -> list[str]:
    """The stacks of all processes that show them there, a line for a thread."""
    lines = []
    for path in sorted(folder.glob("*")):
        with suppress(psutil.NoSuchProcess):
            process = psutil.Process(int(path.name))
            if str(path) not in {file.path for file in process.open_files()}:
                continue  # another has the number by now
            process.send_signal(signal.SIGUSR1)
            deadline = time.monotonic() + 2
            while not path.stat().st_size and time.monotonic() < deadline:
                time.sleep(0.05)
            time.sleep(0.05)
            lines += [f"process {path.name}: {thread}" for thread in _threads(path.read_text())]
    return lines


def _threads(text: str) -> list[str]:
    stacks = [_FRAME.findall(part) for part in text.split("\n\n")]
    return [
        " < ".join(f"{Path(file).name}:{line} {name}" for file, line, name in frames[:_DEEPEST]) for frames in stacks
    ]
