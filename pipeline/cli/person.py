"""`tape-review person`: who is here."""

from __future__ import annotations

from typing import Annotated

import typer

from pipeline.cli._shared.command_groups import Commands
from pipeline.cli._shared.options import As, Config, Home
from pipeline.cli._shared.tables import console

person = Commands("Add, list, disable and enable people. Clients are never among them.")

HERE_ONLY = """\
This address opens on this computer only. If others use the room, put the address under which they know it in its place
(`tape-review serve` prints it), or set review.address."""

PersonArgument = Annotated[str, typer.Argument(metavar="PERSON", help="The person: email address or id.")]


@person.command("add")
def add(
    email: Annotated[str, typer.Argument(metavar="EMAIL", help="The email address that the person signs in with.")],
    name: Annotated[str, typer.Option(metavar="NAME", help="The name that others see.")],
    admin: Annotated[
        bool, typer.Option("--admin", help="Make the person an administrator. That opens no more tapes.")
    ] = False,
    by: As = None,
    home: Home = None,
    config: Config = None,
) -> None:
    """Add a person."""
    from pipeline.cli._shared.home_access import open_home
    from pipeline.tapes import people
    from pipeline.tapes.clock import now

    with open_home(home, config) as tapes_home, tapes_home.database.writing() as session:
        added = people.add(session, name, email, now(), is_admin=admin, actor_id=people.actor(session, by))
        typer.echo(added.id)


@person.command("list")
def show(home: Home = None, config: Config = None) -> None:
    """List all people."""
    from rich.table import Table
    from sqlalchemy import select

    from pipeline.cli._shared.home_access import open_home
    from pipeline.tapes import people
    from pipeline.tapes.clock import day_of, now
    from pipeline.tapes.db.records import Person

    table = Table("id", "name", "address", "groups", "since", "state")
    with open_home(home, config) as tapes_home, tapes_home.database.reading() as session:
        for person in session.scalars(select(Person).order_by(Person.name)):
            groups = ", ".join(f"{group.name} ({role})" for group, role in people.groups_of(session, person, now()))
            states = ["administrator"] * person.is_admin + ["disabled"] * (person.disabled_at is not None)
            since = str(day_of(person.created_at))
            table.add_row(person.id, person.name, person.email, groups, since, ", ".join(states))
    console().print(table)


@person.command("disable")
def disable(whom: PersonArgument, by: As = None, home: Home = None, config: Config = None) -> None:
    """End a person's access at once.

    The person's feedback and codes stay.
    """
    from pipeline.cli._shared.home_access import open_home
    from pipeline.tapes import people
    from pipeline.tapes.clock import now

    with open_home(home, config) as tapes_home, tapes_home.database.writing() as session:
        people.disable(session, people.find(session, whom), now(), people.actor(session, by))


@person.command("enable")
def enable(whom: PersonArgument, by: As = None, home: Home = None, config: Config = None) -> None:
    """Give a person access again."""
    from pipeline.cli._shared.home_access import open_home
    from pipeline.tapes import people
    from pipeline.tapes.clock import now

    with open_home(home, config) as tapes_home, tapes_home.database.writing() as session:
        people.enable(session, people.find(session, whom), now(), people.actor(session, by))


@person.command("link")
def link(whom: PersonArgument, by: As = None, home: Home = None, config: Config = None) -> None:
    """Print a link that lets a person choose a new password.

    A second step stays in place. The person is notified of who made the link.
    """
    from pipeline.cli._shared.home_access import open_home, settings_with_home
    from pipeline.review.auth.invitations import invite
    from pipeline.review.network.reach import stays_here
    from pipeline.tapes import accounts, audit_log, people
    from pipeline.tapes.clock import now

    review = settings_with_home(None, config, home).review
    address = review.address or f"http://127.0.0.1:{review.port}"
    with open_home(home, config) as tapes_home, tapes_home.database.writing() as session:
        invited, actor = people.find(session, whom), people.actor(session, by)
        path = invite(session, now(), "reset" if accounts.is_used(session, invited) else "join", invited.id, actor)
        audit_log.record(session, now(), actor, "link.make", thing=invited.id)
        typer.echo(f"{address}{path}")
    if stays_here(address):
        typer.echo(HERE_ONLY, err=True)


@person.command("lift-second-step")
def lift(whom: PersonArgument, home: Home = None, config: Config = None) -> None:
    """Remove a person's second step, one day from now.

    The person is notified at the next sign-in, and can stop it.
    """
    from pipeline.cli._shared.home_access import open_home
    from pipeline.tapes import people, second_step
    from pipeline.tapes.clock import now, readable

    with open_home(home, config) as tapes_home, tapes_home.database.writing() as session:
        lifting = second_step.ask_to_lift(session, people.find(session, whom), now(), None)
        typer.echo(f"lifted from {readable(second_step.due(lifting) or 0)} UTC on, at the next sign-in")
