"""The folder that a run writes: whole results or none.

While a run works, everything lies in ``OUT.partial`` beside ``OUT`` (readable by its owner alone, since it holds the
recording's sound); when all results are there they are moved to ``OUT`` in one step and the partial folder is
removed. A run that was killed leaves its partial folder, and the next run with the same ``OUT`` goes on from it.
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path

from pipeline.errors import OutputError
from pipeline.files import UNWRITABLE

PROVENANCE = "provenance.json"
"""The file by which a folder is known as results of ours; its ``run`` names the inputs and options."""


class Output:
    """Where the results of one run go."""

    def __init__(self, folder: Path) -> None:
        self.folder = Path(os.path.abspath(folder))
        self.partial = self.folder.with_name(f"{self.folder.name}.partial")
        self._results, self._replaced = self.partial / "results", self.partial / "replaced"

    def fresh(self) -> Path:
        """An empty folder that collects the results until they are published."""
        shutil.rmtree(self._results, ignore_errors=True)
        self._results.mkdir(mode=0o700, parents=True)
        return self._results

    def holds(self, run: str, files: Collection[str] = (), *, overwrite: bool = False) -> bool:
        """Whether the folder already holds the whole results of this run, all ``files``, and shall keep them.

        Raises
        ------
        OutputError: O01 where the folder holds something that is not ours, O02 where it holds another run's results.
        """
        if not self.folder.exists() or (self.folder.is_dir() and not any(self.folder.iterdir())):
            return False
        try:
            run_there = json.loads((self.folder / PROVENANCE).read_text(encoding="utf-8"))["run"]
        except (OSError, ValueError, KeyError, TypeError) as error:
            thing = f"output {self.folder}"
            raise OutputError(
                "O01", thing, "holds files that are not a tape's results", "choose another folder"
            ) from error
        if run_there == run:
            return not overwrite and all((self.folder / name).is_file() for name in files)
        if not overwrite:
            value = "holds the results of another recording, other options or other versions"
            raise OutputError("O02", f"output {self.folder}", value, "choose another folder, or add --overwrite")
        return False

    @contextmanager
    def opened(self) -> Iterator[None]:
        """Hold the partial folder for this run alone.

        Raises
        ------
        OutputError: O03 where another run holds it, O04 where it cannot be written.
        """
        try:
            self.partial.mkdir(mode=0o700, parents=True, exist_ok=True)
            lock = (self.partial / "lock").open("w")
        except OSError as error:
            raise self._unwritable(error) from error
        with lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError as error:
                value = "is in use by another run"
                raise OutputError(
                    "O03", f"output {self.folder}", value, "wait for it, or choose another folder"
                ) from error
            try:
                if self._replaced.exists() and not self.folder.exists():  # stopped in the middle of `publish`
                    self._replaced.rename(self.folder)
                yield
            except OSError as error:
                if error.errno in UNWRITABLE:
                    raise self._unwritable(error) from error
                raise

    def _unwritable(self, error: OSError) -> OutputError:
        value = f"cannot be written ({error.strerror or error})"
        return OutputError(
            "O04", f"output {self.folder}", value, "free some space there or choose another folder, and run it again"
        )

    def publish(self) -> None:
        """Move the collected results into place in one step and remove what the run left.

        What else lies in the folder, a group's own notes for example, stays there.
        """
        for path in self._results.iterdir():
            with path.open("rb") as file:
                os.fsync(file.fileno())
        if self.folder.exists() and any(self.folder.iterdir()):
            for path in self.folder.iterdir():
                if not (self._results / path.name).exists():
                    copy = shutil.copytree if path.is_dir() else shutil.copy2
                    copy(path, self._results / path.name)
            shutil.rmtree(self._replaced, ignore_errors=True)
            self.folder.rename(self._replaced)
        self._results.rename(self.folder)
        shutil.rmtree(self.partial)
