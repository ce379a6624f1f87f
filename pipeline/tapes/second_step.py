"""The second step: an authenticator, whose codes each work once, or passkeys; who lost them gets in by two ways.

Nobody takes somebody's second step away alone: a recovery code does, which only its owner has, or two administrators
do together, a day after the second one confirmed it. The owner is told of each, can stop it, and stops it by signing in
with a code. That a lift is due is seen when its owner signs in next.
"""

from __future__ import annotations

import base64
import hashlib
import secrets

from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

from pipeline.errors import TapesError
from pipeline.tapes import accounts, audit_log
from pipeline.tapes.clock import DAY
from pipeline.tapes.db.records import Passkey, Person, RecoveryCode, SecondStepLift, TotpUse, WebSession

DELAY = DAY
"""How long after its confirmation a second step is lifted, in ms."""

CODES = 10
"""How many recovery codes somebody has at a time."""

_CODE_BYTES = 15
"""Random bytes of a recovery code: nobody who has a hash of 120 bits finds what it is of."""


def spend(session: Session, person_id: str, secret: str, step: int) -> bool:
    """Use the code of a step; False where it, or a later one of the same secret, was used already."""
    known = session.get(TotpUse, _hash(secret))
    if known is None:
        session.add(TotpUse(secret_hash=_hash(secret), person_id=person_id, step=step))
        return True
    if known.step >= step:
        return False
    known.step = step
    return True


def enroll(session: Session, person: Person, sealed: str, secret: str, now: int) -> None:
    """Take a new authenticator; what was used of earlier ones is forgotten."""
    person.totp_secret = sealed
    session.execute(delete(TotpUse).where(TotpUse.person_id == person.id, TotpUse.secret_hash != _hash(secret)))
    audit_log.record(session, now, person.id, "login.enroll")


def remove(session: Session, person: Person) -> None:
    """Take the second step away, passkeys included, and what it had let pass."""
    person.totp_secret = None
    session.execute(delete(Passkey).where(Passkey.person_id == person.id))
    session.execute(update(WebSession).where(WebSession.person_id == person.id).values(second_factor=False))


def recovery_codes(session: Session, person_id: str, now: int) -> tuple[str, ...]:
    """Make new recovery codes, to be shown this once; earlier ones stop working."""
    session.execute(delete(RecoveryCode).where(RecoveryCode.person_id == person_id))
    fresh = [base64.b32encode(secrets.token_bytes(_CODE_BYTES)).decode().lower() for _ in range(CODES)]
    session.add_all(RecoveryCode(code_hash=_hash(code), person_id=person_id, made_at=now) for code in fresh)
    audit_log.record(session, now, person_id, "login.recovery-codes")
    return tuple("-".join(code[start : start + 4] for start in range(0, len(code), 4)) for code in fresh)


def codes_left(session: Session, person_id: str) -> int:
    """How many recovery codes somebody still has."""
    mine = select(func.count()).where(RecoveryCode.person_id == person_id, RecoveryCode.used_at.is_(None))
    return session.scalar(mine) or 0


def recover(session: Session, person: Person, code: str, now: int) -> bool:
    """Lift the second step by a recovery code, once; False where the code is not right."""
    plain = "".join(code.split()).replace("-", "").lower()
    known = session.get(RecoveryCode, _hash(plain))
    if known is None or known.person_id != person.id or known.used_at is not None:
        return False
    known.used_at = now
    _lift(session, person, now)
    accounts.tell(session, person.id, "recovery-used", now, person.id)
    audit_log.record(session, now, person.id, "login.recover")
    return True


def ask_to_lift(session: Session, person: Person, now: int, by: str | None) -> SecondStepLift:
    """Ask for somebody's second step to be lifted, or confirm what another administrator asked for.

    Parameters
    ----------
    by: the administrator; None is the operator of the machine by a command, who needs no second one, but waits too.

    Raises
    ------
    TapesError: K09 the person has no second step; who asked confirms; or it is the own one.
    """
    if not accounts.has_second_step(session, person.id):
        raise TapesError("K09", f"person {person.id}", "has no second step", "give a new link, if the password is lost")
    if by == person.id:
        remedy = "use a recovery code, or ask two other administrators"
        raise TapesError("K09", f"person {person.id}", "cannot remove their own second step", remedy)
    lift = accounts.open_lift(session, person.id)
    if lift is None:
        lift = SecondStepLift(person_id=person.id, asked_by_id=by, asked_at=now)
        session.add(lift)
        accounts.tell(session, person.id, "lift-asked", now, by)
        audit_log.record(session, now, by, "login.lift.ask", thing=person.id)
        if by is not None:
            return lift
    elif lift.confirmed_at is not None:
        return lift
    elif by is not None and lift.asked_by_id == by:
        remedy = "another administrator must confirm it"
        raise TapesError("K09", f"person {person.id}", "needs a second confirmation, after yours", remedy)
    lift.confirmed_by_id, lift.confirmed_at = by, now
    accounts.tell(session, person.id, "lift-confirmed", now, by)
    audit_log.record(session, now, by, "login.lift.confirm", thing=person.id)
    return lift


def stop_lifting(session: Session, person_id: str, now: int, by: str) -> bool:
    """Stop the lifting of somebody's second step; whether there was one."""
    lift = accounts.open_lift(session, person_id)
    if lift is None:
        return False
    lift.ended_at = now
    accounts.tell(session, person_id, "lift-stopped", now, by)
    audit_log.record(session, now, by, "login.lift.stop", thing=person_id)
    return True


def due(lift: SecondStepLift | None) -> int | None:
    """From when on a second step is lifted; None where nobody has confirmed it."""
    return None if lift is None or lift.confirmed_at is None else lift.confirmed_at + DELAY


def lift_what_is_due(session: Session, person: Person, now: int) -> bool:
    """Lift somebody's second step if that is due; all sessions end with it."""
    lift = accounts.open_lift(session, person.id)
    moment = due(lift)
    if lift is None or moment is None or moment > now:
        return False
    _lift(session, person, now)
    accounts.tell(session, person.id, "lifted", now, lift.confirmed_by_id)
    audit_log.record(session, now, None, "login.lift", thing=person.id)
    return True


def _lift(session: Session, person: Person, now: int) -> None:
    """Take the second step away and sign its owner out; a lift that was asked for has come to its end."""
    if lift := accounts.open_lift(session, person.id):
        lift.ended_at = now
    remove(session, person)
    accounts.end_sessions(session, person.id)


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
