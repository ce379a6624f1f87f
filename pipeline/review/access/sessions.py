"""Sessions: kept by the server, known by the hash of a random token, ended by idleness, by age, or by signing out."""

from __future__ import annotations

from sqlalchemy import delete, exists, select

from pipeline.review.access.secrecy import token, token_hash
from pipeline.review.access.viewer import Viewer
from pipeline.settings import ReviewSettings
from pipeline.tapes import audit
from pipeline.tapes.clock import HOUR, MINUTE
from pipeline.tapes.home import Home
from pipeline.tapes.records import Membership, Person, WebSession

_NOTED = MINUTE // 2
"""How long after the last note of being seen the next one is written."""


class Sessions:
    """Starts, finds and ends sessions."""

    def __init__(self, home: Home, settings: ReviewSettings) -> None:
        self._home = home
        self._idle, self._absolute = settings.idle_minutes * MINUTE, settings.absolute_hours * HOUR

    def start(self, person_id: str, now: int, second_factor: bool, before: str | None = None) -> str:
        """A new session's token; the session that the browser had before ends.

        Parameters
        ----------
        second_factor: whether nothing more is asked; without it only the pages of the second step open.
        """
        fresh = token()
        with self._home.database.writing() as database:
            database.execute(delete(WebSession).where(WebSession.created_at <= now - self._absolute))
            database.execute(delete(WebSession).where(WebSession.seen_at <= now - self._idle))
            if before:
                database.execute(delete(WebSession).where(WebSession.token_hash == token_hash(before)))
            database.add(
                WebSession(
                    token_hash=token_hash(fresh),
                    person_id=person_id,
                    created_at=now,
                    seen_at=now,
                    csrf=token(),
                    second_factor=second_factor,
                )
            )
        return fresh

    def find(self, token: str, now: int, attended: bool = True) -> Viewer | None:
        """The viewer behind a live session; None where it is unknown, idle for too long, or too old.

        Parameters
        ----------
        attended: whether a person asks; what a page asks by itself does not keep anybody signed in.
        """
        coaches = exists().where(
            Membership.person_id == Person.id, Membership.role == "coach", Membership.until.is_(None)
        )
        query = (
            select(WebSession, Person, coaches)
            .join(Person, Person.id == WebSession.person_id)
            .where(WebSession.token_hash == token_hash(token), Person.disabled_at.is_(None))
        )
        with self._home.database.reading() as database:
            row = database.execute(query).first()
        if row is None:
            return None
        session, person, is_coach = row
        if now - session.seen_at >= self._idle or now - session.created_at >= self._absolute:
            return None
        if attended and now - session.seen_at >= _NOTED:
            self._note(session.token_hash, now)
        enrolled = person.totp_secret is not None
        return Viewer(
            person_id=person.id,
            name=person.name,
            email=person.email,
            is_admin=person.is_admin,
            csrf=session.csrf,
            step="" if session.second_factor else "code" if enrolled else "enroll",
            must_have_code=person.is_admin or is_coach,
        )

    def end(self, token: str, now: int) -> None:
        """Sign out."""
        with self._home.database.writing() as database:
            session = database.get(WebSession, token_hash(token))
            if session:
                audit.record(database, now, session.person_id, "logout")
                database.delete(session)

    def end_all(self, person_id: str) -> None:
        """Sign a person out everywhere."""
        with self._home.database.writing() as database:
            database.execute(delete(WebSession).where(WebSession.person_id == person_id))

    def _note(self, hashed: str, now: int) -> None:
        with self._home.database.writing() as database:
            session = database.get(WebSession, hashed)
            if session:
                session.seen_at = now
