"""`tape-review status`: the tapes and the work on them."""

from __future__ import annotations

from typing import Annotated

import typer

from pipeline.cli._shared.options import As, Config, Home
from pipeline.cli._shared.tables import console


def status(
    tape: Annotated[
        str | None, typer.Argument(metavar="TAPE", help="The tape's id. Without it, all tapes are listed.")
    ] = None,
    watch: Annotated[bool, typer.Option("--watch", help="Keep showing progress until the work is done.")] = False,
    cancel: Annotated[bool, typer.Option("--cancel", help="Stop the work on this tape.")] = False,
    retry: Annotated[bool, typer.Option("--retry", help="Retry work that failed or was stopped.")] = False,
    by: As = None,
    home: Home = None,
    config: Config = None,
) -> None:
    """Show the progress of the work on the tapes, stop the work, or retry it."""
    if (cancel or retry) and tape is None:
        raise typer.BadParameter("name the tape")
    if cancel and retry:
        raise typer.BadParameter("choose one of --cancel and --retry")

    from pipeline.cli._shared.home_access import opened
    from pipeline.cli._shared.job_watching import due_note, follow, listed, workers_note
    from pipeline.tapes import people
    from pipeline.tapes.jobs import job_state

    with opened(home, config) as place:
        with place.database.reading() as session:
            actor = people.actor(session, by)
            if tape is not None:
                job_state.latest(session, tape)
        if tape is not None and cancel:
            job_state.cancel(place, tape, actor)
        if tape is not None and retry:
            job_state.retry(place, tape, actor)
        if watch:
            follow(place, tape)
        else:
            console().print(listed(place, tape))
            workers_note(place)
            due_note(place)
