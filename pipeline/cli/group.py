"""`tape-review group`: who learns with whom."""

from __future__ import annotations

from typing import Annotated

import typer

from pipeline.cli._shared.command_groups import Commands
from pipeline.cli._shared.options import As, Config, Home
from pipeline.cli._shared.tables import console
from pipeline.cli.person import PersonArgument

group = Commands("Add and list groups, and decide who is in them and in which role.")

GroupArgument = Annotated[str, typer.Argument(metavar="GROUP", help="The group: name or id.")]
RoleOption = Annotated[
    str,
    typer.Option(
        "--role",
        metavar="ROLE",
        help="The role: member, coordinator (who only organizes) or coach (who is not a member).",
    ),
]


@group.command("add")
def add(
    name: Annotated[str, typer.Argument(metavar="NAME", help="The group's name.")],
    agreements: Annotated[str, typer.Option(metavar="TEXT", help="What the group has agreed on.")] = "",
    by: As = None,
    home: Home = None,
    config: Config = None,
) -> None:
    """Add a group.

    Seven to fifteen members work best.
    """
    from pipeline.cli._shared.home_access import open_home
    from pipeline.tapes import people
    from pipeline.tapes.clock import now

    with open_home(home, config) as tapes_home, tapes_home.database.writing() as session:
        typer.echo(people.add_group(session, name, now(), agreements, people.actor(session, by)).id)


@group.command("list")
def show(home: Home = None, config: Config = None) -> None:
    """List the groups and the people in them."""
    from rich.table import Table
    from sqlalchemy import select

    from pipeline.cli._shared.home_access import open_home
    from pipeline.tapes import people
    from pipeline.tapes.clock import day_of, now
    from pipeline.tapes.db.records import Group

    table = Table("group", "id", "name", "address", "role", "since")
    with open_home(home, config) as tapes_home, tapes_home.database.reading() as session:
        for shown in session.scalars(select(Group).order_by(Group.name)):
            table.add_section()
            table.add_row(shown.name, shown.id)
            for member in people.members(session, shown, now()):
                table.add_row(
                    "",
                    member.person.id,
                    member.person.name,
                    member.person.email,
                    member.role,
                    str(day_of(member.since)),
                )
            _warn(people.size_warning(session, shown, now()))
    console().print(table)


@group.command("join")
def join(
    which: GroupArgument,
    whom: PersonArgument,
    role: RoleOption = "member",
    by: As = None,
    home: Home = None,
    config: Config = None,
) -> None:
    """Add a person to a group."""
    from pipeline.cli._shared.home_access import open_home
    from pipeline.tapes import people
    from pipeline.tapes.clock import now

    with open_home(home, config) as tapes_home, tapes_home.database.writing() as session:
        joined = people.find_group(session, which)
        people.join(session, joined, people.find(session, whom), role, now(), people.actor(session, by))
        _warn(people.size_warning(session, joined, now()))


@group.command("leave")
def leave(which: GroupArgument, whom: PersonArgument, by: As = None, home: Home = None, config: Config = None) -> None:
    """Remove a person from a group."""
    from pipeline.cli._shared.home_access import open_home
    from pipeline.tapes import people
    from pipeline.tapes.clock import now

    with open_home(home, config) as tapes_home, tapes_home.database.writing() as session:
        joined = people.find_group(session, which)
        people.leave(session, joined, people.find(session, whom), now(), people.actor(session, by))
        _warn(people.size_warning(session, joined, now()))


@group.command("role")
def role(
    which: GroupArgument,
    whom: PersonArgument,
    becomes: Annotated[str, typer.Argument(metavar="ROLE", help="The new role: member, coordinator or coach.")],
    by: As = None,
    home: Home = None,
    config: Config = None,
) -> None:
    """Change a person's role in a group."""
    from pipeline.cli._shared.home_access import open_home
    from pipeline.tapes import people
    from pipeline.tapes.clock import now

    with open_home(home, config) as tapes_home, tapes_home.database.writing() as session:
        joined = people.find_group(session, which)
        people.change_role(session, joined, people.find(session, whom), becomes, now(), people.actor(session, by))


def _warn(text: str) -> None:
    if text:
        typer.echo(f"note: {text}", err=True)
