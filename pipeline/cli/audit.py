"""`tape-review audit`: who did what, and is the record whole?"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pipeline.cli._shared.command_groups import Commands
from pipeline.cli._shared.options import As, Config, Home
from pipeline.cli._shared.tables import console

audit = Commands("Show who did what, and verify that nobody changed the record of it.")


@audit.command("list")
def show(
    tape: Annotated[
        str | None, typer.Option(metavar="TAPE", help="Show only what was done to this tape (its id).")
    ] = None,
    person: Annotated[
        str | None, typer.Option(metavar="PERSON", help="Show only what this person did (email address or id).")
    ] = None,
    last: Annotated[int, typer.Option(min=1, metavar="NUMBER", help="How many of the latest rows to show.")] = 100,
    home: Home = None,
    config: Config = None,
) -> None:
    """List who did what, newest last."""
    from rich.table import Table

    from pipeline.cli._shared.home_access import open_home
    from pipeline.tapes import audit_log as audits
    from pipeline.tapes import people
    from pipeline.tapes.clock import readable

    table = Table("row", "when (UTC)", "who", "what", "tape", "thing", "span", "why", "from", "times")
    with open_home(home, config) as tapes_home, tapes_home.database.reading() as session:
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
        list[Path] | None,
        typer.Option(metavar="FILE", help="A certificate or backup that was kept elsewhere. May be repeated."),
    ] = None,
    home: Home = None,
    config: Config = None,
) -> None:
    """Find rows that were edited, dropped or swapped, and an audit that was set back to an earlier state.

    The certificates in the home and the backups within reach are always compared.
    """
    from pipeline.cli._shared.home_access import open_home
    from pipeline.tapes import audit_anchors

    with open_home(home, config) as tapes_home:
        heads = [*(audit_anchors.of(path) for path in against or ()), *audit_anchors.within_reach(tapes_home)]
        with tapes_home.database.reading() as session:
            faults = tapes_home.audit.verify(session, heads)
            count = tapes_home.audit.count(session)
    for fault in faults:
        typer.echo(f"row {fault.seq}: {fault.what}", err=True)
    if faults:
        raise typer.Exit(1)
    typer.echo(f"{count} rows, none was edited, dropped or swapped; {len(heads)} certificates and backups agree")


@audit.command("accept")
def accept(by: As = None, home: Home = None, config: Config = None) -> None:
    """Accept the audit as it is, once you know why it was set back or why the copy of its head was missing.

    The audit records that you did, and `verify` no longer reports what came before. Edited rows are still reported.
    """
    from pipeline.cli._shared.home_access import open_home
    from pipeline.tapes import audit_log as audits
    from pipeline.tapes import people
    from pipeline.tapes.clock import now

    with open_home(home, config) as tapes_home, tapes_home.database.writing() as session:
        audits.record(session, now(), people.actor(session, by), audits.ACCEPTED)
