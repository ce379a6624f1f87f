"""What finished stages leave behind, so that a run which was cut off goes on where it stopped.

Each stage's result lies in a folder named by the stage and a digest of all that went into it. It is computed in a
folder beside it and renamed into place when whole: a folder that exists is a finished stage. Results are always read
back from there, so that an unbroken run and a resumed one continue from the same bytes.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, Generic, TypeVar

from pydantic import TypeAdapter

T = TypeVar("T")


def digest(*parts: Any) -> str:
    """SHA-256 over plain JSON values, in hexadecimal."""
    return hashlib.sha256(json.dumps(parts, sort_keys=True, ensure_ascii=False).encode()).hexdigest()


class Kept(Generic[T]):
    """How one kind of result is written to a folder and read back."""

    def __init__(self, save: Callable[[T, Path], object], load: Callable[[Path], T]) -> None:
        self.save, self.load = save, load

    @classmethod
    def dataclass(cls, kind: type[T]) -> Kept[T]:
        """A frozen dataclass of plain values, tuples and other such dataclasses, as JSON."""
        adapter: TypeAdapter[T] = _adapter(kind)  # type: ignore[arg-type]  # a class can be hashed
        return cls(
            lambda value, folder: (folder / "result.json").write_bytes(adapter.dump_json(value)),
            lambda folder: adapter.validate_json((folder / "result.json").read_bytes()),
        )


@cache
def _adapter(kind: Any) -> TypeAdapter[Any]:
    """Takes long to make, and a durable job asks for it at every step."""
    return TypeAdapter(kind)


class Workbench:
    """A folder of finished stages."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def has(self, stage: str, key: str) -> bool:
        """Whether this stage was finished with these inputs."""
        return self._place(stage, key).is_dir()

    def result(self, stage: str, key: str, kept: Kept[T], compute: Callable[[], T]) -> T:
        """The stage's result: read back where it was finished before, else computed and kept."""
        place = self._place(stage, key)
        if not place.is_dir():
            unfinished = place.with_name(f"{place.name}.unfinished")
            shutil.rmtree(unfinished, ignore_errors=True)
            unfinished.mkdir(parents=True)
            kept.save(compute(), unfinished)
            unfinished.rename(place)
        return kept.load(place)

    def _place(self, stage: str, key: str) -> Path:
        return self.folder / f"{stage}-{key[:16]}"
