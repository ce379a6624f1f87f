"""Printing tables, for people or for programs."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any, Literal

import pandas as pd
import typer

if TYPE_CHECKING:
    from rich.console import Console

OutputFormat = Annotated[
    Literal["table", "csv", "json"],
    typer.Option("--format", help="The output: tables to read, one table as CSV, or all tables as JSON."),
]
WIDE = 160
"""Columns where nobody looks at a screen: a file or another program must get cells whole."""


_WORDS = ("", "verdict", "utterances", "who", "with")
"""Columns that hold words; the others hold figures, which must not break."""


def console() -> Console:
    """As wide as the terminal, or as ``COLUMNS`` says; `WIDE` where the output goes elsewhere."""
    from rich.console import Console

    terminal = Console()
    return terminal if terminal.is_terminal or "COLUMNS" in os.environ else Console(width=WIDE)


def print_tables(
    tables: Mapping[str, pd.DataFrame],
    notes: Sequence[str],
    output_format: Literal["table", "csv", "json"],
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
    if output_format == "json":
        rows = {name: json.loads(table.to_json(orient="records")) for name, table in tables.items()}
        typer.echo(json.dumps({"schema": 1, "tables": rows, "notes": list(notes)}, indent=1))
        return
    if output_format == "csv":
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


def format_figure(value: Any, form: str = ".2f", missing: str = "") -> str:
    """A figure as text; where it is undefined, the reason."""
    return missing or "undefined" if value is None or pd.isna(value) else format(value, form)


def format_with_interval(value: Any, low: Any, high: Any, form: str = ".2f", missing: str = "") -> str:
    """A figure with its interval."""
    if value is None or pd.isna(value):
        return missing or "undefined"
    return format_figure(value, form) + ("" if low is None or pd.isna(low) else f" ({low:{form}}..{high:{form}})")
