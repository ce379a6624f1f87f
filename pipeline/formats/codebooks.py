"""Codebook files: `configs/codebooks/*.toml`, and a group's own, in TOML or as CACTI keeps it."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import tomli_w

from pipeline.coding.codebook import Codebook, parse
from pipeline.errors import CodingError
from pipeline.formats import cacti_codebook
from pipeline.formats.intake import Source
from pipeline.measures import counts
from pipeline.measures.counts import KINDS
from pipeline.measures.panel import Scheme
from pipeline.settings import project_folder


def shipped() -> tuple[str, ...]:
    """Names of the codebooks that come with the project."""
    return tuple(sorted(file.stem for file in (project_folder("configs") / "codebooks").glob("*.toml")))


def read(name: str) -> Codebook:
    """A codebook by its shipped name or by the path of its file.

    Raises
    ------
    CodingError: C03 there is no such codebook or it cannot be read, C01 and C02 as `parse`.
    FormatError: F01 to F07 as `Source.open` and `cacti_codebook.read`, where the file is XML.
    """
    path = project_folder("configs") / "codebooks" / f"{name}.toml" if name in shipped() else Path(name)
    if path.suffix.lower() == ".xml":
        return cacti_codebook.read(Source.open(path)).codebook
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        remedy = f"name a TOML file or one of {', '.join(shipped())}"
        raise CodingError("C03", f"codebook {name}", f"cannot be read ({type(error).__name__})", remedy) from error
    return parse(text, path.name)


def scheme(book: Codebook) -> Scheme:
    """What the measures need to know of a codebook.

    A complex reflection goes farther than a simple one: where a book's reflections are these two, they have an order.
    """
    steps = tuple(name for kind in (counts.SIMPLE, counts.COMPLEX) for name in book.meaning(kind))
    family = next((family for family, names in book.families().items() if {*names} == {*steps}), None)
    return Scheme(
        families=book.families(),
        roles={code.name: code.role for code in book.codes},
        ordered={family: steps} if family and len(steps) == len(KINDS[counts.REFLECTION]) else {},
        labels={code.name: code.label for code in book.codes},
    )


def written(book: Codebook) -> str:
    """The text of a codebook's TOML file; `pipeline.coding.codebook.parse` gives the book back."""
    plain = asdict(book)
    for code in plain["codes"]:
        if not code["measure"]:
            del code["measure"]
    return tomli_w.dumps(plain)
