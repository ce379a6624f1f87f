"""The process that does a job's steps, apart from the worker that watches over it.

The engines cannot be interrupted and may crash; a process can be ended at any moment, and takes its memory, the key and
the speech in it along. It lives no longer than its worker: it ends when the pipe from there is closed. Between the
two go lines of JSON; what the libraries print goes nowhere, as it might be speech.
"""

from __future__ import annotations

import contextlib
import errno
import importlib
import json
import multiprocessing.connection
import os
import resource
import subprocess
import sys
import threading
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, BinaryIO

from pipeline.errors import JobError, TapeReviewError
from pipeline.files import UNWRITABLE
from pipeline.run.engines import Engines
from pipeline.settings import Settings
from pipeline.tapes import clock
from pipeline.tapes.home import Home
from pipeline.tapes.jobs import steps, suggestions
from pipeline.tapes.jobs.stillness import Stillness, processor_seconds
from pipeline.tapes.vault.master_key import Ring

_LOOK = 0.5
"""Seconds between two looks at whether to go on."""

_QUIET = 0.5
"""Seconds between two reports of progress."""

_NICE = 10
"""How far a suggestion stands back behind all else on the machine: nobody waits for it."""

_LARGE_KB = 700_000
"""A process that grew so large is not used for another job."""

_DISK = dict.fromkeys(UNWRITABLE, "cannot be written")
_DISK |= dict.fromkeys((errno.ENOSPC, errno.EDQUOT, errno.EFBIG), "is full")
_DISK |= dict.fromkeys((errno.EACCES, errno.EPERM), "refuses us")


@dataclass(frozen=True)
class Outcome:
    """How a step ended: well, by a mistake that somebody must mend, or by a failure that may pass."""

    error: TapeReviewError | None = None
    failure: str | None = None


class StillError(Exception):
    """The process stands still."""


class Runner:
    """The worker's end: starts the process when it is needed, and ends it.

    Parameters
    ----------
    engines: the seam for tests: ``"module:name"`` of what makes the engines from the settings.
    """

    def __init__(self, home: Home, settings: Settings, engines: str) -> None:
        self._home, self._settings, self._engines = home, settings, engines
        self._process: subprocess.Popen[bytes] | None = None
        self._buffer = b""

    def do(self, job_id: str, step: str, progress: Callable[[float], None], go_on: Callable[[], None]) -> Outcome:
        """Have a step done; a process that comes to a standstill in it is ended, and the step has failed.

        Parameters
        ----------
        go_on: asked twice a second; an exception from it ends the process and the step.
        """
        try:
            process = self._started()
            stillness = Stillness(partial(processor_seconds, process.pid))

            def look() -> None:
                go_on()
                if stillness.lasts():
                    raise StillError

            self._tell(process, {"job": job_id, "step": step})
            while (answer := self._answer(process, look)) is not None:
                stillness.moved()
                if "fraction" in answer:
                    progress(answer["fraction"])
                    go_on()
                else:
                    return self._outcome(answer)
        except BrokenPipeError:
            pass
        except StillError:
            self.end()
            return Outcome(failure="the process that did it came to a standstill")
        except BaseException:
            self.end()
            raise
        status = self.end()
        return Outcome(failure=f"the process that did it ended ({_ending(status)})")

    def end(self) -> int | None:
        """End the process at once; its exit status."""
        process, self._process, self._buffer = self._process, None, b""
        if process is None:
            return None
        if process.poll() is None:
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(0.05)  # it may be dying already, and then its own status tells why
        process.kill()
        status = process.wait()
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                with contextlib.suppress(OSError):
                    pipe.close()
        return status

    def _started(self) -> subprocess.Popen[bytes]:
        if self._process is None or self._process.poll() is not None:
            self.end()
            command = [sys.executable, "-m", "pipeline.tapes.jobs.engine_process"]
            self._process = subprocess.Popen(  # noqa: S603 - ourselves
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                start_new_session=True,  # a Ctrl-C is for the worker, which then ends us
            )
            self._tell(self._process, self._hello())
        return self._process

    def _hello(self) -> dict[str, Any]:
        """Return what the process needs; the master key only where the process cannot find it and has nobody to ask."""
        has_passphrase = self._home.master.kind() == "passphrase"
        tapes = self._home.settings.model_copy(update={"home": str(self._home.folder)})
        settings = self._settings.model_copy(update={"tapes": tapes})
        ring = self._home.vault.ring.text() if has_passphrase else None
        return {"settings": settings.model_dump(mode="json"), "ring": ring, "engines": self._engines}

    @staticmethod
    def _tell(process: subprocess.Popen[bytes], message: dict[str, Any]) -> None:
        if process.stdin is not None:
            process.stdin.write(json.dumps(message).encode() + b"\n")
            process.stdin.flush()

    def _answer(self, process: subprocess.Popen[bytes], go_on: Callable[[], None]) -> dict[str, Any] | None:
        """The next line from the process; None when it ended."""
        pipe = process.stdout
        while pipe is not None and b"\n" not in self._buffer:
            if not multiprocessing.connection.wait([pipe.fileno()], _LOOK):
                go_on()
                continue
            read = os.read(pipe.fileno(), 1 << 16)
            if not read:
                return None
            self._buffer += read
        line, self._buffer = self._buffer.split(b"\n", 1)
        answer: dict[str, Any] = json.loads(line)
        return answer

    def _outcome(self, answer: dict[str, Any]) -> Outcome:
        if answer["memory_kb"] > _LARGE_KB:
            self.end()
        if "mistake" in answer:
            kind, *words = answer["mistake"]
            return Outcome(error=_KINDS[kind](*words))
        return Outcome(failure=answer.get("failure"))


_KINDS = {kind.__name__: kind for kind in TapeReviewError.__subclasses__()}


def _ending(status: int | None) -> str:
    return f"signal {-status}" if status is not None and status < 0 else f"status {status}"


def main(commands: BinaryIO, answers: BinaryIO) -> None:
    """Do steps as they are asked for, until the pipe is closed."""
    inherited = _most_memory()  # a process counts as its own what the one that started it had at its most
    hello = json.loads(commands.readline())
    settings = Settings(**hello["settings"])
    engines = _named(hello["engines"])
    home = Home.open(settings.tapes)
    if hello["ring"]:
        home.vault = home.vault_by(Ring.parsed(hello["ring"]))
    lock = threading.Lock()

    def answer(message: dict[str, Any]) -> None:
        with lock:
            answers.write(json.dumps(message).encode() + b"\n")
            answers.flush()

    requests: list[dict[str, str]] = []
    waiting = threading.Semaphore(0)

    def listen() -> None:
        for line in commands:
            requests.append(json.loads(line))
            waiting.release()
        os._exit(0)  # the worker is gone: whatever we are at, nobody waits for it

    threading.Thread(target=listen, daemon=True).start()
    while True:
        waiting.acquire()
        order = requests.pop(0)
        result = _attempt(home, settings, engines, order, answer)
        most = _most_memory()
        answer(result | {"memory_kb": most if most > inherited else 0})


def _most_memory() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def _attempt(
    home: Home,
    settings: Settings,
    engines: Callable[[Settings], Engines],
    order: dict[str, str],
    answer: Callable[[dict[str, Any]], None],
) -> dict[str, Any]:
    last = 0.0

    def progress(fraction: float) -> None:
        nonlocal last
        if time.monotonic() - last > _QUIET:
            last = time.monotonic()
            answer({"fraction": fraction})

    try:
        if order["step"] == suggestions.STEP:
            os.nice(_NICE)
            suggestions.perform(home, settings, engines, order["job"], progress, clock.now)
        else:
            steps.perform(home, settings, engines, order["job"], order["step"], progress, clock.now)
    except TapeReviewError as error:
        code = error.code.removeprefix("TR-")
        return {"mistake": [type(error).__name__, code, error.thing, error.value, error.remedy]}
    except OSError as error:
        if error.errno in _DISK:
            full = JobError("J06", "disk", _DISK[error.errno], "free some space or fix its permissions, then retry")
            return {"mistake": ["JobError", "J06", full.thing, full.value, full.remedy]}
        return {"failure": _failure_place(error)}
    except Exception as error:  # its words may be speech: its kind and place must do
        return {"failure": _failure_place(error)}
    return {}


def _failure_place(error: Exception) -> str:
    frames = traceback.extract_tb(error.__traceback__)
    where = f" in {frames[-1].name}, line {frames[-1].lineno}" if frames else ""
    return f"{type(error).__name__}{where}"


def _named(name: str) -> Callable[[Settings], Engines]:
    module, _, attribute = name.partition(":")
    factory: Callable[[Settings], Engines] = getattr(importlib.import_module(module), attribute)
    return factory


if __name__ == "__main__":
    pipe = os.fdopen(os.dup(1), "wb")
    silence = os.open(os.devnull, os.O_WRONLY)
    os.dup2(silence, 1)
    main(sys.stdin.buffer, pipe)
