"""The results of finished stages, so that a run which was cut off goes on where it stopped.

Each stage's result lies in a folder named by the stage and its key (`pipeline.run.stage_keys`). It is written into a
folder beside it and renamed into place when whole: a folder that exists is a finished stage. Results are always read
back from there, so that an unbroken run and a resumed one continue from the same bytes.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any, Generic, Protocol, TypeVar

from pydantic import TypeAdapter

T = TypeVar("T")


def digest(*parts: Any) -> str:
    """Return the SHA-256 of plain JSON values, in hexadecimal."""
    return hashlib.sha256(json.dumps(parts, sort_keys=True, ensure_ascii=False).encode()).hexdigest()


class ResultFormat(Generic[T]):
    """How one kind of result becomes named files, as bytes, and comes back; a store decides where they lie."""

    def __init__(self, save: Callable[[T], dict[str, bytes]], load: Callable[[Mapping[str, bytes]], T]) -> None:
        self.save, self.load = save, load

    @classmethod
    def dataclass(cls, kind: type[T]) -> ResultFormat[T]:
        """Return the format of a frozen dataclass of plain values, tuples and other such dataclasses: JSON."""

        def adapter() -> TypeAdapter[T]:
            return _adapter(kind)  # type: ignore[arg-type]  # a class can be hashed

        return cls(
            lambda value: {"result.json": adapter().dump_json(value)},
            lambda files: adapter().validate_json(files["result.json"]),
        )


@cache
def _adapter(kind: Any) -> TypeAdapter[Any]:
    """Return the adapter of a dataclass; it takes long to make, and a durable job needs it at every step."""
    return TypeAdapter(kind)


class StageStore(Protocol):
    """Where finished stages lie: a folder (`FolderStageStore`), or the vault of a home."""

    def has(self, stage: str, key: str) -> bool:
        """Return whether the stage was finished under this key."""

    def read(self, stage: str, key: str) -> dict[str, bytes]:
        """Return the files of a finished stage by their names."""

    def write(self, stage: str, key: str, files: Mapping[str, bytes]) -> None:
        """Store the files of a stage, all or none; from now on it is finished."""


class FolderStageStore:
    """A folder of finished stages."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def has(self, stage: str, key: str) -> bool:
        """Return whether the stage was finished under this key."""
        return self._path(stage, key).is_dir()

    def read(self, stage: str, key: str) -> dict[str, bytes]:
        """Return the files of a finished stage by their names."""
        return {path.name: path.read_bytes() for path in self._path(stage, key).iterdir()}

    def write(self, stage: str, key: str, files: Mapping[str, bytes]) -> None:
        """Store the files of a stage, all or none; from now on it is finished."""
        path = self._path(stage, key)
        unfinished = path.with_name(f"{path.name}.unfinished")
        shutil.rmtree(unfinished, ignore_errors=True)
        unfinished.mkdir(parents=True)
        for name, content in files.items():
            (unfinished / name).write_bytes(content)
        unfinished.rename(path)

    def _path(self, stage: str, key: str) -> Path:
        return self.folder / f"{stage}-{key[:16]}"
