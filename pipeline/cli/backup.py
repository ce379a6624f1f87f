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
    from pipeline.cli._shared.home_access import opened
    from pipeline.tapes import people
    from pipeline.tapes.backup import backup as backups
    from pipeline.tapes.clock import now

    with opened(home, config) as place:
        with place.database.reading() as session:
            actor = people.actor(session, by)
        made = backups.make(place, file, now(), actor)
        typer.echo(f"{made.tapes} tapes, {made.files} files in {made.path}")
        if made.missing:
            typer.echo(f"{made.missing} files are missing from the vault: run `tape-review doctor`", err=True)
        if not made.whole:
            typer.echo(f"keep a copy of {place.master.path} in another place: the backup opens with it alone", err=True)
