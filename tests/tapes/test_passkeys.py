"""Passkeys in the records: a challenge works once and soon, and a passkey is a second step."""

from __future__ import annotations

import pytest
from sqlalchemy.orm import Session

from pipeline.errors import TapesError
from pipeline.tapes import accounts, passkeys, people, second_step
from pipeline.tapes.db.records import Passkey, Person, WebSession
from pipeline.tapes.home import Home
from tests.tapes.conftest import NOON


def person_with_passkey(session: Session) -> tuple[Person, Passkey]:
    person = people.add(session, "Ida", "ida@example.org", NOON)
    session.flush()
    passkey = Passkey(
        person_id=person.id,
        credential_id="x",
        public_key="y",
        sign_count=0,
        rp_id="localhost",
        name="My phone",
        made_at=NOON,
    )
    passkeys.add(session, passkey)
    session.flush()
    return person, passkey


def test_a_challenge_works_once_and_soon(home: Home) -> None:
    with home.database.writing() as session:
        person, _ = person_with_passkey(session)
        web_session = WebSession(token_hash="h", person_id=person.id, created_at=NOON, seen_at=NOON, csrf="c")  # noqa: S106
        session.add(web_session)
        session.flush()
        assert passkeys.take_challenge(session, web_session.id, NOON) == ""
        passkeys.challenge(session, web_session.id, "earlier", NOON)
        passkeys.challenge(session, web_session.id, "later", NOON)
        assert passkeys.take_challenge(session, "0" * 16, NOON) == ""
        assert passkeys.take_challenge(session, web_session.id, NOON + passkeys.CHALLENGE_LASTS - 1) == "later"
        assert passkeys.take_challenge(session, web_session.id, NOON) == ""
        passkeys.challenge(session, web_session.id, "late", NOON)
        assert passkeys.take_challenge(session, web_session.id, NOON + passkeys.CHALLENGE_LASTS) == ""


def test_a_passkey_is_a_second_step_until_it_is_removed(home: Home) -> None:
    with home.database.writing() as session:
        person, passkey = person_with_passkey(session)
        other = people.add(session, "Eve", "eve@example.org", NOON)
        session.flush()
        assert accounts.has_second_step(session, person.id)
        assert accounts.is_used(session, person)
        assert not accounts.has_second_step(session, other.id)
        assert passkeys.is_last_step(session, person, passkey)
        assert passkeys.with_credential(session, other.id, "x") is None
        assert second_step.ask_to_lift(session, person, NOON, other.id).person_id == person.id
        passkeys.remove(session, passkey, NOON)
        session.flush()
        assert not accounts.has_second_step(session, person.id)
        with pytest.raises(TapesError, match="TR-K09"):
            second_step.ask_to_lift(session, person, NOON, None)
