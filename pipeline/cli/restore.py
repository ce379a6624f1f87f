"""`tape-review restore`: from a backup to a home."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pipeline.cli.options import Config, Home


def restore(
    file: Annotated[Path, typer.Argument(help="The backup.")],
    master_key: Annotated[
        Path | None, typer.Option(help="Your copy of the master key, where it is a file: it is not in the backup.")
    ] = None,
    tombstones: Annotated[
        list[Path] | None,
        typer.Option(help="A list of destroyed tapes that is newer than the backup. May be repeated."),
    ] = None,
    home: Home = None,
    config: Config = None,
) -> None:
    """Bring back a home from a backup. A tape that was destroyed since stays dead, as far as a list tells of it.

    The lists in the backup, beside it and in the home's folder are heeded anyway.
    """
    from pipeline.cli.homes import ask, chosen
    from pipeline.tapes import restoring
    from pipeline.tapes.clock import now

    wanted = chosen(None, config, home).tapes
    done = restoring.restore(file, wanted, now(), ask=ask, master=master_key, lists=tombstones or ())
    typer.echo(f"{done.tapes} tapes in {done.folder}" + (f"; {done.dead} stay destroyed" if done.dead else ""))
