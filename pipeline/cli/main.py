"""`tape-review`: the command line as a whole."""

from __future__ import annotations

import os
import traceback
from collections.abc import Callable, Mapping

import typer

from pipeline import __version__
from pipeline.cli._shared.command_groups import Commands
from pipeline.cli._shared.interruption import leave
from pipeline.cli.adapt import adapt
from pipeline.cli.agreement import agreement
from pipeline.cli.audit import audit
from pipeline.cli.backup import backup
from pipeline.cli.code import code
from pipeline.cli.config import config
from pipeline.cli.convert import convert
from pipeline.cli.demo import demo
from pipeline.cli.desktop import desktop
from pipeline.cli.destroy import destroy
from pipeline.cli.doctor import doctor
from pipeline.cli.drift import drift
from pipeline.cli.evaluate import evaluate
from pipeline.cli.export import export
from pipeline.cli.group import group
from pipeline.cli.init import init
from pipeline.cli.models import models
from pipeline.cli.person import person
from pipeline.cli.process import process
from pipeline.cli.restore import restore
from pipeline.cli.rotate_key import rotate_key
from pipeline.cli.sample import sample
from pipeline.cli.serve import serve
from pipeline.cli.status import status
from pipeline.cli.submit import submit
from pipeline.cli.train import train
from pipeline.cli.verify_certificate import verify_certificate
from pipeline.cli.withdraw import withdraw
from pipeline.cli.worker import worker
from pipeline.errors import TapeReviewError

HELP = (
    "Pre-code recorded motivational interviewing sessions for a peer group. Nothing leaves this machine.\n\n"
    "`tape-review COMMAND --help` explains a command and its options."
)

app = Commands(HELP, name="tape-review", add_completion=False, pretty_exceptions_enable=False)

COMMANDS: Mapping[str, tuple[Callable[..., None], ...]] = {
    "Tapes": (process, code, convert, submit, worker, status, export),
    "Review room": (init, serve, desktop, demo),
    "Agreement": (agreement, drift, sample),
    "Models": (models, config, train, evaluate, adapt),
    "Keeping safe": (withdraw, destroy, verify_certificate, backup, restore, rotate_key, doctor),
}
"""Heading of `--help` -> its commands, in the order in which they are listed."""

for heading, commands in COMMANDS.items():
    for command in commands:
        app.command(rich_help_panel=heading)(command)
app.add_typer(person, name="person", rich_help_panel="Review room")
app.add_typer(group, name="group", rich_help_panel="Review room")
app.add_typer(audit, name="audit", rich_help_panel="Keeping safe")


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"tape-review {__version__}")
        raise typer.Exit


@app.callback()
def options(
    context: typer.Context,
    version: bool = typer.Option(False, "--version", callback=_version, is_eager=True, help="Print the version."),
) -> None:
    """Decide who can read what a command writes."""
    # What a verb writes may hold what a client said; the models hold nothing of anybody, and several may share them.
    os.umask(0o022 if context.invoked_subcommand == "models" else 0o077)


def main() -> None:
    """Run the command line: a user's mistake ends with its message and exit status 1, an interruption with 130."""
    try:
        app()
    except TapeReviewError as error:
        typer.echo(str(error), err=True)
        leave(1)
    except Exception:
        traceback.print_exc()
        leave(1)
    except SystemExit as end:
        leave(end.code)


if __name__ == "__main__":
    main()
