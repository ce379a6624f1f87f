"""`tape-review audit`: who did what, and is the record whole?"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pipeline.cli.options import As, Config, Home
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

    table = Table("row", "when (UTC)", "who", "what", "tape", "thing", "span", "why", "from", "times")
    with opened(home, config) as place, place.database.reading() as session:
        actor = people.find(session, person).id if person else None
        for row in audits.latest(session, last, tape, actor):
            span = "" if row.span_start is None else f"{row.span_start / 1000:.1f}-{(row.span_end or 0) / 1000:.1f} s"
            who = row.actor_id or "the program"
            what = (row.action, row.tape_id or "", row.thing, span, row.why, row.source or "", str(row.times or ""))
            table.add_row(str(row.seq), readable(row.at), who, *what)
    console().print(table)


@audit.command("verify")
def verify(
    against: Annotated[
        list[Path] | None, typer.Option(help="A certificate or backup that was kept elsewhere; as often as wanted.")
    ] = None,
    home: Home = None,
    config: Config = None,
) -> None:
    """Find every row that was edited, dropped or swapped, and whether the whole was set back to an earlier state.

    The heads in the home's certificates and in backups within reach are looked up in any case.
    """
    from pipeline.cli.homes import opened
    from pipeline.tapes import anchors

    with opened(home, config) as place:
        heads = [*(anchors.of(path) for path in against or ()), *anchors.within_reach(place)]
        with place.database.reading() as session:
            faults = place.audit.verify(session, heads)
            count = place.audit.count(session)
    for fault in faults:
        typer.echo(f"row {fault.seq}: {fault.what}", err=True)
    if faults:
        raise typer.Exit(1)
    typer.echo(f"{count} rows, none was edited, dropped or swapped; {len(heads)} certificates and backups agree")


@audit.command("accept")
def accept(by: As = None, home: Home = None, config: Config = None) -> None:
    """Go on from the audit as it is, once you have found out why it was set back or the copy of its head was gone.

    The audit says that you did, and `verify` no longer names what lies before. Edited rows stay faults.
    """
    from pipeline.cli.homes import opened
    from pipeline.tapes import audit as audits
    from pipeline.tapes import people
    from pipeline.tapes.clock import now

    with opened(home, config) as place, place.database.writing() as session:
        audits.record(session, now(), people.actor(session, by), audits.ACCEPTED)
