"""The sources of the pages' scripts, and how they are bundled.

The bundle in `pipeline/review/static/built` is kept with the sources, so that neither a fresh clone nor a built wheel
needs Node. Whoever changes a source builds anew, with the Node that comes as a Python package:
`python -m pipeline.review.frontend`.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

FOLDER = Path(__file__).parent
BUILT = FOLDER.parent / "static" / "built"
STAMP = "sources.sha256"
"""Beside the bundle: the digest of what it was built from."""


def digest() -> str:
    """The digest of everything that the bundle is made from."""
    hashed = hashlib.sha256()
    for path in sorted([*FOLDER.glob("src/*.js"), *(FOLDER / name for name in ("build.mjs", "package-lock.json"))]):
        hashed.update(f"{path.name}\n{path.stat().st_size}\n".encode() + path.read_bytes())
    return hashed.hexdigest()
