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

    from pipeline.cli._shared.home_access import open_home
    from pipeline.cli._shared.job_watching import follow_jobs, job_table, warn_of_due_tapes, warn_without_worker
    from pipeline.tapes import people
    from pipeline.tapes.jobs import job_state

    with open_home(home, config) as tapes_home:
        with tapes_home.database.reading() as session:
            actor = people.actor(session, by)
            if tape is not None:
                job_state.latest(session, tape)
        if tape is not None and cancel:
            job_state.cancel(tapes_home, tape, actor)
        if tape is not None and retry:
            job_state.retry(tapes_home, tape, actor)
        if watch:
            follow_jobs(tapes_home, tape)
        else:
            console().print(job_table(tapes_home, tape))
            warn_without_worker(tapes_home)
            warn_of_due_tapes(tapes_home)
