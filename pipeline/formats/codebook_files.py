"""Codebook files: `configs/codebooks/*.toml`, and a group's own, in TOML or as CACTI keeps it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path

import tomli_w

from pipeline.coding.codebook import Codebook, parse
from pipeline.coding.crosswalk import translation
from pipeline.errors import CodingError
from pipeline.formats import cacti_codebook
from pipeline.formats.safe_reader import Source
from pipeline.measures.reliability.rating_matrix import CodingScheme, single_code_family
from pipeline.measures.session import counts
from pipeline.measures.session.counts import BEHAVIOR_KINDS
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


def scheme(book: Codebook, others: Iterable[Codebook] = ()) -> CodingScheme:
    """Return the part of a codebook that the measures need.

    A complex reflection goes farther than a simple one: where a book's reflections are these two, they have an order.

    Parameters
    ----------
    others: codebooks that some coders used: what the book has no word for is there, too, in families of its own.
    """
    steps = tuple(name for kind in (counts.SIMPLE, counts.COMPLEX) for name in book.meaning(kind))
    source_families = book.families()
    family = next((family for family, names in source_families.items() if {*names} == {*steps}), None)
    rule = book.rule()
    known = not rule.missing_reason("reflections") and not rule.missing_reason("questions")
    names = frozenset(code.name for code in book.codes)
    reflections, questions = (
        tuple(code for code in codes if code in names) for codes in (rule.reflections, rule.questions)
    )
    unsaid = {
        code.name: code
        for other in others
        for translated in (translation(other, book),)
        for code in other.codes
        if code.name not in names and code.name not in translated.codes
    }
    families = dict(source_families)
    for code in unsaid.values():
        # A family of the same name in the book means what the book's codes say.
        scheme_family = (
            single_code_family(code.name, source_families) if code.family in source_families else code.family
        )
        families[scheme_family] = (*families.get(scheme_family, ()), code.name)
    every = [*book.codes, *unsaid.values()]
    return CodingScheme(
        families=families,
        roles={code.name: code.role for code in every},
        ordered={family: steps} if family and len(steps) == len(BEHAVIOR_KINDS[counts.REFLECTION]) else {},
        labels={code.name: code.label for code in every},
        book=names,
        ratio=(reflections, questions) if known else None,
    )


def written(book: Codebook) -> str:
    """The text of a codebook's TOML file; `pipeline.coding.codebook.parse` gives the book back."""
    plain = asdict(book)
    if not plain["globals"]:
        del plain["globals"]
    for code in plain["codes"]:
        if not code["measure"]:
            del code["measure"]
    return tomli_w.dumps(plain)
