"""Codes of several coders, with several codebooks, in the words of one; and what each of them could give.

A table says so itself in its column ``codable``. Where it does not:

- Who uses codes that the codebook lacks and another shipped one has could give that one's codes, everybody else the
  codebook's. A code that none of them has is open to all.
- Where the machine coded a speaker (the client, say) to whom nobody gave a code by hand, nobody was asked to.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import cache

import pandas as pd

from pipeline.coding.codebook import Codebook
from pipeline.coding.crosswalk import translation
from pipeline.formats import codebook_files
from pipeline.formats.code_table import Codes
from pipeline.measures.reliability.rating_matrix import MACHINE, CodingScheme


def names(cells: pd.Series) -> list[str]:
    """The codes that cells hold, each once."""
    return sorted({code for cell in cells.unique() for code in cell.split("|")} - {""})


def fitting(used: Sequence[str], codebook_name: str | None, default: str) -> Codebook:
    """The codebook that is asked for; without one, the default or the shipped one that knows most of the used codes."""
    if codebook_name is not None:
        return codebook_files.read(codebook_name)
    shipped = sorted(codebook_files.shipped(), key=lambda name: name != default)
    books = [codebook_files.read(name) for name in ([default] if default not in shipped else []) + shipped]
    return max(books, key=lambda book: sum(code.name in used for code in book.codes))


def chosen(codes: Codes, codebook_name: str | None, default: str) -> Codebook:
    """The codebook in whose words coders are compared: if none is asked for, the one that fits what people coded."""
    by_hand = names(codes.table.loc[codes.table["layer"] != MACHINE, "codes"])
    return fitting(by_hand or names(codes.table["codes"]), codebook_name, default)


def in_words_of(book: Codebook, codes: Codes, default: str) -> tuple[Codes, CodingScheme, tuple[str, ...]]:
    """The codes in a codebook's words, its scheme, and a note on each other codebook that somebody used.

    Tables get a column ``codable``, with codes, where anybody could give less than everything. Where all use one
    codebook nothing is translated. ``default`` is the codebook that is taken where several fit a coder alike.
    """
    books = _books(book, codes.table, default)
    others = {each.name: each for each in books.values() if each.name != book.name}
    scheme = codebook_files.scheme(book, others.values())
    by_machine = codes.table["layer"] == MACHINE
    spoken = [
        {scheme.roles.get(code) for code in names(codes.table.loc[rows, "codes"])} for rows in (by_machine, ~by_machine)
    ]
    unasked = (spoken[0] - spoken[1] if (~by_machine).any() else set()) - {None}
    if len({each.name for each in books.values()}) < 2:
        others = {}
        if not unasked and "codable" not in codes.table:
            return codes, codebook_files.scheme(book), ()
    silent = frozenset(code for code, role in scheme.roles.items() if role in unasked)
    free = frozenset(names(codes.table["codes"])) - {code.name for each in _known(book) for code in each.codes}
    to = book if others else next(iter(books.values()), book)

    @cache
    def limit(source_name: str, layer: str, cell: str | None) -> str:
        source = others.get(source_name, to)
        if cell is None:
            codable = (translation(source, to).codable | free) - (frozenset() if layer == MACHINE else silent)
        else:
            families = {**scheme.families, **source.families()}
            codes_asked = {code for part in cell.split("|") for code in families.get(part.strip(), (part.strip(),))}
            codable = translation(source, to, codes_asked).codable | codes_asked - {code.name for code in source.codes}
        return "|".join(sorted(codable))

    @cache
    def words(source_name: str, cell: str) -> str:
        return "|".join(translation(others.get(source_name, to), to).of(cell.split("|"))).strip("|")

    def translated(table: pd.DataFrame) -> pd.DataFrame:
        layers, cells = table["layer"].tolist(), table["codes"].tolist()
        source_names = [books[key].name for key in zip(layers, table["coder"], strict=True)]
        given = (
            [None if pd.isna(cell) else cell for cell in table["codable"]]
            if "codable" in table
            else [None] * len(table)
        )
        return table.assign(
            codes=[words(source_name, cell) for source_name, cell in zip(source_names, cells, strict=True)],
            codable=[limit(*each) for each in zip(source_names, layers, given, strict=True)],
        )

    notes = []
    for name in others:
        who = [coder for (_, coder), each in books.items() if each.name == name]
        named = f"{', '.join(who[:5])}{', ...' if len(who) > 5 else ''}"
        notes.append(f"Codes of {name}: {named}. Other codebooks are compared with them on what both distinguish.")
    brought = replace(codes, table=translated(codes.table), earlier=translated(codes.earlier))
    return brought, replace(scheme, book=scheme.book - silent), tuple(notes)


def _known(book: Codebook) -> list[Codebook]:
    return [book, *(codebook_files.read(name) for name in codebook_files.shipped())]


def _books(book: Codebook, table: pd.DataFrame, default: str) -> dict[tuple[str, str], Codebook]:
    """(layer, coder) -> the codebook that was used, as far as its codes tell."""
    known = {code.name for each in _known(book) for code in each.codes}
    code_names = {code.name for code in book.codes}
    books_by_key = {}
    for (layer, coder), rows in table.groupby(["layer", "coder"]):
        used = {*names(rows["codes"])} & known
        books_by_key[str(layer), str(coder)] = book if used <= code_names else fitting(sorted(used), None, default)
    return books_by_key
