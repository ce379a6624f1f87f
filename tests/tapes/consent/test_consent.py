"""Who may do what with a tape: every role, every state of the consent, every use, against a table written by hand."""

from __future__ import annotations

import random
from dataclasses import FrozenInstanceError
from typing import get_args

import pytest
from sqlalchemy.orm import Session

from pipeline.errors import ConsentError
from pipeline.tapes import people, request_trail
from pipeline.tapes.clock import DAY, at_end_of, day_of, over_here
from pipeline.tapes.consent import consent, consent_form
from pipeline.tapes.consent.consent import Reason, Use
from pipeline.tapes.db.records import Consent, Group, Membership, Person, Tape
from pipeline.tapes.home import Home
from pipeline.tapes.request_trail import Trail
from tests.tapes.conftest import NOON, FakeClock
from tests.tapes.group import make_consent, make_tape, sample_group
from tests.tapes.scene import EXPECTED, LETTERS, ROWS, STATES, Scene

USES = get_args(Use)


@pytest.fixture(scope="module")
def scene(made_home: Home) -> Scene:
    with made_home.database.writing() as session:
        return Scene(session, NOON)


def test_the_table_is_whole() -> None:
    assert len(EXPECTED) * len(USES) > 1500
    assert set(LETTERS.values()) == set(USES)
    assert all(set(cell) <= {*LETTERS, "-"} for cell in EXPECTED.values())


@pytest.mark.parametrize("role", [row[0] for row in ROWS])
def test_who_may_do_what(made_home: Home, scene: Scene, role: str) -> None:
    tapes = [scene.tape(role, state) for state in STATES[1:]]
    with made_home.database.reading() as session:
        decisions = {use: consent.allows_each(session, scene.people[role], use, tapes, NOON) for use in USES}
    allowed = {
        state: "".join(letter for letter, use in LETTERS.items() if decisions[use][column]) or "-"
        for column, state in enumerate(STATES[1:])
    }
    assert allowed == {state: EXPECTED[role, state] for state in STATES[1:]}


def test_deciding_on_one_tape_is_deciding_on_each(made_home: Home, scene: Scene) -> None:
    with made_home.database.reading() as session:
        for state in STATES[1:]:
            for role in ("interviewer", "coach", "program"):
                for use in ("show", "export"):
                    decision = consent.allows(session, scene.people[role], use, scene.tape(role, state), NOON)  # type: ignore[arg-type]
                    assert decision.allowed is (use[1] in EXPECTED[role, state])


def test_reachable_tapes_are_those_that_are_allowed(made_home: Home, scene: Scene) -> None:
    with made_home.database.reading() as session:
        for role in ("member", "coach", "stranger"):
            expected = {scene.tapes[state].id for state in STATES[1:] if "h" in EXPECTED[role, state]}
            reached = {tape.id for tape in consent.reachable(session, scene.people[role], "show", NOON)}
            assert reached & {tape.id for tape in scene.tapes.values()} == expected


def test_each_reason_is_given_and_is_one_that_the_log_may_write(made_home: Home, scene: Scene) -> None:
    with made_home.database.reading() as session:
        decisions = [
            consent.allows(session, person, use, scene.tape(role, state), NOON)
            for role, person in scene.people.items()
            for state in STATES[1:]
            for use in USES
        ]
    assert {decision.reason for decision in decisions} == set(get_args(Reason))


def test_a_request_leaves_on_its_trail_whether_a_tape_s_last_day_was_over(made_home: Home, scene: Scene) -> None:
    with made_home.database.reading() as session:
        for state in STATES[1:]:
            trail = Trail("test")
            token = request_trail.current.set(trail)
            consent.allows(session, scene.people["member"], "play", scene.tapes[state], NOON)
            request_trail.current.reset(token)
            assert trail.expired is (state == "past"), state


@pytest.mark.parametrize(
    ("role", "use", "state", "code", "told"),
    [
        ("member", "show", "dead", "D01", "is destroyed (show); nothing can be done with it anymore"),
        (
            *("disabled_member", "show", "G", "D02"),
            "is requested by someone whose account is disabled (show); ask an administrator",
        ),
        ("member", "play", "none", "D03", "has no consent (play); record the client's consent first"),
        ("member", "play", "gone", "D04", "must not be used: the client withdrew the consent (play); destroy it"),
        (
            *("member", "play", "past", "D05"),
            "must not be used: the consent has ended, and the tape should be destroyed (play); destroy it",
        ),
        (
            *("coach", "play", "G", "D06"),
            "has a consent that does not cover this use (play); ask the client for a consent that does",
        ),
        (
            *("stranger", "play", "G", "D07"),
            "has a consent that does not name this person or group (play); ask the interviewer",
        ),
        ("member", "export", "G", "D08", "must not be used by this person in this way (export); ask the interviewer"),
        ("coach", "export", "G", "D08", "must not be used by this person in this way (export); ask the interviewer"),
        ("member", "destroy", "G", "D08", "must not be used by this person in this way (destroy); ask the interviewer"),
    ],
)
def test_a_refusal_says_why(
    made_home: Home, scene: Scene, role: str, use: Use, state: str, code: str, told: str
) -> None:
    tape = scene.tape(role, state)
    with made_home.database.reading() as session:
        decision = consent.allows(session, scene.people[role], use, tape, NOON)
    with pytest.raises(ConsentError) as refusal:
        decision.require()
    assert str(refusal.value) == f"TR-{code} tape {tape.id} {told}"


def test_a_consent_holds_to_the_last_millisecond_of_its_day(any_home: Home, clock: FakeClock) -> None:
    with any_home.database.writing() as session:
        sample = sample_group(session, clock())
        tape = make_tape(session, sample, clock())
        consent_form.give(session, tape, consent_form.check(given("2025-10-20")), clock(), sample.interviewer.id)
        last = consent_form.latest(session, tape.id).destroy_by  # type: ignore[union-attr]
        assert consent.allows(session, sample.member, "play", tape, last)
        assert consent.allows(session, sample.member, "play", tape, last + 1).reason == "expired"


def test_a_withdrawal_cuts_access_at_once(any_home: Home, clock: FakeClock) -> None:
    with any_home.database.writing() as session:
        sample = sample_group(session, clock())
        tape = make_tape(session, sample, clock())
        make_consent(session, tape, clock(), "group_review", "adapt_tagger")
    with any_home.database.reading() as session:
        assert consent.allows(session, sample.member, "play", tape, clock())
    with any_home.database.writing() as session:
        assert consent_form.withdraw(session, tape, clock.advance(1), sample.interviewer.id)
    with any_home.database.reading() as session:
        reasons = {
            consent.allows(session, sample.member, use, tape, clock()).reason for use in ("play", "show", "code")
        }
        assert reasons == {"withdrawn"}
        assert consent.allows(session, None, "process", tape, clock()).reason == "withdrawn"


def test_withdrawing_twice_changes_nothing(any_home: Home, clock: FakeClock) -> None:
    with any_home.database.writing() as session:
        sample = sample_group(session, clock())
        tape = make_tape(session, sample, clock())
        make_consent(session, tape, clock(), "group_review")
        assert consent_form.withdraw(session, tape, clock(), None)
        assert not consent_form.withdraw(session, tape, clock.advance(DAY), None)
        assert session.get_one(Tape, tape.id).withdrawn_at == NOON


def given(destroy_by: str) -> dict[str, object]:
    return {
        "uses": ["group_review"],
        "groups": ["Thursday group"],
        "destroy_by": destroy_by,
        "method": "key, files and rows are deleted",
        "signed_on": "2025-10-01",
        "signed_form": "written",
        "pseudonym": "Robin",
    }


def test_of_several_uses_the_first_refusal_is_the_answer_in_both_orders(made_home: Home, scene: Scene) -> None:
    member, tape = scene.people["member"], scene.tapes["G"]
    with made_home.database.reading() as session:
        for uses in (("play", "export"), ("export", "play")):
            decision = consent.allows_all(session, member, uses, tape, NOON)  # type: ignore[arg-type]
            assert (decision.allowed, decision.use, decision.reason) == (False, "export", "role")
        for allowed in (("show",), ("play", "show"), ("play", "code", "show")):
            decision = consent.allows_all(session, member, allowed, tape, NOON)  # type: ignore[arg-type]
            assert (decision.allowed, decision.use) == (True, "show")
        refused = consent.allows_all(session, member, ("export", "adapt_tagger"), tape, NOON)
        assert (refused.use, refused.reason) == ("export", "role")


@pytest.mark.parametrize("role", ["coach", "named", "named_coach"])
def test_a_coach_and_a_named_person_are_not_the_ones_to_adapt_the_tagger(
    made_home: Home, scene: Scene, role: str
) -> None:
    with made_home.database.reading() as session:
        decision = consent.allows(session, scene.people[role], "adapt_tagger", scene.tapes["GCA"], NOON)
        assert decision.reason == "role"
        stranger = consent.allows(session, scene.people["stranger"], "adapt_tagger", scene.tapes["GCA"], NOON)
        assert stranger.reason == "audience"


def test_who_is_disabled_or_leaves_at_this_very_moment_is_out_and_who_comes_is_in(home: Home) -> None:
    with home.database.writing() as session:
        sample = sample_group(session, NOON)
        tape = make_tape(session, sample, NOON)
        make_consent(session, tape, NOON, "group_review")
        disabled, leaving = sample.members[3:5]
        assert consent.allows(session, leaving, "play", tape, NOON)  # joined at this very moment
        assert not consent.allows(session, leaving, "play", tape, NOON - 1)
        people.disable(session, disabled, NOON)
        people.leave(session, sample.group, leaving, NOON)
        assert consent.allows(session, disabled, "play", tape, NOON).reason == "disabled"
        assert consent.allows(session, leaving, "play", tape, NOON).reason == "audience"


def test_a_person_whose_row_is_gone_may_nothing(home: Home) -> None:
    with home.database.writing() as session:
        sample = sample_group(session, NOON)
        tape = make_tape(session, sample, NOON)
        make_consent(session, tape, NOON, "group_review")
        nobody = Person(id="nobody", name="No Body", email="nobody@example.org", created_at=NOON)
        assert consent.allows(session, nobody, "play", tape, NOON).reason == "disabled"


def test_the_program_may_not_use_a_tape_as_its_audience_does(home: Home) -> None:
    with home.database.writing() as session:
        sample = sample_group(session, NOON)
        tape = make_tape(session, sample, NOON)
        make_consent(session, tape, NOON, "group_review", "adapt_tagger")
        assert {consent.allows(session, None, use, tape, NOON).reason for use in ("play", "show", "code")} == {"role"}
        assert consent.allows(session, None, "export", tape, NOON).reason == "role"


def test_a_consent_to_nothing_allows_not_even_the_interviewer_and_the_program(home: Home) -> None:
    with home.database.writing() as session:
        sample = sample_group(session, NOON)
        tape = make_tape(session, sample, NOON)
        make_consent(session, tape, NOON)
        assert consent.allows(session, sample.interviewer, "play", tape, NOON).reason == "use"
        assert consent.allows(session, None, "process", tape, NOON).reason == "use"
        assert consent.allows(session, sample.interviewer, "withdraw", tape, NOON)


@pytest.mark.parametrize("outsider", ["0", "z"])
def test_nobody_is_let_in_by_the_membership_of_somebody_whose_id_is_near(home: Home, outsider: str) -> None:
    with home.database.writing() as session:
        sample = sample_group(session, NOON)
        tape = make_tape(session, sample, NOON)
        make_consent(session, tape, NOON, "group_review", "coach_check")
        person = Person(id=outsider, name="No Member", email="no@example.org", created_at=NOON)
        session.add(person)
        session.flush()
        assert consent.allows(session, person, "play", tape, NOON).reason == "audience"


@pytest.mark.parametrize("named", ["a", "z"])
def test_each_tape_has_its_own_consent(home: Home, named: str) -> None:
    """Between a tape with a lower and one with a higher id, whose consents allow less."""
    with home.database.writing() as session:
        sample = sample_group(session, NOON)
        tapes = []
        for tape_id in ("a", "m", "z"):
            tape = Tape(id=tape_id, group_id=sample.group.id, interviewer_id=sample.interviewer.id, created_at=NOON)
            session.add(tape)
            session.flush()
            make_consent(session, tape, NOON, "group_review" if tape_id == named else "coach_check")
            tapes.append(tape)
        decisions = consent.allows_each(session, sample.member, "play", tapes, NOON)
        assert [decision.tape_id for decision in decisions if decision] == [named]
        assert [decision.tape_id for decision in decisions] == ["a", "m", "z"]


def test_tapes_that_can_be_reached_come_newest_first_and_the_destroyed_not_even_to_be_destroyed(home: Home) -> None:
    with home.database.writing() as session:
        sample = sample_group(session, NOON)
        made = {moment: make_tape(session, sample, NOON + moment) for moment in (2, 3, 1)}
        gone = make_tape(session, sample, NOON + 4)
        gone.withdrawn_at, gone.state = NOON, "destroyed"
        session.flush()
        reached = consent.reachable(session, sample.administrator, "destroy", NOON)
        assert [tape.id for tape in reached] == [made[moment].id for moment in (3, 2, 1)]


def test_a_decision_cannot_be_changed_afterwards(made_home: Home, scene: Scene) -> None:
    with made_home.database.reading() as session:
        decision = consent.allows(session, scene.people["stranger"], "play", scene.tapes["G"], NOON)
    with pytest.raises(FrozenInstanceError):
        decision.reason = "allowed"  # type: ignore[misc]


class RandomRoom:
    """Three groups, seven people, and tapes whose consents are drawn; decides again, from what was drawn."""

    def __init__(self, session: Session, draw: random.Random) -> None:
        self.people = [
            Person(id=f"p{number}", name="x", email=f"{number}@example.org", created_at=NOON, is_admin=number == 0)
            for number in range(7)
        ]
        self.people[6].disabled_at = NOON
        groups = [Group(id=f"g{number}", name=f"group {number}", created_at=NOON) for number in range(3)]
        session.add_all([*self.people, *groups])
        session.flush()
        self.memberships = [
            Membership(
                group_id=group.id,
                person_id=person.id,
                role=draw.choice(("member", "member", "coordinator", "coach")),
                since=NOON + draw.choice((-DAY, 0, DAY)),
                until=draw.choice((None, None, NOON, NOON + 9 * DAY)),
            )
            for person in self.people
            for group in groups
            if draw.random() < 0.6
        ]
        self.tapes: list[Tape] = []
        self.consents: dict[str, Consent] = {}
        session.add_all(self.memberships)
        for number in range(60):
            tape = Tape(
                id=f"t{number:02}",
                group_id=draw.choice(groups).id,
                interviewer_id=draw.choice(self.people).id,
                state="destroyed" if draw.random() < 0.1 else draw.choice(("draft", "ready")),
                created_at=NOON + draw.randrange(8),
                withdrawn_at=NOON if draw.random() < 0.1 else None,
            )
            session.add(tape)
            session.flush()
            self.tapes.append(tape)
            for _ in range(draw.choice((0, 1, 1, 2))):
                self.consents[tape.id] = make_consent(
                    session,
                    tape,
                    NOON + draw.randrange(-5, 5),
                    *draw.sample(("group_review", "coach_check", "adapt_tagger"), draw.randrange(4)),
                    group_ids=draw.sample([group.id for group in groups], draw.randrange(3)),
                    person_ids=draw.sample([person.id for person in self.people], draw.choice((0, 0, 1, 2))),
                    destroy_by=at_end_of(day_of(NOON + draw.choice((-2, 0, 3)) * DAY)),
                )

    def may(self, person: Person, use: Use, tape: Tape, now: int) -> bool:
        given, mine = self.consents.get(tape.id), tape.interviewer_id == person.id
        if tape.state == "destroyed" or person.disabled_at is not None:
            return False
        if use in ("withdraw", "destroy"):
            return mine or person.is_admin
        if tape.withdrawn_at is not None or given is None or over_here(given.destroy_by) < now:
            return False
        if mine and use in ("store", "process", "export", "play", "show", "code"):
            return bool(given.uses)
        roles = {
            row.role
            for row in self.memberships
            if row.person_id == person.id
            and (row.since <= now, row.until) == (True, None)
            and row.group_id in given.group_ids
        }
        member, coach = bool(roles - {"coach"}), "coach" in roles
        named = person.id in given.person_ids and not coach
        if use == "adapt_tagger":
            return (member or mine) and use in given.uses
        reviews, checks = (member or named, "group_review"), (coach or named, "coach_check")
        return use in ("play", "show", "code") and any(
            is_so and word in given.uses for is_so, word in (reviews, checks)
        )


@pytest.mark.parametrize("seed", range(3))
def test_what_the_database_lists_is_what_the_rule_allows_for_every_person_use_and_moment(
    any_home: Home, seed: int
) -> None:
    with any_home.database.writing() as session:
        drawn, listed = RandomRoom(session, random.Random(seed)), 0
        newest = sorted(drawn.tapes, key=lambda tape: (tape.created_at, tape.id), reverse=True)
        for person in drawn.people:
            for use in USES:
                for now in (NOON, NOON + 2 * DAY, NOON + 5 * DAY):
                    expected = [tape.id for tape in newest if drawn.may(person, use, tape, now)]
                    assert [tape.id for tape in consent.reachable(session, person, use, now)] == expected, use
                    decisions = consent.allows_each(session, person, use, newest, now)
                    dead = [tape.id for tape in newest if tape.state == "destroyed"]
                    assert [each.tape_id for each in decisions if each and each.tape_id not in dead] == expected
                    listed += len(expected)
        assert listed > 500


@pytest.mark.parametrize("most", [1, 3, 50])
def test_page_after_page_lists_each_tape_once_in_order(any_home: Home, most: int) -> None:
    with any_home.database.writing() as session:
        person = RandomRoom(session, random.Random(7)).people[0]
        everything = [tape.id for tape in consent.reachable(session, person, "show", NOON)]
        after, pages = None, []
        while page := consent.reachable(session, person, "show", NOON, after, most):
            after = (page[-1].created_at, page[-1].id)
            pages.append([tape.id for tape in page])
        assert [tape_id for page in pages for tape_id in page] == everything
        assert all(len(page) == most for page in pages[:-1])
