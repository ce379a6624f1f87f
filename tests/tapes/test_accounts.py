"""Accounts: whom a coordinator's link reaches, who needs a second step, and what an owner is told."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from pipeline.tapes import accounts, people
from pipeline.tapes.db.records import Invitation, Notice, Person
from pipeline.tapes.home import Home
from tests.tapes.conftest import NOON
from tests.tapes.group import SampleGroup, make_consent, make_tape, sample_group

Change = Callable[[Session, SampleGroup, Person], object]


def fresh(session: Session, sample: SampleGroup) -> Person:
    """Somebody whom a coordinator of the group just invited."""
    person = people.add(session, "Ida", "ida@example.org", NOON)
    person.made_in_group_id = sample.group.id
    people.join(session, sample.group, person, "member", NOON)
    return person


CHANGES: dict[str, Change] = {
    "signed in": lambda session, sample, person: accounts.signed_in(session, person, NOON),
    "has a password": lambda session, sample, person: setattr(person, "password_hash", "x"),
    "has a second step": lambda session, sample, person: setattr(person, "totp_secret", "x"),
    "administers": lambda session, sample, person: setattr(person, "is_admin", True),
    "is disabled": lambda session, sample, person: setattr(person, "disabled_at", NOON),
    "made elsewhere": lambda session, sample, person: setattr(person, "made_in_group_id", sample.other_group.id),
    "belongs elsewhere": lambda session, sample, person: people.join(
        session, sample.other_group, person, "member", NOON
    ),
    "coordinates": lambda session, sample, person: people.change_role(
        session, sample.group, person, "coordinator", NOON + 1
    ),
    "interviewed": lambda session, sample, person: setattr(
        make_tape(session, sample, NOON), "interviewer_id", person.id
    ),
    "named in a consent": lambda session, sample, person: make_consent(
        session, make_tape(session, sample, NOON), NOON, "group_review", person_ids=[person.id]
    ),
}


@pytest.mark.parametrize("change", CHANGES)
def test_an_account_that_opens_more_or_is_used_is_out_of_a_coordinator_s_reach(home: Home, change: str) -> None:
    with home.database.writing() as session:
        sample = sample_group(session, NOON)
        person = fresh(session, sample)
        session.flush()
        assert accounts.in_reach(session, person, sample.group.id)
        CHANGES[change](session, sample, person)
        session.flush()
        assert not accounts.in_reach(session, person, sample.group.id)


def test_administrators_and_those_who_coach_now_need_a_second_step(home: Home) -> None:
    with home.database.writing() as session:
        sample = sample_group(session, NOON)
        people.leave(session, sample.group, sample.coach, NOON + 10)
        needs = {
            who.name: [accounts.needs_second_step(session, who.id, at) for at in (NOON - 1, NOON, NOON + 9, NOON + 10)]
            for who in (sample.member, sample.coach, sample.administrator)
        }
    assert needs == {"Ben": [False] * 4, "Kim": [False, True, True, False], "Ola": [True] * 4}


def test_after_the_first_sign_in_no_link_works_and_later_ones_change_nothing(home: Home) -> None:
    with home.database.writing() as session:
        person = people.add(session, "Ida", "ida@example.org", NOON)
        session.flush()
        link = Invitation(token_hash="x", kind="join", person_id=person.id, expires_at=NOON + 99)  # noqa: S106
        session.add(link)
        session.flush()
        accounts.signed_in(session, person, NOON + 5)
        session.refresh(link)
        assert (person.first_signed_in_at, link.used_at) == (NOON + 5, NOON + 5)
        accounts.signed_in(session, person, NOON + 9)
        assert person.first_signed_in_at == NOON + 5


def test_a_link_whose_time_is_over_stays_closed_whatever_the_clock_says(home: Home) -> None:
    with home.database.writing() as session:
        person = people.add(session, "Ida", "ida@example.org", NOON)
        session.flush()
        links = [
            Invitation(token_hash=name, kind="join", person_id=person.id, expires_at=NOON + after)
            for name, after in (("over", 5), ("open", 6))
        ]
        session.add_all(links)
        session.flush()
        accounts.close_links(session, NOON + 5)
        for link in links:
            session.refresh(link)
        assert [link.used_at for link in links] == [NOON + 5, None]


def test_notices_come_latest_first_with_who_acted_until_they_are_read(home: Home) -> None:
    with home.database.writing() as session:
        sample = sample_group(session, NOON)
        accounts.tell(session, sample.member.id, "lift-asked", NOON, sample.administrator.id)
        accounts.tell(session, sample.member.id, "lifted", NOON + 1)
        session.flush()
        shown = accounts.notices(session, sample.member.id)
        assert [(notice.kind, name) for notice, name in shown] == [("lifted", ""), ("lift-asked", "Ola")]
        assert len(accounts.notices(session, sample.member.id, 1)) == 1
        assert session.scalars(select(Person.name).where(accounts.has_news())).all() == ["Ben"]
        for notice in session.scalars(select(Notice)):
            notice.seen_at = NOON + 2
        session.flush()
        assert session.scalars(select(Person.name).where(accounts.has_news())).all() == []
