"""People come, change roles, and go; who was what when stays on record."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from pipeline.errors import TapesError
from pipeline.tapes import people
from pipeline.tapes.clock import DAY
from pipeline.tapes.db.records import AuditRow, Membership, WebSession
from pipeline.tapes.home import Home
from tests.tapes.conftest import NOON, FakeClock
from tests.tapes.group import sample_group


def test_a_group_lists_its_people_by_name(any_home: Home, clock: FakeClock) -> None:
    with any_home.database.writing() as session:
        sample = sample_group(session, clock())
        listed = people.members(session, sample.group, clock())
        assert [(each.person.name, each.role) for each in listed][:4] == [
            ("Ada", "member"),
            ("Ben", "member"),
            ("Cleo", "coordinator"),
            ("Dan", "member"),
        ]
        assert people.groups_of(session, sample.coach, clock()) == ((sample.group, "coach"),)


def test_who_leaves_is_not_listed_and_stays_on_record(any_home: Home, clock: FakeClock) -> None:
    with any_home.database.writing() as session:
        sample = sample_group(session, clock())
        people.leave(session, sample.group, sample.member, clock.advance(DAY))
        assert sample.member not in [each.person for each in people.members(session, sample.group, clock())]
        assert sample.member in [each.person for each in people.members(session, sample.group, NOON)]
        with pytest.raises(TapesError, match="TR-K07 person .* is not in group 'Thursday group'"):
            people.leave(session, sample.group, sample.member, clock())


def test_who_left_stays_out_where_a_clock_is_set_back(any_home: Home, clock: FakeClock) -> None:
    with any_home.database.writing() as session:
        sample = sample_group(session, clock())
        people.leave(session, sample.group, sample.coach, clock.advance(DAY))
        clock.advance(-1)
        assert people.groups_of(session, sample.coach, clock()) == ()
        people.join(session, sample.group, sample.coach, "member", clock())
        assert people.groups_of(session, sample.coach, clock()) == ((sample.group, "member"),)


def test_a_change_of_role_keeps_the_history(any_home: Home, clock: FakeClock) -> None:
    with any_home.database.writing() as session:
        sample = sample_group(session, clock())
        people.change_role(session, sample.group, sample.member, "coordinator", clock.advance(DAY))
        rows = session.scalars(
            select(Membership).where(Membership.person_id == sample.member.id).order_by(Membership.since)
        ).all()
        assert [(row.role, row.since, row.until) for row in rows] == [
            ("member", NOON, NOON + DAY),
            ("coordinator", NOON + DAY, None),
        ]


def test_who_is_disabled_is_signed_out_and_can_come_back(any_home: Home, clock: FakeClock) -> None:
    with any_home.database.writing() as session:
        sample = sample_group(session, clock())
        session.add(WebSession(token_hash="t", person_id=sample.member.id, created_at=1, seen_at=1, csrf="c"))  # noqa: S106
        people.disable(session, sample.member, clock())
        assert session.scalars(select(WebSession)).all() == []
        assert len(people.members(session, sample.group, clock())) == 8
        people.enable(session, sample.member, clock())
        assert len(people.members(session, sample.group, clock())) == 9


def test_the_last_administrator_stays(any_home: Home, clock: FakeClock) -> None:
    with any_home.database.writing() as session:
        sample = sample_group(session, clock())
        with pytest.raises(TapesError, match="TR-K09 .* is the only administrator"):
            people.disable(session, sample.administrator, clock())
        people.add(session, "Pat", "pat@example.org", clock(), is_admin=True)
        people.disable(session, sample.administrator, clock())


@pytest.mark.parametrize(("size", "warns"), [(6, True), (7, False), (15, False), (16, True)])
def test_a_group_of_7_to_15_works_best(any_home: Home, clock: FakeClock, size: int, warns: bool) -> None:
    with any_home.database.writing() as session:
        group = people.add_group(session, "New", clock())
        for number in range(size):
            person = people.add(session, f"P{number}", f"p{number}@example.org", clock())
            people.join(session, group, person, "member", clock())
        coach = people.add(session, "Kim", "kim@example.org", clock())
        people.join(session, group, coach, "coach", clock())
        assert bool(people.size_warning(session, group, clock())) is warns


def test_what_cannot_be_is_refused(any_home: Home, clock: FakeClock) -> None:
    with any_home.database.writing() as session:
        sample = sample_group(session, clock())
        for message, attempt in (
            ("TR-K08 person ada@example.org exists already", lambda: people.add(session, "A", " ADA@example.org ", 1)),
            ("TR-K09 name '' is empty", lambda: people.add(session, "  ", "x@example.org", 1)),
            ("TR-K09 address 'x' is no e-mail address", lambda: people.add(session, "X", "x", 1)),
            ("TR-K07 person 'x' is unknown", lambda: people.find(session, "x")),
            ("TR-K08 group 'Thursday group' exists", lambda: people.add_group(session, "Thursday  group", 1)),
            ("TR-K09 name '' is empty", lambda: people.add_group(session, "", 1)),
            ("TR-K07 group 'x' is unknown", lambda: people.find_group(session, "x")),
            ("TR-K09 role 'boss' does not", lambda: people.join(session, sample.group, sample.stranger, "boss", 1)),
            (
                "TR-K08 person .* is in group 'Thursday group' already",
                lambda: people.join(session, sample.group, sample.member, "coach", clock()),
            ),
        ):
            with pytest.raises(TapesError, match=message):
                attempt()


def test_every_change_is_in_the_audit_without_names(any_home: Home, clock: FakeClock) -> None:
    with any_home.database.writing() as session:
        sample = sample_group(session, clock())
        people.change_role(session, sample.group, sample.member, "coordinator", clock.advance(1))
        people.disable(session, sample.member, clock())
        people.enable(session, sample.member, clock())
    with any_home.database.reading() as session:
        rows = session.scalars(select(AuditRow)).all()
        actions = {row.action for row in rows}
        told = " ".join(f"{row.thing} {row.why}" for row in rows)
    assert actions == {
        "person.add",
        "person.disable",
        "person.enable",
        "group.add",
        "group.join",
        "group.leave",
    }
    assert not [word for word in ("Ada", "Ben", "example.org", "Thursday") if word in told]


def test_the_id_of_a_group_counts_before_a_name_that_copies_it(any_home: Home, clock: FakeClock) -> None:
    with any_home.database.writing() as session:
        groups = [people.add_group(session, name, clock()) for name in ("Thursday group", "Monday group")]
        for group, other in (groups, groups[::-1]):
            other.name = group.id
            session.flush()
            assert people.find_group(session, group.id).id == group.id
