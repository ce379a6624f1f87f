"""`tape-review export`: results as plain files."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pipeline.cli._shared.options import As, Config, Home


def export(
    tape: Annotated[str, typer.Argument(metavar="TAPE", help="The tape's id.")],
    out: Annotated[Path, typer.Option(metavar="FOLDER", help="The folder to write. It must be empty or not exist.")],
    sound: Annotated[bool, typer.Option("--sound", help="Also copy the sound of the segment.")] = False,
    by: As = None,
    home: Home = None,
    config: Config = None,
) -> None:
    """Copy a tape's results out of the vault, if the consent allows you to.

    The copies are not encrypted. When the tape is destroyed, they are removed too, if they are still in that folder.
    """
    from pipeline.cli._shared.home_access import open_home
    from pipeline.tapes import people
    from pipeline.tapes.clock import now
    from pipeline.tapes.retention import exports

    if by is None:
        raise typer.BadParameter("say who you are with --as: the consent decides by person")
    with open_home(home, config) as tapes_home:
        with tapes_home.database.reading() as session:
            person = people.find(session, by)
        for path in exports.export(tapes_home, tape, person, out, now(), sound=sound):
            typer.echo(path)
