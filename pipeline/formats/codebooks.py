"""Codebook files: `configs/codebooks/*.toml` and a group's own."""

from __future__ import annotations

from pathlib import Path

from pipeline.coding.codebook import Codebook, parse
from pipeline.errors import CodingError
from pipeline.settings import project_folder


def shipped() -> tuple[str, ...]:
    """Names of the codebooks that come with the project."""
    return tuple(sorted(file.stem for file in (project_folder("configs") / "codebooks").glob("*.toml")))


def read(name: str) -> Codebook:
    """A codebook by its shipped name or by the path of its file.

    Raises
    ------
    CodingError: C03 there is no such codebook or it cannot be read, C01 and C02 as `parse`.
    """
    path = project_folder("configs") / "codebooks" / f"{name}.toml" if name in shipped() else Path(name)
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        remedy = f"name a TOML file or one of {', '.join(shipped())}"
        raise CodingError("C03", f"codebook {name}", f"cannot be read ({type(error).__name__})", remedy) from error
    return parse(text, path.name)
