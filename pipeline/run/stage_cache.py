"""What finished stages leave behind, so that a run which was cut off goes on where it stopped.

Each stage's result lies in a folder named by the stage and a digest of all that went into it. It is computed in a
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
from typing import Any, Generic, TypeVar

from pydantic import TypeAdapter

T = TypeVar("T")


def digest(*parts: Any) -> str:
    """SHA-256 over plain JSON values, in hexadecimal."""
    return hashlib.sha256(json.dumps(parts, sort_keys=True, ensure_ascii=False).encode()).hexdigest()


class Kept(Generic[T]):
    """How one kind of result becomes named files, as bytes, and comes back: where they lie is the bench's business."""

    def __init__(self, save: Callable[[T], dict[str, bytes]], load: Callable[[Mapping[str, bytes]], T]) -> None:
        self.save, self.load = save, load

    @classmethod
    def dataclass(cls, kind: type[T]) -> Kept[T]:
        """A frozen dataclass of plain values, tuples and other such dataclasses, as JSON."""
        adapter: TypeAdapter[T] = _adapter(kind)  # type: ignore[arg-type]  # a class can be hashed
        return cls(
            lambda value: {"result.json": adapter.dump_json(value)},
            lambda files: adapter.validate_json(files["result.json"]),
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
            for name, content in kept.save(compute()).items():
                (unfinished / name).write_bytes(content)
            unfinished.rename(place)
        return kept.load({path.name: path.read_bytes() for path in place.iterdir()})

    def _place(self, stage: str, key: str) -> Path:
        return self.folder / f"{stage}-{key[:16]}"
