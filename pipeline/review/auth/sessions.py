"""Sessions: kept by the server, known by the hash of a random token, ended by idleness, by age, or by signing out.

A session remembers whether a second step was passed in it. Whether one is needed is asked at each request: who was made
a coach a moment ago is asked for it now.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress

from sqlalchemy import delete, select

from pipeline.errors import TapesError
from pipeline.review.auth.credentials import token, token_hash
from pipeline.review.auth.current_user import Viewer
from pipeline.settings import ReviewSettings
from pipeline.tapes import accounts, audit_log
from pipeline.tapes.clock import HOUR, MINUTE
from pipeline.tapes.db.records import Person, WebSession
from pipeline.tapes.home import Home

_NOTED = MINUTE // 2
"""How long after the last note of being seen the next one is written."""

_BROWSERS = (("Edg", "Edge"), ("OPR", "Opera"), ("Firefox", "Firefox"), ("Chrome", "Chrome"), ("Safari", "Safari"))
_SYSTEMS = (
    *(("Android", "Android"), ("iPhone", "iPhone"), ("iPad", "iPad"), ("Windows", "Windows"), ("Mac OS", "Mac")),
    *(("CrOS", "ChromeOS"), ("Linux", "Linux")),
)


class Sessions:
    """Starts, finds and ends sessions."""

    def __init__(self, home: Home, settings: ReviewSettings) -> None:
        self._home = home
        self._idle, self._absolute = settings.idle_minutes * MINUTE, settings.absolute_hours * HOUR

    def start(
        self,
        person_id: str,
        now: int,
        second_factor: bool,
        before: str | None = None,
        source: str = "",
        device: str = "",
    ) -> str:
        """A new session's token; the session that the browser had before ends.

        Parameters
        ----------
        second_factor: whether a second step was passed; who needs one and has not opens only the pages that ask for it.
        source, device: from which address and with what, as the owner is shown.
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
                    source=source,
                    device=device,
                )
            )
        return fresh

    def find(self, token: str, now: int, attended: bool = True) -> Viewer | None:
        """The viewer behind a live session; None where it is unknown, idle for too long, or too old.

        Parameters
        ----------
        attended: whether a person asks; what a page asks by itself does not keep anybody signed in.
        """
        query = (
            select(WebSession, Person, accounts.coaches(now), accounts.has_news(), accounts.with_second_step())
            .join(Person, Person.id == WebSession.person_id)
            .where(WebSession.token_hash == token_hash(token), Person.disabled_at.is_(None))
        )
        with self._home.database.reading() as database:
            row = database.execute(query).first()
        if row is None:
            return None
        session, person, is_coach, has_news, enrolled = row
        # One that was seen long after now was seen before the clock was set back: nobody knows for how long it is idle.
        if abs(now - session.seen_at) >= self._idle or now - session.created_at >= self._absolute:
            self._forget(session.token_hash)
            return None
        if attended and now - session.seen_at >= _NOTED:
            with suppress(TapesError):  # who cannot be noted as seen is idle the earlier, and may still withdraw a tape
                self._note(session.token_hash, now)
        required = person.is_admin or is_coach
        missing = "code" if enrolled else "enroll" if required else ""
        return Viewer(
            person_id=person.id,
            name=person.name,
            email=person.email,
            is_admin=person.is_admin,
            csrf=session.csrf,
            step="" if session.second_factor else missing,
            must_have_code=required,
            session_id=session.id,
            second_factor=session.second_factor,
            has_news=has_news,
        )

    def of(self, person_id: str, now: int) -> Sequence[WebSession]:
        """The live sessions of a person, the one used last first."""
        mine = select(WebSession).where(
            WebSession.person_id == person_id,
            WebSession.created_at > now - self._absolute,
            WebSession.seen_at > now - self._idle,
        )
        with self._home.database.reading() as database:
            return database.scalars(mine.order_by(WebSession.seen_at.desc(), WebSession.id)).all()

    def end(self, token: str, now: int) -> None:
        """Sign out."""
        with self._home.database.writing() as database:
            session = database.get(WebSession, token_hash(token))
            if session:
                audit_log.record(database, now, session.person_id, "logout")
                database.delete(session)

    def end_one(self, person_id: str, session_id: str, now: int) -> bool:
        """End one of a person's sessions; False where the person has none of this id."""
        mine = select(WebSession).where(WebSession.id == session_id, WebSession.person_id == person_id)
        with self._home.database.writing() as database:
            session = database.scalar(mine)
            if session is None:
                return False
            audit_log.record(database, now, person_id, "logout.session", thing=session_id)
            database.delete(session)
        return True

    def end_all(self, person_id: str) -> None:
        """Sign a person out everywhere."""
        with self._home.database.writing() as database:
            accounts.end_sessions(database, person_id)

    def _forget(self, hashed: str) -> None:
        """End a session whose time is over, for good: no clock that is set back brings it to life again."""
        with self._home.database.writing() as database:
            database.execute(delete(WebSession).where(WebSession.token_hash == hashed))

    def _note(self, hashed: str, now: int) -> None:
        with self._home.database.writing() as database:
            session = database.get(WebSession, hashed)
            if session:
                session.seen_at = now


def device(agent: str) -> str:
    """Return the browser and system that somebody signed in with, in words: "Firefox on Linux"; "" where the browser
    does not say."""
    browser = next((name for mark, name in _BROWSERS if mark in agent), "")
    system = next((name for mark, name in _SYSTEMS if mark in agent), "")
    return " on ".join(part for part in (browser, system) if part)
