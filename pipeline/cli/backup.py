"""`tape-review backup`: one file that brings everything back."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pipeline.cli._shared.options import As, Config, Home


def backup(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The file to write, preferably on another disk.")],
    by: As = None,
    home: Home = None,
    config: Config = None,
) -> None:
    """Write everything into one encrypted file.

    The backup contains the master key only if a passphrase locks that key. If your master key is a file, keep a copy of
    it in another place. Without it nobody can read the backup, not even you.
    """
    from pipeline.cli._shared.home_access import open_home
    from pipeline.tapes import people
    from pipeline.tapes.backup import backup as backups
    from pipeline.tapes.clock import now

    with open_home(home, config) as tapes_home:
        with tapes_home.database.reading() as session:
            actor = people.actor(session, by)
        written = backups.make(tapes_home, file, now(), actor)
        typer.echo(f"{written.tapes} tapes, {written.files} files in {written.path}")
        if written.missing:
            typer.echo(f"{written.missing} files are missing from the vault: run `tape-review doctor`", err=True)
        if not written.whole:
            typer.echo(
                f"keep a copy of {tapes_home.master.path} in another place: the backup opens with it alone", err=True
            )
