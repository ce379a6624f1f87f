"""`tape-review destroy`: the end of a tape, or of all that are due."""

from __future__ import annotations

from typing import Annotated

import typer

from pipeline.cli._shared.options import As, Config, Home


def destroy(
    tape: Annotated[str | None, typer.Argument(metavar="TAPE", help="The tape's id.")] = None,
    due: Annotated[
        bool,
        typer.Option(
            "--due",
            help="Destroy all tapes that are past their last day or withdrawn, and finish destructions that were "
            "interrupted. For a timer.",
        ),
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask for confirmation.")] = False,
    by: As = None,
    home: Home = None,
    config: Config = None,
) -> None:
    """Destroy a tape and everything that belongs to it for good, and write the certificate."""
    from pipeline.cli._shared.home_access import open_home
    from pipeline.tapes import people
    from pipeline.tapes.clock import now
    from pipeline.tapes.consent import consent
    from pipeline.tapes.db.records import Tape
    from pipeline.tapes.retention import destruction, exports, retention

    if (tape is None) != due:
        raise typer.BadParameter("name one tape, or give --due")
    with open_home(home, config) as tapes_home:
        if tape is None:
            done = retention.enforce(tapes_home, now())
        else:
            with tapes_home.database.reading() as session:
                record = session.get(Tape, tape)
                if record is None:
                    raise exports.unknown(tape)
                who = people.find(session, by) if by else None
                consent.allows(session, who, "destroy", record, now()).require()
            if not yes:
                typer.confirm(f"Destroy tape {tape}? Nobody can bring it back", abort=True, err=True)
            done = [destruction.destroy(tapes_home, tape, "by hand", now(), who.id if who else None)]
    for destroyed in done:
        typer.echo(f"destroyed {destroyed.tape_id}, certificate {destroyed.path}")
    if not done:
        typer.echo("nothing is due")
