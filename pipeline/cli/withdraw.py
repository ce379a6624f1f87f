"""`tape-review withdraw`: the client wants the tape back."""

from __future__ import annotations

from typing import Annotated

import typer

from pipeline.cli._shared.options import As, Config, Home


def withdraw(
    tape: Annotated[str, typer.Argument(metavar="TAPE", help="The tape's id.")],
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask for confirmation.")] = False,
    by: As = None,
    home: Home = None,
    config: Config = None,
) -> None:
    """Record that the client has withdrawn permission: close the tape, stop all work on it, and destroy it.

    The tape is closed to everyone at once. A signed certificate of its destruction is written.
    """
    from pipeline.cli._shared.home_access import open_home
    from pipeline.tapes import people
    from pipeline.tapes.clock import now
    from pipeline.tapes.intake import submission
    from pipeline.tapes.retention import destruction

    if not yes:
        typer.confirm(f"Destroy tape {tape} and everything that belongs to it? This cannot be undone", abort=True)
    with open_home(home, config) as tapes_home:
        with tapes_home.database.reading() as session:
            person = people.find(session, by) if by else None
        submission.withdraw(tapes_home, tape, person)
        typer.echo(f"Consent withdrawn: tape {tape} is closed to everybody")
        done = destruction.destroy(tapes_home, tape, "withdrawn", now(), person.id if person else None)
    typer.echo(f"Destroyed. Certificate: {done.path}")
