"""`tape-review audit`: who did what, and is the record whole?"""

from __future__ import annotations

from typing import Annotated

import typer

from pipeline.cli.options import Config, Home
from pipeline.cli.printing import console

audit = typer.Typer(no_args_is_help=True, help="Read the record of who did what, and verify that nobody changed it.")


@audit.command("list")
def show(
    tape: Annotated[str | None, typer.Option(help="Only what was done to this tape (its id).")] = None,
    person: Annotated[str | None, typer.Option(help="Only what this person did (e-mail address or id).")] = None,
    last: Annotated[int, typer.Option(min=1, help="Only so many rows, the latest.")] = 100,
    home: Home = None,
    config: Config = None,
) -> None:
    """List what was done, the latest last."""
    from rich.table import Table

    from pipeline.cli.homes import opened
    from pipeline.tapes import audit as audits
    from pipeline.tapes import people
    from pipeline.tapes.clock import readable

    table = Table("row", "when (UTC)", "who", "what", "tape", "thing", "span", "why")
    with opened(home, config) as place, place.database.reading() as session:
        actor = people.find(session, person).id if person else None
        for row in audits.latest(session, last, tape, actor):
            span = "" if row.span_start is None else f"{row.span_start / 1000:.1f}-{(row.span_end or 0) / 1000:.1f} s"
            who = row.actor_id or "the program"
            table.add_row(str(row.seq), readable(row.at), who, row.action, row.tape_id or "", row.thing, span, row.why)
    console().print(table)


@audit.command("verify")
def verify(home: Home = None, config: Config = None) -> None:
    """Find every row that was edited, dropped or swapped."""
    from pipeline.cli.homes import opened

    with opened(home, config) as place, place.database.reading() as session:
        faults = place.audit.verify(session)
        count = place.audit.count(session)
    for fault in faults:
        typer.echo(f"row {fault.seq}: {fault.what}", err=True)
    if faults:
        raise typer.Exit(1)
    typer.echo(f"{count} rows, none was edited, dropped or swapped")
