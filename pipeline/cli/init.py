"""`tape-review init`: make the place where tapes are kept."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

import typer

from pipeline.cli.options import Config, Home

if TYPE_CHECKING:
    from pipeline.settings import TapesSettings


def init(
    name: Annotated[str | None, typer.Option(help="Your name. You become the first administrator.")] = None,
    email: Annotated[str | None, typer.Option(help="Your e-mail address, by which you sign in.")] = None,
    master_key: Annotated[
        Literal["file", "passphrase", "environment"],
        typer.Option(help="Where the master key comes from: a file in the home, a passphrase, a key service."),
    ] = "file",
    sample: Annotated[bool, typer.Option("--sample", help="Add a made-up group of eight, to try things out.")] = False,
    upgrade: Annotated[
        bool, typer.Option("--upgrade", help="Bring an existing home's tables to this program's version.")
    ] = False,
    home: Home = None,
    config: Config = None,
) -> None:
    """Make the home of the tapes: keys, database, first person. Or bring it up to date.

    Keep a copy of the folder `keys` in another place: without it no tape can be heard again.
    """
    from pipeline.cli.homes import ask, ask_twice, chosen
    from pipeline.tapes import home as homes
    from pipeline.tapes import people, samples
    from pipeline.tapes.clock import now

    wanted = chosen(None, config, home).tapes
    if upgrade:
        _upgrade(wanted)
        return
    if not sample and (name is None or email is None):
        raise typer.BadParameter("give --name and --email of the first person, or --sample")
    if name is not None and email is not None:
        name, email = people.named(name, email)  # before anything is made
    made = homes.Home.create(wanted, master_key, ask_twice if master_key == "passphrase" else ask)
    try:
        with made.database.writing() as session:
            if name is not None and email is not None:
                people.add(session, name, email, now(), is_admin=True)
            if sample:
                samples.add_group(session, now())
    finally:
        made.close()
    typer.echo(f"Made {made.folder}")


def _upgrade(wanted: TapesSettings) -> None:
    from pipeline.cli.homes import ask
    from pipeline.tapes import home as homes

    folder, before, after = homes.upgrade(wanted, ask)
    typer.echo(f"{folder}: tables at version {after}" + (f", before at {before}" if before != after else " already"))
