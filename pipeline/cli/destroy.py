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
    from pipeline.cli._shared.home_access import opened
    from pipeline.tapes import people
    from pipeline.tapes.clock import now
    from pipeline.tapes.consent import consent
    from pipeline.tapes.db.records import Tape
    from pipeline.tapes.retention import destruction, exports, retention

    if (tape is None) != due:
        raise typer.BadParameter("name one tape, or give --due")
    with opened(home, config) as place:
        if tape is None:
            done = retention.enforce(place, now())
        else:
            with place.database.reading() as session:
                found = session.get(Tape, tape)
                if found is None:
                    raise exports.unknown(tape)
                who = people.find(session, by) if by else None
                consent.allows(session, who, "destroy", found, now()).require()
            if not yes:
                typer.confirm(f"Destroy tape {tape}? Nobody can bring it back", abort=True, err=True)
            done = [destruction.destroy(place, tape, "by hand", now(), who.id if who else None)]
    for one in done:
        typer.echo(f"destroyed {one.tape_id}, certificate {one.path}")
    if not done:
        typer.echo("nothing is due")
