"""Mails that the room sends by itself: a tape waits for you, a tape ends in 3 days. Each goes out once, whichever of
several processes sends it.

What is due follows from the records each time. A mail that could not be sent is due again, so that none is lost; what
failed is kept for the host to see.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import Session

from pipeline.errors import ReviewError, TapeReviewError
from pipeline.review import authorization
from pipeline.review.context import Context
from pipeline.review.mail import letters
from pipeline.review.mail.mailer import Mailer
from pipeline.review.repeating import repeating
from pipeline.review.tapes.tape_steps import progress_of, steps
from pipeline.tapes.clock import DAY, HOUR, day_of
from pipeline.tapes.db.records import MailKind, Person, SentMail
from pipeline.tapes.retention import retention

EVERY = 300.0
"""Seconds between two looks at what is due."""

LAST_DAYS = 3
"""Days before its destruction at which members are told for the last time, as on pages (`retention.WARN_DAYS`)."""


@dataclass(frozen=True)
class DueMail:
    """A mail that somebody is to get."""

    key_hash: str
    person_id: str
    name: str
    email: str
    kind: MailKind
    last_day: date


def due(database: Session, now: int) -> list[DueMail]:
    """The mails to send now, those that failed a short while ago left out."""
    warnings = retention.warnings(database, now)
    ending = {warned.tape_id: warned.destroy_by for warned in warnings if warned.days == LAST_DAYS}
    mails = []
    for person in database.scalars(select(Person).where(Person.disabled_at.is_(None), Person.first_signed_in_at > 0)):
        ready = [tape for tape in authorization.listed(database, person, now) if tape.state == "ready"]
        progress = progress_of(database, person.id, ready)
        for tape in ready:
            if any(step.state == "now" for step in steps(person.id, tape, progress[tape.id])):
                mails.append(_due(person, tape.id, "waiting", now))
            if tape.id in ending:
                mails.append(_due(person, tape.id, "ending", ending[tape.id]))
    known = {row.key_hash: row for row in database.scalars(select(SentMail))}
    return [mail for mail in mails if _is_open(known.get(mail.key_hash), now)]


def send_due(room: Context, mailer: Mailer) -> int:
    """Send what is due, and note what came of each; how many went out."""
    now, address = room.clock(), room.reach.address
    if not address:
        return 0  # a link to this computer is of no use to anybody else
    with room.home.database.reading() as database:
        mails = due(database, now)
    sent = 0
    for mail in mails:
        if not _claim(room, mail, now):
            continue
        failure = ""
        try:
            mailer.send(mail.name, mail.email, letters.notice(mail.kind, mail.name, address, mail.last_day))
            sent += 1
        except ReviewError as error:
            failure = error.value
        with room.home.database.writing() as database:
            row = database.get(SentMail, mail.key_hash)
            if row is not None:  # its person may be gone since
                row.failure, row.sent_at = failure, None if failure else now
    return sent


def _claim(room: Context, mail: DueMail, now: int) -> bool:
    """Note a try, so that no other process sends this mail, too; False where another was faster.

    One that dies before the mail is out leaves it to be tried again after an hour, as after a failure.
    """
    with room.home.database.writing() as database:
        row = database.get(SentMail, mail.key_hash)
        if not _is_open(row, now) or database.get(Person, mail.person_id) is None:
            return False
        if row is None:
            row = SentMail(key_hash=mail.key_hash, person_id=mail.person_id, kind=mail.kind, at=now, tries=0)
            database.add(row)
        row.at, row.tries = now, row.tries + 1
        return True


def failures(database: Session) -> list[tuple[str, str, int]]:
    """Whose mail could not be sent, why, and when that was last tried; the latest first."""
    chosen = (
        select(Person.name, SentMail.failure, SentMail.at)
        .join(Person, Person.id == SentMail.person_id)
        .where(SentMail.sent_at.is_(None), SentMail.failure != "")
        .order_by(SentMail.at.desc())
    )
    return [(name, failure, at) for name, failure, at in database.execute(chosen.limit(20))]


@contextmanager
def sending(room: Context, every: float = EVERY) -> Iterator[None]:
    """Send what is due from time to time, while a room is open."""
    mailer = room.mailer
    if mailer is None:
        yield
        return

    def send() -> None:
        with suppress(TapeReviewError):  # the database is busy: the next look finds the same
            send_due(room, mailer)

    with repeating(send, every, "mail"):
        yield


def _due(person: Person, tape_id: str, kind: MailKind, moment: int) -> DueMail:
    """``moment``: of the tape's last day; the key tells the same mail again and names no tape."""
    key_hash = hashlib.sha256(f"mail {kind} {person.id} {tape_id}".encode()).hexdigest()
    return DueMail(key_hash, person.id, person.name, person.email, kind, day_of(moment))


def _is_open(row: SentMail | None, now: int) -> bool:
    """Whether a mail was not sent yet, and is not to wait after failures: an hour, then two, at most a day."""
    if row is None:
        return True
    return row.sent_at is None and row.at + min(HOUR * (1 << min(row.tries - 1, 5)), DAY) <= now
