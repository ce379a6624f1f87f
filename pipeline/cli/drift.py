"""``tape-review drift``: does a coder's coding move?"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from pipeline.cli._shared import codes_input, tables
from pipeline.cli._shared.options import Config

if TYPE_CHECKING:
    import pandas as pd


def drift(
    codes: codes_input.CodesFile,
    form: tables.OutputFormat = "table",
    table: Annotated[
        Literal["drift", "points", "automation_bias"], typer.Option("--table", help="The table to print as CSV.")
    ] = "drift",
    whole: Annotated[bool, typer.Option("--all", help="Also show the charts that are steady.")] = False,
    recalibrated: Annotated[
        list[str] | None,
        typer.Option(
            metavar="CODER=DATE",
            help="The date from which a coder's charts start over, such as 'ann=2026-03-01'. For the group's "
            "charts, the coder is 'group'. May be repeated.",
        ),
    ] = None,
    codebook: codes_input.CodebookOption = None,
    absent: codes_input.AbsentRows = "auto",
    config: Config = None,
) -> None:
    """Chart each coder's agreement with the coach, tape after tape.

    If no coach coded, the group's consensus is the reference. The first five tapes set the center line. The charts
    separate drift, where a coder begins to see more or less of a code, from noise. They name the pair of codes that
    moved and the tapes to discuss. If the table has the column pretag_shown, they also show whether the machine's
    suggestions influence a coder.
    """
    import pandas as pd

    from pipeline.measures.drift import drift as measure
    from pipeline.measures.reliability.automation_bias import automation_bias

    events: dict[str, list[float]] = {}
    for entry in recalibrated or []:
        name, moment = _event(entry)
        events.setdefault(name, []).append(moment)
    read = codes_input.read(codes, codebook, absent, config)
    for row in read.codes.recalibrated.to_dict("records"):
        events.setdefault(row["coder"], []).append(float(row["at"]))
    strangers = sorted(set(events) - {coder for _, coder in read.panel.coders} - {"group", "consensus"})
    drifts = measure.detect_drift(read.panel, events)
    sway = automation_bias(read.panel)
    notes = [*read.notes, *(note.as_sentence() for note in drifts.notes), *_notes(drifts.table, whole)]
    notes += [f"Recalibrated, but without codes: {name}." for name in strangers]
    whole_tables = {"drift": drifts.table, "points": drifts.points, "automation_bias": sway}
    shown = {title: pd.DataFrame(rows) for title, rows in _shown(drifts.table, sway, whole).items() if rows}
    tables.print_tables(whole_tables, notes, form, table, shown)


def _event(entry: str) -> tuple[str, float]:
    name, _, moment = entry.rpartition("=")
    try:
        when = datetime.fromisoformat(moment.strip())
    except ValueError as error:
        raise typer.BadParameter(
            f"{entry!r} is not CODER=DATE; write for example 'ann=2026-03-01'", param_hint="--recalibrated"
        ) from error
    if not name.strip():
        raise typer.BadParameter(f"{entry!r} names no coder", param_hint="--recalibrated")
    return name.strip(), (when if when.tzinfo else when.replace(tzinfo=UTC)).timestamp() * 1000


def _side(row: dict[Any, Any], side: str) -> str:
    """Agreement on one side with its interval and number of utterances, or that these are too few."""
    from pipeline.measures.reliability.automation_bias import MIN_UTTERANCES

    units = row[f"units_{side}"]
    if units < MIN_UTTERANCES:
        return f"too few: {units} of at least {MIN_UTTERANCES} utterances"
    ends = (row[f"agree_{side}_low"], row[f"agree_{side}_high"])
    return f"{tables.format_with_interval(row[f'agree_{side}'], *ends, '.0%')} of {units}"


def _tapes(number: int) -> str:
    return "1 tape" if number == 1 else f"{number} tapes"


def _notes(table: pd.DataFrame, whole: bool) -> list[str]:
    """A sentence for each chart that speaks, how many there are, and how often one speaks by chance."""
    from pipeline.measures.drift.control_chart import CALIBRATION_TAPES
    from pipeline.measures.drift.drift import tapes_per_false_alarm

    if not len(table):
        return []
    spoken = table if whole else table[table["state"].isin(["drift", "noise"])]
    notes = []
    for row in spoken.to_dict("records"):
        play = f" Play: {row['tapes_to_discuss'].replace('|', ', ')}." if row["tapes_to_discuss"] else ""
        notes.append(f"{row['coder']}, {row['family']}, {row['state']}: {row['sentence']}{play}")
    number = table["state"].value_counts()
    states = ", ".join(f"{count} {state}" for state, count in number.items())
    hidden = "" if whole or len(spoken) == len(table) else " --all shows every chart."
    every = tapes_per_false_alarm(table)
    if every is None:
        notes.append(f"Too early: {int(table['tapes'].max())} of {CALIBRATION_TAPES + 1} tapes.")
    often = "" if every is None else f" By chance alone one of them signals a change about once in {_tapes(every)}."
    charts = "1 chart" if len(table) == 1 else f"{len(table)} charts"
    return [*notes, f"{charts}: {states}.{hidden}{often}"]


def _shown(table: pd.DataFrame, sway: pd.DataFrame, whole: bool) -> dict[str, list[dict[str, str]]]:
    rows = table if whole else table[table["state"].isin(["drift", "noise"])]
    few = "not yet"
    charts = [
        {
            "who": row["coder"],
            "on": row["family"],
            "tapes": str(row["tapes"]),
            "start": tables.format_figure(row["center"], ".0%", few),
            "now": tables.format_figure(row["mean"], ".0%", few),
            "limit": tables.format_figure(row["limit"], ".0%", few),
            "since": row["since_tape"] or "",
            "verdict": row["state"],
        }
        for row in rows.astype(object).where(rows.notna(), None).to_dict("records")
    ]
    swayed = [
        {
            "who": row["coder"],
            "on": row["name"],
            "shown": _side(row, "shown"),
            "hidden": _side(row, "hidden"),
            "difference": tables.format_with_interval(
                *(row["difference"], row["difference_low"], row["difference_high"], "+.0%"), missing=row["undefined"]
            ),
            "verdict": row["verdict"] or row["undefined"],
        }
        for row in sway.to_dict("records")
        if whole or row["level"] == "all"
    ]
    return {"Agreement with the reference": charts, "Agreement with the machine, shown and hidden": swayed}
