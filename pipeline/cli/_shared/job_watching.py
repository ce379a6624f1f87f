"""Jobs in the terminal: a table, or bars that move, and the notes on what needs attention."""

from __future__ import annotations

import time

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn
from rich.table import Table
from sqlalchemy import select

from pipeline.stages import STEP_LABELS
from pipeline.tapes.clock import day_of, now, readable
from pipeline.tapes.db.records import Worker
from pipeline.tapes.home import Home
from pipeline.tapes.jobs import job_state
from pipeline.tapes.jobs.job_state import View
from pipeline.tapes.retention import retention

_LOOK = 0.5  # seconds between two looks into the records


def job_table(home: Home, tape_id: str | None) -> Table:
    """Return a table of the jobs of all tapes, or of one tape."""
    table = Table("tape", "state", "done", "what", "since (UTC)")
    for view in _views(home, tape_id):
        table.add_row(view.tape_id, view.state, f"{view.fraction:.0%}", _describe(view), readable(view.updated_at))
    return table


def follow_jobs(home: Home, tape_id: str | None) -> None:
    """Show the work until nothing is left to do; exit status 1 where a job that was followed failed."""
    console = Console()
    bars = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f} %"),
        TimeElapsedColumn(),
        console=console,
        disable=not console.is_terminal,
    )
    tasks: dict[str, TaskID] = {}
    printed: dict[str, str] = {}
    with bars:
        while True:
            views = _views(home, tape_id)
            for view in views:
                if view.job_id not in tasks:
                    tasks[view.job_id] = bars.add_task("", total=1.0)
                words = f"{view.tape_id} {view.state}: {_describe(view)}"
                bars.update(tasks[view.job_id], completed=view.fraction, description=words)
                if not console.is_terminal and printed.get(view.job_id) != words:
                    printed[view.job_id] = words
                    console.print(words)
            if all(view.state not in job_state.LIVE for view in views):
                break
            time.sleep(_LOOK)
    if any(view.state == "failed" for view in views):
        raise typer.Exit(1)


def warn_without_worker(home: Home) -> None:
    """Print a note where jobs wait and no worker runs."""
    with home.database.reading() as session:
        seen = list(session.scalars(select(Worker.seen_at)))
    waiting = any(view.state in job_state.LIVE for view in _views(home, None))
    if waiting and all(at < now() - 1000 * home.settings.dead_after_seconds for at in seen):
        typer.echo("No worker is running: start `tape-review serve`, or `tape-review worker`", err=True)


def warn_of_due_tapes(home: Home) -> None:
    """Print which tapes will be destroyed within 14 and 3 days, and which are past their time."""
    with home.database.reading() as session:
        soon, late = retention.warnings(session, now()), retention.overdue(session, now())
    for tape in soon:
        when = f"after {day_of(tape.destroy_by)}, in {tape.days} days or less"
        typer.echo(f"Tape {tape.tape_id} will be destroyed {when}", err=True)
    for late_tape in late:
        typer.echo(
            f"Tape {late_tape.tape_id} should be gone ({late_tape.why}): run `tape-review destroy --due`", err=True
        )


def _views(home: Home, tape_id: str | None) -> list[View]:
    with home.database.reading() as session:
        return job_state.views(session, None if tape_id is None else [tape_id])


def _describe(view: View) -> str:
    if view.state == "failed":
        return f"{view.error_code} {view.error}"
    if view.state == "queued" and view.ahead:
        return f"after {view.ahead} others"
    if view.state == "running" and view.stage:
        again = f" (try {view.attempts})" if view.attempts > 1 else ""
        return STEP_LABELS[view.stage].lower() + again
    return ""
