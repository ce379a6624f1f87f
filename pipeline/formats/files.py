"""Files that are written whole or not at all."""

from __future__ import annotations

import os
from pathlib import Path

from pipeline.errors import OutputError


def put(path: Path, data: bytes) -> None:
    """Write bytes to a file whole or not at all.

    Raises
    ------
    OutputError: O04 it cannot be written.
    """
    if not path.name:
        raise OutputError("O04", f"file {path}", "cannot be written (it is a folder)", "name a file in it")
    partial = path.with_name(f"{path.name}.partial")
    try:
        with partial.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
    except OSError as error:
        partial.unlink(missing_ok=True)
        remedy = "choose a folder that exists and can be written"
        raise OutputError("O04", f"file {path.name}", f"cannot be written ({error.strerror})", remedy) from error
