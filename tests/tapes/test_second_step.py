"""The second step: each code once, a recovery code once, and two administrators a day apart; its owner is told."""

from __future__ import annotations

import pytest
from sqlalchemy.orm import Session

from pipeline.errors import TapesError
from pipeline.tapes import accounts, people, second_step
from pipeline.tapes.db.records import Person, WebSession
from pipeline.tapes.home import Home
from tests.tapes.conftest import NOON

SECRET = "JBSWY3DPEHPK3PXP"  # noqa: S105 - of nobody


def enrolled(session: Session, name: str = "Ida") -> Person:
    person = people.add(session, name, f"{name.lower()}@example.org", NOON, is_admin=True)
    session.flush()
    second_step.enroll(session, person, "sealed", SECRET, NOON)
    session.flush()
    return person


def test_a_code_works_once_and_an_older_one_not_at_all(home: Home) -> None:
    with home.database.writing() as session:
        person = enrolled(session)
        assert [second_step.spend(session, person.id, SECRET, step) for step in (5, 5, 4, 6)] == [
            True,
            False,
            False,
            True,
        ]


def test_a_new_authenticator_forgets_what_was_used_of_the_old(home: Home) -> None:
    with home.database.writing() as session:
        person = enrolled(session)
        second_step.spend(session, person.id, SECRET, 5)
        session.flush()
        second_step.enroll(session, person, "other", SECRET[::-1], NOON)
        assert second_step.spend(session, person.id, SECRET, 5)


def test_a_recovery_code_works_once_however_it_is_typed_and_for_its_owner_alone(home: Home) -> None:
    with home.database.writing() as session:
        person, other = enrolled(session), enrolled(session, "Eve")
        codes = second_step.recovery_codes(session, person.id, NOON)
        session.flush()
        assert second_step.codes_left(session, person.id) == len(set(codes)) == second_step.CODES
        session.add(WebSession(token_hash="x", person_id=person.id, created_at=NOON, seen_at=NOON, csrf="y"))  # noqa: S106
        session.flush()
        assert not second_step.recover(session, other, codes[0], NOON)
        typed = f" {codes[0].upper().replace('-', ' ')} "
        assert second_step.recover(session, person, typed, NOON)
        assert person.totp_secret is None
        assert session.query(WebSession).count() == 0
        assert not second_step.recover(session, person, codes[0], NOON)
        session.flush()
        assert second_step.codes_left(session, person.id) == second_step.CODES - 1
        second_step.recovery_codes(session, person.id, NOON)
        session.flush()
        assert not second_step.recover(session, person, codes[1], NOON)


def test_two_administrators_lift_it_together_and_a_day_later(home: Home) -> None:
    with home.database.writing() as session:
        person, ada, ben = (enrolled(session, name) for name in ("Ida", "Ada", "Ben"))
        lift = second_step.ask_to_lift(session, person, NOON, ada.id)
        assert second_step.due(lift) is None
        with pytest.raises(TapesError, match=r"TR-K09 .*second confirmation"):
            second_step.ask_to_lift(session, person, NOON, ada.id)
        session.flush()
        assert (
            second_step.due(second_step.ask_to_lift(session, person, NOON + 5, ben.id)) == NOON + 5 + second_step.DELAY
        )
        session.flush()
        assert not second_step.lift_what_is_due(session, person, NOON + 4 + second_step.DELAY)
        assert second_step.lift_what_is_due(session, person, NOON + 5 + second_step.DELAY)
        assert person.totp_secret is None
        session.flush()
        kinds = [notice.kind for notice, _ in accounts.notices(session, person.id)]
        assert kinds == ["lifted", "lift-confirmed", "lift-asked"]


def test_its_owner_stops_it_and_nobody_lifts_their_own(home: Home) -> None:
    with home.database.writing() as session:
        person = enrolled(session)
        with pytest.raises(TapesError, match=r"TR-K09 .*their own second step"):
            second_step.ask_to_lift(session, person, NOON, person.id)
        assert not second_step.stop_lifting(session, person.id, NOON, person.id)
        assert second_step.due(second_step.ask_to_lift(session, person, NOON, None)) == NOON + second_step.DELAY
        session.flush()
        assert second_step.stop_lifting(session, person.id, NOON, person.id)
        session.flush()
        assert not second_step.lift_what_is_due(session, person, NOON + 2 * second_step.DELAY)
        assert person.totp_secret == "sealed"  # noqa: S105


def test_without_a_second_step_there_is_none_to_lift(home: Home) -> None:
    with home.database.writing() as session:
        person = people.add(session, "Ida", "ida@example.org", NOON)
        session.flush()
        with pytest.raises(TapesError, match=r"TR-K09 .*has no second step"):
            second_step.ask_to_lift(session, person, NOON, None)
