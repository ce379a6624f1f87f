"""People and groups: who is here, who is with whom, in which role. Clients are never among them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import cast, get_args

from sqlalchemy import ColumnElement, delete, func, select
from sqlalchemy.orm import Session

from pipeline.errors import TapesError
from pipeline.tapes import accounts, audit_log
from pipeline.tapes.db.records import CalendarFeed, Group, Membership, Person, Role

SMALLEST, LARGEST = 7, 15
"""How many members a group has so that it works."""

ROLES: tuple[str, ...] = get_args(Role)

_ADDRESS = re.compile(r"[^@\s]+@[^@\s]+")


@dataclass(frozen=True)
class Member:
    """Someone in a group, and in which role; ``takes_turns``: every member does, others as they wish."""

    person: Person
    role: Role
    since: int
    takes_turns: bool = True


def address(text: str) -> str:
    """An e-mail address as it is kept and compared: in small letters, where each stands for one capital alone.

    The Kelvin sign is a "k" in small letters, and whoever has an address with it is not who has the one with a "k".
    """
    return "".join(small if (small := letter.lower()).upper() == letter else letter for letter in text.strip())


def named(name: str, email: str) -> tuple[str, str]:
    """Somebody's name and address as they are kept.

    Raises
    ------
    TapesError: K09 they are not what they must be.
    """
    name, email = " ".join(name.split()), address(email)
    if not name or len(name) > 100:
        raise TapesError("K09", f"name {name[:100]!r}", "is empty or too long", "give a name of up to 100 letters")
    if not _ADDRESS.fullmatch(email) or len(email) > 200:
        raise TapesError("K09", f"address {email[:200]!r}", "is no e-mail address", "give one like ada@example.org")
    return name, email


def add(
    session: Session, name: str, email: str, now: int, is_admin: bool = False, actor_id: str | None = None
) -> Person:
    """Someone new.

    Raises
    ------
    TapesError: K08 the address is taken, K09 name or address are not what they must be.
    """
    name, email = named(name, email)
    if session.scalar(select(Person.id).where(Person.email == email)):
        raise TapesError("K08", f"person {email}", "exists already", "see `tape-review person list`")
    person = Person(name=name, email=email, created_at=now, is_admin=is_admin)
    session.add(person)
    session.flush()
    audit_log.record(session, now, actor_id, "person.add", thing=person.id)
    return person


def rename(session: Session, person: Person, name: str, now: int, actor_id: str | None = None) -> None:
    """Call someone by another name.

    Raises
    ------
    TapesError: K09 it is no name.
    """
    wanted, _ = named(name, person.email)
    if wanted != person.name:
        person.name = wanted
        audit_log.record(session, now, actor_id, "person.rename", thing=person.id)


def find(session: Session, text: str) -> Person:
    """The person with an id or an e-mail address.

    Raises
    ------
    TapesError: K07.
    """
    wanted = text.strip()
    person = session.scalars(select(Person).where((Person.id == wanted) | (Person.email == address(wanted)))).first()
    if person is None:
        raise TapesError("K07", f"person {wanted!r}", "is unknown", "see `tape-review person list`")
    return person


def actor(session: Session, text: str | None) -> str | None:
    """The id of whoever acts, for the audit; None if nobody was named.

    Raises
    ------
    TapesError: K07.
    """
    return find(session, text).id if text else None


def disable(session: Session, person: Person, now: int, actor_id: str | None = None) -> None:
    """End someone's access at once, signed-in browsers included.

    Raises
    ------
    TapesError: K09 nobody else administers.
    """
    others = select(func.count()).where(Person.is_admin, Person.disabled_at.is_(None), Person.id != person.id)
    if person.is_admin and not session.scalar(others):
        remedy = "make someone else an administrator first"
        raise TapesError("K09", f"person {person.id}", "is the only administrator", remedy)
    if person.disabled_at is None:
        person.disabled_at = now
        audit_log.record(session, now, actor_id, "person.disable", thing=person.id)
    session.execute(delete(CalendarFeed).where(CalendarFeed.person_id == person.id))
    accounts.void_links(session, person.id, now)
    accounts.end_sessions(session, person.id)


def enable(session: Session, person: Person, now: int, actor_id: str | None = None) -> None:
    """Let someone in again."""
    if person.disabled_at is not None:
        person.disabled_at = None
        audit_log.record(session, now, actor_id, "person.enable", thing=person.id)


def add_group(session: Session, name: str, now: int, agreements: str = "", actor_id: str | None = None) -> Group:
    """A new group.

    Raises
    ------
    TapesError: K08 the name is taken, K09 the name is empty or too long.
    """
    name = " ".join(name.split())
    if not name or len(name) > 100:
        raise TapesError("K09", f"name {name[:100]!r}", "is empty or too long", "give a name of up to 100 letters")
    if session.scalar(select(Group.id).where(Group.name == name)):
        raise TapesError("K08", f"group {name!r}", "exists already", "choose another name")
    group = Group(name=name, agreements=agreements, created_at=now)
    session.add(group)
    session.flush()
    audit_log.record(session, now, actor_id, "group.add", thing=group.id)
    return group


def find_group(session: Session, text: str) -> Group:
    """The group with an id or a name.

    Raises
    ------
    TapesError: K07.
    """
    wanted = " ".join(text.split())
    named = select(Group).where((Group.id == wanted) | (Group.name == wanted))
    group = session.scalars(named.order_by(Group.id != wanted)).first()  # an id counts before a name that copies it
    if group is None:
        raise TapesError("K07", f"group {wanted!r}", "is unknown", "see `tape-review group list`")
    return group


def join(
    session: Session, group: Group, person: Person, role: str, now: int, actor_id: str | None = None
) -> Membership:
    """Take someone into a group; a coach signs in anew, with a second step.

    Raises
    ------
    TapesError: K08 the person is in it already, K09 the role does not exist.
    """
    kind = _role(role)
    if _current(session, group, person, now):
        remedy = "change the role with `tape-review group role`"
        raise TapesError("K08", f"person {person.id}", f"is in group {group.name!r} already", remedy)
    membership = Membership(group_id=group.id, person_id=person.id, role=kind, since=now)
    session.add(membership)
    session.flush()
    if kind == "coach":
        accounts.end_sessions(session, person.id)
    audit_log.record(session, now, actor_id, "group.join", thing=f"{group.id} {person.id}", why=kind)
    return membership


def leave(session: Session, group: Group, person: Person, now: int, actor_id: str | None = None) -> None:
    """Let someone go from a group; what was said and coded stays.

    Raises
    ------
    TapesError: K07 the person is not in it.
    """
    membership = _current(session, group, person, now)
    if membership is None:
        remedy = "see `tape-review group list`"
        raise TapesError("K07", f"person {person.id}", f"is not in group {group.name!r}", remedy)
    membership.until = now
    session.flush()
    audit_log.record(session, now, actor_id, "group.leave", thing=f"{group.id} {person.id}")


def change_role(
    session: Session, group: Group, person: Person, role: str, now: int, actor_id: str | None = None
) -> Membership:
    """Give someone another role in a group; the earlier one is kept as history, and whoever has it signs in anew.

    Raises
    ------
    TapesError: K07 the person is not in it, K09 the role does not exist.
    """
    _role(role)
    leave(session, group, person, now, actor_id)
    accounts.end_sessions(session, person.id)
    accounts.tell(session, person.id, "role-changed", now, actor_id)
    return join(session, group, person, role, now, actor_id)


def members(session: Session, group: Group, now: int) -> tuple[Member, ...]:
    """Who is in a group, by name; people who are disabled are left out."""
    rows = session.execute(
        select(Person, Membership)
        .join(Membership, Membership.person_id == Person.id)
        .where(Membership.group_id == group.id, _holds(now), Person.disabled_at.is_(None))
        .order_by(Person.name, Person.id)
    )
    return tuple(
        Member(person, membership.role, membership.since, membership.role == "member" or membership.takes_turns)
        for person, membership in rows
    )


def groups_of(session: Session, person: Person, now: int) -> tuple[tuple[Group, Role], ...]:
    """The groups that someone is in, by name, and the role in each; who left stays out, whatever the clock says."""
    rows = session.execute(
        select(Group, Membership)
        .join(Membership, Membership.group_id == Group.id)
        .where(Membership.person_id == person.id, _lasts(now))
        .order_by(Group.name)
    )
    return tuple((group, membership.role) for group, membership in rows)


def size_warning(session: Session, group: Group, now: int) -> str:
    """Return a warning about a group that is too small or too large to work, or ""."""
    count = sum(member.role != "coach" for member in members(session, group, now))
    if SMALLEST <= count <= LARGEST:
        return ""
    return f"group {group.name!r} has {count} member{'s' * (count != 1)}; {SMALLEST} to {LARGEST} work best"


def _role(text: str) -> Role:
    if text not in ROLES:
        raise TapesError("K09", f"role {text!r}", "does not exist", f"choose one of {', '.join(ROLES)}")
    return cast(Role, text)


def _holds(now: int) -> ColumnElement[bool]:
    return (Membership.since <= now) & (Membership.until.is_(None) | (Membership.until > now))


def _lasts(now: int) -> ColumnElement[bool]:
    """That a membership has begun and nobody ended it: an end is a fact, never compared with a clock."""
    return (Membership.since <= now) & Membership.until.is_(None)


def _current(session: Session, group: Group, person: Person, now: int) -> Membership | None:
    return session.scalars(
        select(Membership).where(Membership.group_id == group.id, Membership.person_id == person.id, _lasts(now))
    ).one_or_none()
