"""Attack 5: what a client took back comes again where a clock is slow, fast or set back."""

from __future__ import annotations

from typing import get_args

import pytest
from sqlalchemy import delete, select, text, update
from sqlalchemy.exc import IntegrityError

from pipeline.errors import ConsentError
from pipeline.tapes import people
from pipeline.tapes.clock import DAY, SECOND
from pipeline.tapes.consent import consent, consent_form
from pipeline.tapes.db.records import AuditRow, Consent, Job, Tape, Tombstone
from pipeline.tapes.home import Home
from pipeline.tapes.intake import submission
from pipeline.tapes.retention import certificates, destruction, retention
from tests.tapes.conftest import NOON, FakeClock
from tests.tapes.consent.test_consent import given
from tests.tapes.full_tape import full_tape
from tests.tapes.group import make_consent, make_tape, sample_group

YEAR = 365 * DAY
USES = set(get_args(consent.Use))


@pytest.mark.parametrize("back", [1, 2 * SECOND, DAY, YEAR])
def test_a_clock_that_is_set_back_opens_no_withdrawn_tape(any_home: Home, clock: FakeClock, back: int) -> None:
    tape = full_tape(any_home, NOON - DAY)
    submission.withdraw(any_home, tape.id, clock=clock)
    with any_home.database.reading() as session:
        row = session.get_one(Tape, tape.id)
        for who in (None, tape.sample.interviewer, tape.sample.member, tape.sample.administrator):
            allowed = {use for use in USES if consent.allows(session, who, use, row, clock() - back)}
            assert allowed <= {"withdraw", "destroy"}
        assert consent.reachable(session, tape.sample.interviewer, "show", clock() - back) == ()


@pytest.mark.parametrize("at", [NOON - 1, NOON, NOON + 1, NOON + DAY])
def test_a_consent_that_is_written_after_a_withdrawal_is_refused_whatever_its_clock_says(home: Home, at: int) -> None:
    tape = full_tape(home, NOON - DAY)
    with home.database.writing() as session:
        consent_form.withdraw(session, session.get_one(Tape, tape.id), NOON, None)
    again = given("2026-10-20")
    with pytest.raises(ConsentError, match="TR-D04"), home.database.writing() as session:
        consent_form.give(session, session.get_one(Tape, tape.id), consent_form.check(again), at, None)
    with home.database.reading() as session:
        assert len(session.scalars(select(Consent)).all()) == 1


def test_a_tape_that_is_being_destroyed_gets_no_consent(home: Home) -> None:
    tape = full_tape(home, NOON - DAY)
    destruction.begin(home, tape.id, "by hand", NOON)
    with pytest.raises(ConsentError, match="TR-D01"), home.database.writing() as session:
        consent_form.give(session, session.get_one(Tape, tape.id), consent_form.check(given("2026-10-20")), NOON, None)


def test_for_a_worker_whose_clock_is_slow_a_fresh_consent_is_there_and_a_fresh_withdrawal_holds(home: Home) -> None:
    slow = NOON - 2 * SECOND
    with home.database.writing() as session:
        sample = sample_group(session, NOON - DAY)
        tape = make_tape(session, sample, NOON - DAY)
        make_consent(session, tape, NOON, "group_review")
        assert consent.allows(session, None, "process", tape, slow)
        consent_form.withdraw(session, tape, NOON, None)
        assert consent.allows(session, None, "process", tape, slow).reason == "withdrawn"


def test_for_a_process_whose_clock_is_slow_a_disabled_person_and_a_former_member_stay_out(home: Home) -> None:
    with home.database.writing() as session:
        sample = sample_group(session, NOON - DAY)
        tape = make_tape(session, sample, NOON - DAY)
        make_consent(session, tape, NOON - DAY, "group_review")
        former, disabled = sample.members[3:5]
        people.leave(session, sample.group, former, NOON)
        people.disable(session, disabled, NOON)
        for now in (NOON - 1, NOON, NOON + 1):
            assert consent.allows(session, former, "play", tape, now).reason == "audience"
            assert consent.allows(session, disabled, "play", tape, now).reason == "disabled"


@pytest.mark.parametrize("at_once", [False, True])
def test_the_consent_that_was_written_last_holds_whatever_the_clocks_said(home: Home, at_once: bool) -> None:
    with home.database.writing() as session:
        sample = sample_group(session, NOON - DAY)
        tape = make_tape(session, sample, NOON - DAY)
        with session.no_autoflush:
            for number, uses in enumerate((["group_review"], ["coach_check"], ["adapt_tagger"])):
                session.add(
                    Consent(
                        tape_id=tape.id,
                        uses=uses,
                        group_ids=[sample.group.id],
                        destroy_by=NOON + number * DAY,
                        method="",
                        signed_at=NOON,
                        signed_form="written",
                        pseudonym=f"Robin{number}",
                        given_at=NOON - number,  # a clock that runs backwards
                    )
                )
                if not at_once:
                    session.flush()
        session.flush()
        assert consent_form.latest(session, tape.id).uses == ["adapt_tagger"]  # type: ignore[union-attr]
        assert consent.allows(session, sample.member, "adapt_tagger", tape, NOON)
        assert consent.allows(session, sample.member, "play", tape, NOON).reason == "use"
        assert [warned.destroy_by for warned in retention.warnings(session, NOON)] == [NOON + 2 * DAY]
        destruction.start(session, tape, "by hand", NOON)
    done = destruction.resume(home, NOON)
    assert certificates.read(done[0].path).facts["due"] == NOON + 2 * DAY


def test_with_the_withdrawal_the_destruction_has_begun_and_any_process_ends_it(home: Home, clock: FakeClock) -> None:
    tape = full_tape(home, NOON - DAY)
    with home.database.writing() as session:
        session.add(Job(tape_id=tape.id, workflow_id="w", state="running", created_at=NOON, updated_at=NOON))
    submission.withdraw(home, tape.id, tape.sample.interviewer, clock=clock)
    with home.database.reading() as session:
        row = session.get_one(Tape, tape.id)
        assert (row.state, row.withdrawn_at) == ("destroyed", NOON)
        assert session.get_one(Tombstone, tape.id).destroyed_at == NOON
        assert session.scalars(select(Job.state).where(Job.workflow_id == "w")).one() == "cancelled"
        deeds = session.scalars(select(AuditRow.action).where(AuditRow.tape_id == tape.id).order_by(AuditRow.seq))
        assert list(deeds) == ["consent.withdraw", "destroy"]
    another = Home.open(home.settings)
    (done,) = retention.enforce(another, NOON - YEAR)  # with a clock that was set back
    another.close()
    facts = certificates.read(done.path).facts
    assert (facts["tape"], facts["why"], facts["by"]) == (tape.id, "withdrawn", tape.sample.interviewer.id)


def test_withdrawing_again_while_it_is_being_destroyed_changes_nothing(home: Home, clock: FakeClock) -> None:
    tape = full_tape(home, NOON - DAY)
    submission.withdraw(home, tape.id, clock=clock)
    clock.advance(DAY)
    submission.withdraw(home, tape.id, clock=clock)
    with home.database.reading() as session:
        assert session.get_one(Tape, tape.id).withdrawn_at == NOON
    assert len(destruction.resume(home, clock())) == 1


def test_a_tape_whose_consent_was_prolonged_between_look_and_deed_is_kept(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    tape = full_tape(home, NOON, days=1)
    real, looks = retention._ending, []

    def prolonged(session, stones, now):  # type: ignore[no-untyped-def]
        looks.append(now)
        ending = real(session, stones, now)
        if len(looks) == 1:
            with home.database.writing() as writing:
                row = writing.get_one(Tape, tape.id)
                make_consent(writing, row, now, "group_review", destroy_by=now + DAY)
        return ending

    monkeypatch.setattr(retention, "_ending", prolonged)
    assert retention.enforce(home, NOON + 2 * DAY) == []
    assert len(looks) == 2
    assert home.vault.has_key(tape.id)


@pytest.mark.parametrize(
    "undo",
    [
        update(Tape).values(withdrawn_at=None),
        update(Tape).values(withdrawn_at=NOON + 1),
        update(Tape).values(state="ready"),
        delete(Tombstone),
    ],
    ids=["taken back", "later", "alive again", "no tombstone"],
)
def test_the_database_itself_refuses_to_take_it_back(any_home: Home, clock: FakeClock, undo) -> None:
    tape = full_tape(any_home, NOON - DAY)
    submission.withdraw(any_home, tape.id, clock=clock)
    with pytest.raises(IntegrityError, match="for good"), any_home.database.writing() as session:
        session.execute(undo)
    with any_home.database.reading() as session:
        assert session.execute(text("SELECT state, withdrawn_at FROM tapes")).one() == ("destroyed", NOON)
    assert len(destruction.resume(any_home, NOON)) == 1
