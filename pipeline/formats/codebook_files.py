"""Codebook files: `configs/codebooks/*.toml`, and a group's own, in TOML or as CACTI keeps it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

import tomli_w

from pipeline.coding.codebook import TEXTS, Code, Codebook, parse
from pipeline.coding.crosswalk import translation
from pipeline.errors import CodingError
from pipeline.formats import cacti_codebook
from pipeline.formats.safe_reader import Source
from pipeline.measures.reliability.rating_matrix import CodingScheme, single_code_family
from pipeline.measures.session import counts
from pipeline.measures.session.counts import BEHAVIOR_KINDS
from pipeline.settings import project_folder

MOST_CODES, LONGEST_NAME, LONGEST_TEXT = 200, 120, 1000
"""Bounds of a codebook that is sent: codes, and characters of a name or a definition."""


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


def read_bytes(content: bytes) -> Codebook:
    """A codebook in TOML that somebody sent; the file's name is not known, and its texts are short and printable.

    Raises
    ------
    CodingError: C01 and C02 as `parse`, C02 too long or with control characters.
    """
    try:
        book = parse(content.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        raise CodingError("C01", "codebook", "is not text in UTF-8", "save it as UTF-8") from error
    if len(book.codes) > MOST_CODES:
        raise CodingError("C02", "codebook", f"has {len(book.codes)} codes", f"keep {MOST_CODES} at most")
    tables: list[tuple[str, Codebook | Code]] = [("codebook", book)]
    tables += [(f"code {code.name[:40]!r}", code) for code in book.codes]
    for where, table in tables:
        for name, value in _string_fields(table).items():
            longest = LONGEST_TEXT if name in TEXTS else LONGEST_NAME
            if len(value) > longest or not value.isprintable():
                remedy = f"write at most {longest} characters, on one line"
                raise CodingError("C02", where, f"has a {name} that is too long or has control characters", remedy)
    return book


def _string_fields(table: Codebook | Code) -> dict[str, str]:
    """The texts of a codebook's head, or of one code."""
    return {field.name: value for field in fields(table) if isinstance(value := getattr(table, field.name), str)}


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
    plain = _without_empty(asdict(book), "globals", "source")
    plain["codes"] = [_without_empty(code, "measure", *TEXTS) for code in plain["codes"]]
    return tomli_w.dumps(plain)


def _without_empty(table: dict[str, Any], *optional: str) -> dict[str, Any]:
    return {name: value for name, value in table.items() if value or name not in optional}
