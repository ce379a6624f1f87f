"""Accounts: whom a coordinator's link may be for, who needs a second step, and what an owner is told.

An account is its owner's alone from the first sign-in on. Whoever has a link can take an account over; so a coordinator
gets one only for an account that a coordinator of the same group made, that nobody has used, and through which nothing
is reached but that group.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import ColumnElement, delete, exists, func, or_, select, update
from sqlalchemy.orm import Session

from pipeline.tapes.db.records import (
    ConsentPerson,
    Invitation,
    Membership,
    Notice,
    NoticeKind,
    Passkey,
    Person,
    SecondStepLift,
    Tape,
    WebSession,
)


def with_second_step() -> ColumnElement[bool]:
    """That the `Person` of a query has set up a second step, whichever it is."""
    return or_(Person.totp_secret.is_not(None), exists().where(Passkey.person_id == Person.id))


def has_second_step(session: Session, person_id: str) -> bool:
    """Whether somebody has set up a second step."""
    return session.scalar(select(Person.id).where(Person.id == person_id, with_second_step())) is not None


def used() -> ColumnElement[bool]:
    """That somebody has used the account of a query's `Person`: signed in, chosen a password, set up a second step."""
    return or_(
        Person.first_signed_in_at.is_not(None), func.coalesce(Person.password_hash, "") != "", with_second_step()
    )


def is_used(session: Session, person: Person) -> bool:
    """Whether somebody has used the account."""
    return session.scalar(select(Person.id).where(Person.id == person.id, used())) is not None


def in_reach(session: Session, person: Person, group_id: str) -> bool:
    """Whether a coordinator of this group may have a link to somebody's account.

    Only if a coordinator of the group made the account, nobody has used it, and it opens nothing else: its owner
    administers nothing, interviewed nobody, is named in no consent, and never belonged to another group nor was
    anything but a member in this one.
    """
    is_open = person.disabled_at is None and not is_used(session, person)
    if person.is_admin or not is_open or person.made_in_group_id != group_id:
        return False
    elsewhere = select(Membership.id).where(
        Membership.person_id == person.id, or_(Membership.group_id != group_id, Membership.role != "member")
    )
    interviewed = select(Tape.id).where(Tape.interviewer_id == person.id)
    named = select(ConsentPerson.consent_id).where(ConsentPerson.person_id == person.id)
    return all(session.scalar(reached.limit(1)) is None for reached in (elsewhere, interviewed, named))


def coaches(now: int) -> ColumnElement[bool]:
    """That the `Person` of a query coaches some group now."""
    return exists().where(
        Membership.person_id == Person.id,
        Membership.role == "coach",
        Membership.since <= now,
        or_(Membership.until.is_(None), Membership.until > now),
    )


def needs_second_step(session: Session, person_id: str, now: int) -> bool:
    """Whether somebody may sign in with a second step only: administrators and coaches."""
    required = or_(Person.is_admin, coaches(now))
    return session.scalar(select(Person.id).where(Person.id == person_id, required)) is not None


def signed_in(session: Session, person: Person, now: int) -> None:
    """Note a sign-in: after the first one no link to come in works any more."""
    if person.first_signed_in_at is None:
        person.first_signed_in_at = now
        void_links(session, person.id, now)


def has_link(session: Session, person_id: str, now: int) -> bool:
    """Whether a link to somebody's account still works."""
    standing = select(Invitation.token_hash).where(
        Invitation.person_id == person_id, Invitation.used_at.is_(None), Invitation.expires_at > now
    )
    return session.scalar(standing.limit(1)) is not None


def void_links(session: Session, person_id: str, now: int) -> None:
    """Let no open link to somebody's account work any more."""
    session.execute(
        update(Invitation).where(Invitation.person_id == person_id, Invitation.used_at.is_(None)).values(used_at=now)
    )


def close_links(session: Session, now: int) -> None:
    """Let links whose time is over be used up: a clock that is set back opens none of them again."""
    over = update(Invitation).where(Invitation.expires_at <= now, Invitation.used_at.is_(None))
    session.execute(over.values(used_at=now))


def end_sessions(session: Session, person_id: str) -> None:
    """Sign somebody out everywhere."""
    session.execute(delete(WebSession).where(WebSession.person_id == person_id))


def tell(session: Session, person_id: str, kind: NoticeKind, now: int, by: str | None = None) -> None:
    """Leave word for somebody of what happened to the account; shown from the next sign-in on until it was read."""
    session.add(Notice(person_id=person_id, at=now, kind=kind, by_person_id=by))


def has_news() -> ColumnElement[bool]:
    """That the `Person` of a query was told something and has not read it."""
    return exists().where(Notice.person_id == Person.id, Notice.seen_at.is_(None))


def notices(session: Session, person_id: str, most: int = 20) -> Sequence[tuple[Notice, str]]:
    """Return the notices to a person, the latest first, each with the name of who acted; "" where a command did."""
    chosen = (
        select(Notice, Person.name)
        .outerjoin(Person, Person.id == Notice.by_person_id)
        .where(Notice.person_id == person_id)
        .order_by(Notice.at.desc(), Notice.id)
    )
    return [(notice, name or "") for notice, name in session.execute(chosen.limit(most))]


def open_lift(session: Session, person_id: str) -> SecondStepLift | None:
    """The lifting of somebody's second step that was asked for and is neither done nor stopped."""
    return open_lifts(session, [person_id]).get(person_id)


def open_lifts(session: Session, person_ids: Sequence[str]) -> dict[str, SecondStepLift]:
    """Person -> the lifting that is open, the one asked for last; of many people at once."""
    chosen = select(SecondStepLift).where(SecondStepLift.person_id.in_(person_ids), SecondStepLift.ended_at.is_(None))
    return {lift.person_id: lift for lift in session.scalars(chosen.order_by(SecondStepLift.asked_at))}
