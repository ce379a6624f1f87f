"""``tape-review sample``: what a coach should double-code."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from pipeline.cli._shared import codes_input, tables
from pipeline.cli._shared.options import Config
from pipeline.errors import TableError
from pipeline.formats import tape_tables
from pipeline.timeline import to_seconds

if TYPE_CHECKING:
    import pandas as pd

    from pipeline.measures.reliability.rating_matrix import RatingMatrix

_MANY = 5
"""Tapes that a sentence lists at most."""


def sample(
    codes: codes_input.CodesFile,
    by: Annotated[
        Literal["tapes", "minutes", "utterances"],
        typer.Option("--by", help="What to draw: whole tapes, stretches of five minutes, or utterances."),
    ] = "tapes",
    share: Annotated[float, typer.Option(min=0.01, max=1.0, metavar="SHARE", help="The share to draw.")] = 0.2,
    random: Annotated[
        float, typer.Option(min=0.1, max=1.0, metavar="SHARE", help="The share of the sample that is drawn at random.")
    ] = 0.5,
    width: Annotated[
        float, typer.Option(min=0.01, max=0.9, metavar="NUMBER", help="The width that an interval should have.")
    ] = 0.1,
    expected: Annotated[
        float, typer.Option(min=0.05, max=0.95, metavar="NUMBER", help="The agreement that you expect.")
    ] = 0.8,
    seed: Annotated[
        int, typer.Option(min=0, metavar="NUMBER", help="The random seed. The same seed gives the same sample.")
    ] = 0,
    form: tables.OutputFormat = "table",
    table: Annotated[Literal["sample", "again"], typer.Option("--table", help="The table to print as CSV.")] = "sample",
    codebook: codes_input.CodebookOption = None,
    absent: codes_input.AbsentRows = "auto",
    config: Config = None,
) -> None:
    """Draw the tapes or utterances for a coach to code as well.

    One part is drawn at random over coders and codes, the rest where the machine and the group disagree. Each row has
    the weight that keeps estimates unbiased. The command also says how many utterances an interval of the chosen width
    needs, and names a tape for each member that was coded over 30 days ago and could be coded again.
    """
    import numpy as np
    import pandas as pd

    from pipeline.measures.reliability import sampling
    from pipeline.tapes.clock import now

    read = codes_input.read(codes, codebook, absent, config)
    panel = read.panel
    drawn = sampling.draw_sample(panel, by, share, random, seed)
    again = sampling.tapes_to_recode(panel, now())
    if by == "minutes" and panel.starts is None:
        remedy = "give start and end in seconds, or draw --by tapes or --by utterances"
        raise TableError("T03", f"table {codes.name}", "lacks the column 'start': it has no minutes", remedy)
    usual = _usual(panel, by)
    need = sampling.required_sample_size(width, expected, usual)
    sentence = f"A 95 % interval {width:.0%} wide around {expected:.0%} needs {need.utterances} double-coded utterances"
    what = {"tapes": "tapes", "minutes": "stretches of five minutes"}.get(by)
    notes = [*read.notes, f"{sentence}: {need.items} {what} of {usual}." if what else f"{sentence}."]
    if by != "tapes":
        notes.append(
            "Let the coach's table have a row with an empty code for what was heard and left without one: "
            "the rest of the tape then counts as not heard."
        )
    if drawn.empty:
        timeless = by == "minutes" and not np.isfinite(panel.starts if panel.starts is not None else np.nan).any()
        why = "No utterance has a start" if timeless else "A coach has coded every tape or stretch already"
        if not panel.rows("member") and not panel.rows("consensus"):
            why = "Neither a member nor the group has coded a tape"
        notes.append(f"{why}: there is nothing to draw.")
    zeros = {tape: zero for tape, zero in read.codes.zeros.items() if tape in {*drawn["tape_id"]}}
    drawn[tape_tables.ZERO] = [zeros[tape] / 1000 if tape in zeros else None for tape in drawn["tape_id"]]
    if by == "minutes" and (late := sorted(tape for tape, zero in zeros.items() if zero)):
        starts = ", ".join(f"{tape} {to_seconds(zeros[tape])} s" for tape in late[:_MANY])
        notes.append(
            f"Stretches count from where the tape begins in its recording: {starts}{', ...' if late[_MANY:] else ''}."
        )
    shown = {name: pd.DataFrame(rows) for name, rows in _shown(drawn, again).items() if rows}
    tables.print_tables({"sample": drawn, "again": again}, notes, form, table, shown)


def _usual(panel: RatingMatrix, by: str) -> int:
    """Utterances of a usual tape or stretch."""
    import numpy as np

    from pipeline.measures.reliability.sampling import STRETCH_MS

    if by == "utterances" or not len(panel.tape_index):
        return 1
    number = len(panel.tapes)
    if by == "minutes" and panel.starts is not None:
        timed = ~np.isnan(panel.starts)
        number = len(set(zip(panel.tape_index[timed], panel.starts[timed] // STRETCH_MS, strict=True)))
    return max(1, round(len(panel.tape_index) / max(1, number)))


def _drawn_part(row: dict[Any, Any]) -> str:
    """The part of a tape that is drawn: "all", an utterance, or "5:00 to 10:00"."""
    if row["start"] is None or row["start"] != row["start"]:
        return str(row["utterance_id"] or "all")
    return " to ".join(f"{int(row[end]) // 60}:{int(row[end]) % 60:02}" for end in ("start", "end"))


def _shown(drawn: pd.DataFrame, again: pd.DataFrame) -> dict[str, list[dict[str, str]]]:
    from pipeline.measures.reliability.sampling import RECODE_AFTER_MS

    items = [
        {
            "tape": row["tape_id"],
            "what": _drawn_part(row),
            "who": row["stratum"],
            "drawn": row["part"],
            "disagreement": f"{row['disagreement']:.0%}",
            "weight": f"{row['weight']:.1f}",
        }
        for row in drawn.to_dict("records")
    ]
    old = [{"who": row["coder"], "tape": row["tape_id"]} for row in again.to_dict("records")]
    return {"To double-code": items, f"To code again (over {RECODE_AFTER_MS // 86_400_000} days old)": old}
