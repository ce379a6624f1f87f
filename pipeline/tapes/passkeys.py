"""Passkeys of an account, and the challenges that they sign: each in the session that asked for it, once, and soon."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from pipeline.tapes import audit_log
from pipeline.tapes.clock import MINUTE
from pipeline.tapes.db.records import Passkey, Person, WebSession

CHALLENGE_LASTS = 5 * MINUTE
"""For how long a challenge may be signed, in ms: what WebAuthn recommends where a user is verified."""

MOST = 20
"""Passkeys of one account: more than anybody has devices; chosen here."""


def of(session: Session, person_id: str) -> Sequence[Passkey]:
    """Return somebody's passkeys, the oldest first."""
    mine = select(Passkey).where(Passkey.person_id == person_id)
    return session.scalars(mine.order_by(Passkey.made_at, Passkey.id)).all()


def with_credential(session: Session, person_id: str, credential_id: str) -> Passkey | None:
    """Return somebody's passkey with this credential; None where it was removed, or is somebody else's."""
    mine = select(Passkey).where(Passkey.person_id == person_id, Passkey.credential_id == credential_id)
    return session.scalar(mine)


def is_known(session: Session, credential_id: str) -> bool:
    """Whether anybody has a passkey with this credential."""
    return session.scalar(select(Passkey.id).where(Passkey.credential_id == credential_id)) is not None


def challenge(session: Session, session_id: str, text: str, now: int) -> None:
    """Have a web session's next answer sign this text; an earlier challenge ends."""
    web_session = session.scalars(select(WebSession).where(WebSession.id == session_id)).one()
    web_session.challenge, web_session.challenge_at = text, now


def take_challenge(session: Session, session_id: str, now: int) -> str:
    """Use up a web session's challenge; "" where there is none, or its time is over."""
    web_session = session.scalar(select(WebSession).where(WebSession.id == session_id))
    if web_session is None:
        return ""
    text, made_at = web_session.challenge, web_session.challenge_at
    web_session.challenge, web_session.challenge_at = "", None
    is_live = made_at is not None and abs(now - made_at) < CHALLENGE_LASTS
    return text if is_live else ""


def add(session: Session, passkey: Passkey) -> None:
    """Keep a new passkey."""
    session.add(passkey)
    audit_log.record(session, passkey.made_at, passkey.person_id, "login.passkey.add")


def note_use(passkey: Passkey, sign_count: int, now: int) -> None:
    """Note that a passkey has signed, and how often it says that it has."""
    passkey.sign_count, passkey.used_at = sign_count, now


def is_last_step(session: Session, person: Person, passkey: Passkey) -> bool:
    """Whether an account has no second step but this passkey."""
    return not person.totp_secret and all(other.id == passkey.id for other in of(session, person.id))


def remove(session: Session, passkey: Passkey, now: int) -> None:
    """Take one passkey away."""
    session.delete(passkey)
    audit_log.record(session, now, passkey.person_id, "login.passkey.remove")
