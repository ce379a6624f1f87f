"""What the verbs on codes share: reading them, and printing tables for people or for programs."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

import pandas as pd
import typer

from pipeline import settings
from pipeline.cli.printing import console
from pipeline.formats.code_table import Codes
from pipeline.measures.reliability.rating_matrix import Absent, CodingScheme, RatingMatrix

Form = Annotated[
    Literal["table", "csv", "json"],
    typer.Option("--format", help="The output: tables to read, one table as CSV, or all tables as JSON."),
]
AbsentRows = Annotated[
    Absent,
    typer.Option(
        "--absent",
        help="What an utterance without a row means on a tape that the coder coded: not-coded, missing (not heard), "
        "or auto. With auto it is missing if the coder has rows with an empty code on that tape, else not-coded.",
    ),
]
Book = Annotated[
    str | None,
    typer.Option(
        "--codebook",
        metavar="CODEBOOK",
        help="The codebook with the families of codes. The default is the shipped one that fits best.",
    ),
]
CodesFile = Annotated[
    Path,
    typer.Argument(
        metavar="CODES.csv",
        help="A table with tape_id, utterance_id, coder, layer (machine, member, consensus, coach), code, coded_at.",
    ),
]

_WORDS = ("", "verdict", "utterances", "who", "with")
"""Columns that hold words; the others hold figures, which must not break."""


@dataclass(frozen=True)
class Read:
    """A file of codes, ready to compare; ``notes`` say what was put right, guessed or passed over."""

    codes: Codes
    panel: RatingMatrix
    scheme: CodingScheme
    notes: tuple[str, ...]


def read(path: Path, codebook: str | None, absent: Absent, config: Sequence[Path] | None) -> Read:
    """Read a file of codes and lay it out by a codebook."""
    from pipeline.formats import code_harmonization, code_table
    from pipeline.measures.reliability.alignment import align_units
    from pipeline.measures.reliability.comparisons import coders_without_family
    from pipeline.measures.reliability.rating_matrix import build_rating_matrix

    found = code_table.read(path)
    default = settings.load(files=config or ()).settings.coding.codebook
    book = code_harmonization.chosen(found, codebook, default)
    found, scheme, others = code_harmonization.in_words_of(book, found, default)
    used = code_harmonization.names(found.table["codes"])
    notes = [f"Families of codes after codebook {book.name} {book.version}.", *found.notes, *others]
    unknown = [code for code in used if code not in scheme.roles and not code.isdecimal()]
    if unknown:
        notes.append(f"Not in the codebook, and each counted as a family of its own: {', '.join(unknown)}.")
    table, tapes = align_units(found.table)
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
    laid = build_rating_matrix(table, scheme, absent)
    if laid.filled:
        notes.append(
            f"{laid.filled} utterances without a row are taken as heard and left without a code; "
            "--absent missing leaves them out."
        )
    notes += [
        f"Not compared on {family}, for which they were not asked as far as their codes (or codable) show: "
        f"{', '.join(coders)}."
        for family, coders in coders_without_family(laid).items()
    ]
    return Read(found, laid, scheme, tuple(notes))


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
