"""Who takes turns in a group, what they did before, and whose tape comes next."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from pipeline.review.meetings.rotation import turn
from pipeline.tapes import people
from pipeline.tapes.db.records import Group, Meeting, MeetingRole, TapeTurn
from pipeline.tapes.people import Member


def in_rotation(database: Session, group: Group, now: int) -> list[Member]:
    """Who takes turns, in the order in which they came: members, and whoever else wishes to."""
    return [member for member in everyone(database, group, now) if member.takes_turns]


def everyone(database: Session, group: Group, now: int) -> list[Member]:
    """Who is in the group, in the order in which they came."""
    return sorted(people.members(database, group, now), key=lambda member: (member.since, member.person.name))


def eligible(database: Session, group: Group, now: int) -> list[Member]:
    """Who may be given a role by hand: all but coaches who do not take turns."""
    return [member for member in everyone(database, group, now) if member.takes_turns or member.role != "coach"]


def roles_before(database: Session, group: Group) -> list[tuple[str, str]]:
    """(role, person's id) at the group's meetings, the oldest first."""
    rows = database.execute(
        select(MeetingRole.role, MeetingRole.person_id)
        .join(Meeting, Meeting.id == MeetingRole.meeting_id)
        .where(Meeting.group_id == group.id)
        .order_by(Meeting.at)
    )
    return [(role, person_id) for role, person_id in rows]


def next_tapes(database: Session, group: Group, now: int) -> list[tuple[str, str]]:
    """(id, name) of whoever takes turns, in the order in which their tape comes."""
    turns = select(TapeTurn.person_id).where(TapeTurn.group_id == group.id).order_by(TapeTurn.at)
    brought = database.scalars(turns).all()
    names = {member.person.id: member.person.name for member in in_rotation(database, group, now)}
    return [(person_id, names[person_id]) for person_id in turn(list(names), brought)]
