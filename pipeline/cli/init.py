"""`tape-review init`: make the place where tapes are kept."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

import typer

from pipeline.cli._shared.options import Config, Home

if TYPE_CHECKING:
    from pipeline.settings import TapesSettings


def init(
    name: Annotated[
        str | None, typer.Option(metavar="NAME", help="Your name. You become the first administrator.")
    ] = None,
    email: Annotated[
        str | None, typer.Option(metavar="ADDRESS", help="Your email address. You sign in with it.")
    ] = None,
    master_key: Annotated[
        Literal["file", "passphrase", "environment"],
        typer.Option(
            help="Where the master key comes from: a file in the home, a passphrase, or a key service (environment)."
        ),
    ] = "file",
    sample: Annotated[
        bool, typer.Option("--sample", help="Add a made-up group of eight people to try things out.")
    ] = False,
    upgrade: Annotated[
        bool, typer.Option("--upgrade", help="Upgrade the tables of an existing home to the version of this program.")
    ] = False,
    home: Home = None,
    config: Config = None,
) -> None:
    """Create the home of the tapes with its keys, its database and the first person, or upgrade it.

    Keep a copy of the folder `keys` in another place. Without the keys, no tape can be opened again.
    """
    from pipeline.cli._shared.home_access import ask_new_passphrase, ask_passphrase, settings_with_home
    from pipeline.review.network import local_network
    from pipeline.review.network.authority import Authority
    from pipeline.tapes import home as homes
    from pipeline.tapes import people, sample_group
    from pipeline.tapes.clock import now

    wanted = settings_with_home(None, config, home).tapes
    if upgrade:
        _upgrade(wanted)
        return
    if not sample and (name is None or email is None):
        raise typer.BadParameter("give --name and --email of the first person, or --sample")
    if name is not None and email is not None:
        name, email = people.named(name, email)  # before anything is made
    created = homes.Home.create(
        wanted, master_key, ask_new_passphrase if master_key == "passphrase" else ask_passphrase
    )
    try:
        network = local_network.current()
        Authority.of(created, now(), network.addresses, network.host)
        with created.database.writing() as session:
            if name is not None and email is not None:
                people.add(session, name, email, now(), is_admin=True)
            if sample:
                sample_group.add_group(session, now())
    finally:
        created.close()
    typer.echo(f"Made {created.folder}")


def _upgrade(wanted: TapesSettings) -> None:
    from pipeline.cli._shared.home_access import ask_passphrase
    from pipeline.tapes import home as homes

    folder, before, after = homes.upgrade(wanted, ask_passphrase)
    typer.echo(f"{folder}: tables at version {after}" + (f", before at {before}" if before != after else " already"))
