"""What the verbs on codes share: reading them, and printing tables for people or for programs."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any, Literal

import pandas as pd
import typer

from pipeline import settings
from pipeline.cli.printing import console
from pipeline.coding.codebook import Codebook
from pipeline.formats.codes import Codes
from pipeline.measures.panel import Absent, Panel, Scheme

Form = Annotated[
    Literal["table", "csv", "json"],
    typer.Option("--format", help="Tables to read, CSV of one table, or JSON of all."),
]
AbsentRows = Annotated[
    Absent,
    typer.Option(
        "--absent",
        help="An utterance without a row on a tape that the coder coded: not-coded, missing (not heard), or auto: "
        "missing where the coder has rows with an empty code on that tape.",
    ),
]
Book = Annotated[
    str | None, typer.Option("--codebook", help="Families of codes; default: the shipped codebook that fits best.")
]
CodesFile = Annotated[
    Path,
    typer.Argument(
        metavar="CODES.csv",
        help="tape_id, utterance_id, coder, layer (machine, member, consensus, coach), code, coded_at.",
    ),
]

_WORDS = ("", "verdict", "utterances", "who", "with")
"""Columns that hold words; the others hold figures, which must not break."""


@dataclass(frozen=True)
class Read:
    """A file of codes, ready to compare; ``notes`` say what was put right, guessed or passed over."""

    codes: Codes
    panel: Panel
    scheme: Scheme
    notes: tuple[str, ...]


def names(cells: pd.Series) -> list[str]:
    """The codes that cells hold, each once."""
    return sorted({code for cell in cells.unique() for code in cell.split("|")} - {""})


def fitting(used: Sequence[str], asked: str | None, default: str) -> Codebook:
    """The codebook that is asked for; without one, the default or the shipped one that knows most of the used codes."""
    from pipeline.formats import codebooks

    if asked is not None:
        return codebooks.read(asked)
    shipped = sorted(codebooks.shipped(), key=lambda name: name != default)
    books = [codebooks.read(name) for name in ([default] if default not in shipped else []) + shipped]
    return max(books, key=lambda book: sum(code.name in used for code in book.codes))


def read(path: Path, codebook: str | None, absent: Absent, config: Sequence[Path] | None) -> Read:
    """Read a file of codes and lay it out by a codebook."""
    from pipeline.formats import codes
    from pipeline.measures.alignment import aligned
    from pipeline.measures.comparison import uncoded
    from pipeline.measures.panel import panel

    found = codes.read(path)
    used = names(found.table["codes"])
    default = settings.load(files=config or ()).settings.coding.codebook
    by_hand = found.table["layer"] != "machine"
    book = fitting(names(found.table.loc[by_hand, "codes"]) or used, codebook, default)
    found, scheme, others = _in_words_of(book, found, default)
    notes = [f"Families of codes after codebook {book.name} {book.version}.", *found.notes, *others]
    unknown = [code for code in used if code not in scheme.roles and not code.isdecimal()]
    if unknown:
        notes.append(f"Not in the codebook, and each counted as a family of its own: {', '.join(unknown)}.")
    table, tapes = aligned(found.table)
    if tapes:
        notes.append(
            f"On {len(tapes)} of the tapes coders' units have different boundaries: units that share at least half of "
            f"their time count as one, others stay apart ({', '.join(tapes[:5])}{', ...' if len(tapes) > 5 else ''})."
        )
    elif {"start", "end"} <= set(found.table.columns):
        notes.append("No coder's units have other boundaries than another's: compared as they are.")
    else:
        notes.append(
            "Units are compared by utterance_id: the table has no start and end to bring them together by time."
        )
    laid = panel(table, scheme, absent)
    if laid.filled:
        notes.append(
            f"{laid.filled} utterances without a row are taken as heard and left without a code; "
            "--absent missing leaves them out."
        )
    notes += [
        f"Not compared on {family}, which their codebook or task does not ask for: {', '.join(coders)}."
        for family, coders in uncoded(laid).items()
    ]
    return Read(found, laid, scheme, tuple(notes))


def _in_words_of(book: Codebook, found: Codes, default: str) -> tuple[Codes, Scheme, list[str]]:
    """The codes of everybody in the words of one codebook, with what each could give, and notes on who used another.

    Where all use one codebook nothing is translated. Who uses codes that the codebook lacks and another shipped one has
    could give that one's codes, everybody else the codebook's; a code of none of them is open to all. The table's own
    column ``codable`` goes before that.
    """
    from pipeline.coding.translation import translation
    from pipeline.formats import codebooks

    shipped = {name: codebooks.read(name) for name in codebooks.shipped()}
    known = {code.name for each in (book, *shipped.values()) for code in each.codes}
    own = {code.name for code in book.codes}
    books: dict[tuple[str, str], Codebook] = {}
    for key, rows in found.table.groupby(["layer", "coder"]):
        used = {*names(rows["codes"])} & known
        layer, coder = key
        books[str(layer), str(coder)] = book if used <= own else fitting(sorted(used), None, default)
    others = {each.name: each for each in books.values() if each.name != book.name}
    if len({each.name for each in books.values()}) < 2 and "codable" not in found.table:
        return found, codebooks.scheme(book), []
    scheme = codebooks.scheme(book, others.values())
    free = frozenset(names(found.table["codes"])) - known
    said = {name: translation(each, book) for name, each in ({book.name: book} | others).items()}

    def translated(table: pd.DataFrame) -> pd.DataFrame:
        ways = [said[books[key].name] for key in zip(table["layer"], table["coder"], strict=True)]
        words = ["|".join(way.of(cell.split("|"))).strip("|") for way, cell in zip(ways, table["codes"], strict=True)]
        given = table["codable"] if "codable" in table else pd.Series(pd.NA, index=table.index)
        limits = [
            way.codable | free if pd.isna(cell) else frozenset(way.of(_spelled(cell, scheme)))
            for way, cell in zip(ways, given, strict=True)
        ]
        return table.assign(codes=words, codable=["|".join(sorted(limit)) for limit in limits])

    notes = []
    for name in others:
        who = [coder for (_, coder), each in books.items() if each.name == name]
        notes.append(
            f"Codes of {name}: {', '.join(who[:5])}{', ...' if len(who) > 5 else ''}. Others are compared with them on "
            "what both codebooks can tell."
        )
    return replace(found, table=translated(found.table), earlier=translated(found.earlier)), scheme, notes


def _spelled(cell: str, scheme: Scheme) -> list[str]:
    """The codes of a cell that names families or codes."""
    return [code for part in cell.split("|") for code in scheme.families.get(part.strip(), (part.strip(),))]


def show(
    tables: Mapping[str, pd.DataFrame],
    notes: Sequence[str],
    form: Literal["table", "csv", "json"],
    chosen: str,
    shown: Mapping[str, pd.DataFrame],
) -> None:
    """Print tables.

    Parameters
    ----------
    tables: name -> the whole table; all of them go into JSON.
    notes: sentences; beside CSV they go to the error stream.
    chosen: the table that CSV holds.
    shown: title -> what a reader sees of the tables, cells as text.
    """
    if form == "json":
        rows = {name: json.loads(table.to_json(orient="records")) for name, table in tables.items()}
        typer.echo(json.dumps({"schema": 1, "tables": rows, "notes": list(notes)}, indent=1))
        return
    if form == "csv":
        tables[chosen].to_csv(sys.stdout, index=False, lineterminator="\n", float_format="%.6g")
        for note in notes:
            typer.echo(note, err=True)
        return
    from rich.table import Table
    from rich.text import Text

    out = console()
    for title, table in shown.items():
        drawn = Table(title=Text(title), title_justify="left")
        for name in table.columns:
            drawn.add_column(name, justify="left" if name in _WORDS else "right", overflow="fold")
        for row in table.itertuples(index=False):
            drawn.add_row(*map(Text, row))  # names may hold square brackets, which are no markup
        out.print(drawn)
    for note in notes:
        out.print(note, highlight=False, markup=False)


def number(value: Any, form: str = ".2f", missing: str = "") -> str:
    """A figure as text; where it is undefined, the reason."""
    return missing or "undefined" if value is None or pd.isna(value) else format(value, form)


def between(value: Any, low: Any, high: Any, form: str = ".2f", missing: str = "") -> str:
    """A figure with its interval."""
    if value is None or pd.isna(value):
        return missing or "undefined"
    return number(value, form) + ("" if low is None or pd.isna(low) else f" ({low:{form}}..{high:{form}})")
