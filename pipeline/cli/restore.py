"""`tape-review restore`: from a backup to a home."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pipeline.cli._shared.options import Config, Home

AS_OF = """\
Everything is as it was at {made} UTC. Later changes are not in the backup: permissions that clients narrowed, people
and roles that ended, passwords, masks on names. Make them again, and make new links for those who are to come in."""


def restore(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The backup.")],
    master_key: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="Your copy of the master key, if the key is a file. The backup does not contain it."
        ),
    ] = None,
    tombstones: Annotated[
        list[Path] | None,
        typer.Option(metavar="FILE", help="A list of destroyed tapes that is newer than the backup. May be repeated."),
    ] = None,
    home: Home = None,
    config: Config = None,
) -> None:
    """Restore a home from a backup, without the tapes that were destroyed since.

    Lists of tombstones name the destroyed tapes. The lists in the backup, beside it and in the home's folder are always
    read. --tombstones adds others.
    """
    from pipeline.cli._shared.home_access import ask_passphrase, settings_with_home
    from pipeline.tapes.backup import restore
    from pipeline.tapes.clock import now, readable

    wanted = settings_with_home(None, config, home).tapes
    done = restore.restore(file, wanted, now(), ask=ask_passphrase, master=master_key, lists=tombstones or ())
    typer.echo(f"{done.tapes} tapes in {done.folder}" + (f"; {done.dead} stay destroyed" if done.dead else ""))
    typer.echo(AS_OF.format(made=readable(done.made_at)))
