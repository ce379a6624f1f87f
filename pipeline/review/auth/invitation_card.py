"""An invitation as a card: the link to copy, a mail that is prepared but not sent, and a picture to scan.

A link to this computer's own address works nowhere else: the card then says what the host does first.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from urllib.parse import quote

from sqlalchemy import select
from sqlalchemy.orm import Session

from pipeline.errors import ReviewError
from pipeline.review.auth.invitations import LASTS, invite
from pipeline.review.context import Context
from pipeline.review.mail.letters import Letter
from pipeline.review.network import reach
from pipeline.tapes import accounts, audit_log, people
from pipeline.tapes.clock import readable
from pipeline.tapes.db.records import Group, Person
from pipeline.tapes.db.records.people import InvitationKind


@dataclass(frozen=True)
class Card:
    """A link for somebody, and how it gets to them.

    ``mail`` is the address of a prepared mail and ``picture`` a QR code; both are empty where the link ``works_here``
    only. ``until`` is its last moment. ``replaces`` says that an earlier link for the same person ended with it.
    ``sent`` says that the room mailed the link, and ``failure`` why it could not.
    """

    person_id: str
    name: str
    email: str
    kind: InvitationKind
    link: str
    until: int
    works_here: bool
    replaces: bool
    sent: bool = False
    failure: str = ""
    mail: str = ""
    picture: str = ""


def new_card(room: Context, database: Session, person: Person, by: str, group_id: str | None = None) -> Card:
    """Make a link for somebody, to come in or to choose a new password, and the card of it.

    Parameters
    ----------
    by: who makes it. group_id: the group that a coordinator makes it for, as in `invite`.
    """
    now = room.clock()
    kind: InvitationKind = "reset" if accounts.is_used(database, person) else "join"
    replaces = accounts.has_link(database, person.id, now)
    audit_log.record(database, now, by, "link.make", thing=person.id)
    return _card(room, person, kind, invite(database, now, kind, person.id, by, group_id), replaces)


def invite_member(room: Context, database: Session, group: Group, name: str, email: str, by: str) -> Card | None:
    """Take somebody into a coordinator's group; the card of a link, where the coordinator may have one.

    `accounts.in_reach` says for whom. Who was invited into this group before, and has not come in yet, gets a new link
    and the name that is given now.
    """
    now = room.clock()
    person = database.scalar(select(Person).where(Person.email == people.address(email)))
    if person is None:
        person = people.add(database, name, email, now, actor_id=by)
        person.made_in_group_id = group.id
        database.flush()
    within = accounts.in_reach(database, person, group.id)
    if not within or all(member.person.id != person.id for member in people.members(database, group, now)):
        people.join(database, group, person, "member", now, by)
    if not within:
        return None
    people.rename(database, person, name, now, by)
    return new_card(room, database, person, by, group.id)


def _card(room: Context, person: Person, kind: InvitationKind, path: str, replaces: bool) -> Card:
    until = room.clock() + LASTS[kind]
    address = room.reach.address
    link = f"{address or room.address}{path}"
    if not address:
        return Card(person.id, person.name, person.email, kind, link, until, True, replaces)
    subject, body = letter(room, person.name, kind, link, until)
    mail = f"mailto:{quote(person.email, safe='@')}?subject={quote(subject)}&body={quote(body)}"
    plain = Card(person.id, person.name, person.email, kind, link, until, False, replaces)
    return replace(plain, mail=mail, picture=reach.qr_picture(link))


def mailed(room: Context, card: Card) -> Card:
    """Send the link to its person, where the host has set up mails; what fails is said on the card, which stays."""
    if room.mailer is None or card.works_here:
        return card
    subject, body = letter(room, card.name, card.kind, card.link, card.until)
    try:
        room.mailer.send(card.name, card.email, Letter(subject, body.replace("\r\n", "\n")))
    except ReviewError as error:
        return replace(card, failure=error.value)
    return replace(card, sent=True)


def letter(room: Context, name: str, kind: InvitationKind, link: str, until: int) -> tuple[str, str]:
    """Subject and text of the mail that brings a link. It names nobody but who gets it, and nothing of any tape."""
    subject = "Your new password for Tape Review" if kind == "reset" else "Your invitation to Tape Review"
    purpose = "choose a new password" if kind == "reset" else "choose a password and join your group"
    lines = [f"Hello {name},", ""]
    if room.reach.certificate_page:
        lines += [
            "The room runs on a computer in your group. On your first visit, while you are on the same network,",
            "install its certificate on your device. The page explains how:",
            room.reach.certificate_page,
            "Your browser warns you once. Compare the certificate's fingerprint:",
            room.reach.fingerprint,
            "",
        ]
    lines += [f"Open this link to {purpose}:", link, "", f"It works once, until {readable(until)} UTC."]
    return subject, "\r\n".join(lines) + "\r\n"
