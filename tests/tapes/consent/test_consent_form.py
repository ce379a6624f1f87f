"""What a consent must say before a tape is kept under it."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from pipeline.errors import ConsentError, TapesError
from pipeline.tapes.clock import day_of
from pipeline.tapes.consent import consent_form
from pipeline.tapes.db.records import AuditRow
from pipeline.tapes.home import Home
from tests.tapes.conftest import FakeClock
from tests.tapes.group import make_tape, sample_group

FILE = """
uses = ["group_review", "coach_check"]
groups = ["Thursday group"]
people = ["KIM@example.org"]
destroy_by = 2025-12-24
method = "the key is deleted, then every file and row"
signed_on = 2025-10-01
signed_form = "written"
pseudonym = "Robin"
"""


def test_a_consent_file_becomes_a_record(tmp_path: Path, any_home: Home, clock: FakeClock) -> None:
    path = tmp_path / "consent.toml"
    path.write_text(FILE, encoding="utf-8")
    with any_home.database.writing() as session:
        sample = sample_group(session, clock())
        tape = make_tape(session, sample, clock())
        consent = consent_form.give(session, tape, consent_form.read(path), clock(), sample.interviewer.id)
        assert consent.group_ids == [sample.group.id]
        assert consent.person_ids == [sample.coach.id]
        assert (consent.pseudonym, consent.uses) == ("Robin", ["group_review", "coach_check"])
        assert day_of(consent.destroy_by) == date(2025, 12, 24)
    with any_home.database.reading() as session:
        row = session.query(AuditRow).filter(AuditRow.action == "consent.give").one()
        assert (row.tape_id, row.actor_id, row.why) == (tape.id, sample.interviewer.id, "group_review coach_check")


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('uses = ["group_review", "coach_check"]', "", "TR-D11 consent consent.toml lacks 'uses'"),
        ('"group_review", "coach_check"', "", "has a wrong 'uses'"),
        ('"coach_check"', '"broadcast"', "has a wrong 'uses'"),
        ('"Robin"', '"Robin Miller"', "has a wrong 'pseudonym' .*use one word for the client, not a name"),
        ('"Robin"', '"robin@example.org"', "has a wrong 'pseudonym'"),
        ('"Robin"', '""', "has a wrong 'pseudonym'"),
        ('"written"', '"implied"', "has a wrong 'signed_form'"),
        ("2025-12-24", '"soon"', "has a wrong 'destroy_by'"),
        ('pseudonym = "Robin"', 'pseudonym = "Robin"\nname = "X"', "has a wrong 'name'"),
        ("uses = [", "uses = ", "TR-D10 consent consent.toml cannot be read"),
    ],
)
def test_a_wrong_consent_file_says_what_is_wrong(tmp_path: Path, old: str, new: str, message: str) -> None:
    path = tmp_path / "consent.toml"
    assert old in FILE
    path.write_text(FILE.replace(old, new), encoding="utf-8")
    with pytest.raises(ConsentError, match=message):
        consent_form.read(path)


def test_a_consent_file_that_is_missing_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConsentError, match="TR-D10 consent lost.toml cannot be read"):
        consent_form.read(tmp_path / "lost.toml")


@pytest.mark.parametrize(
    ("changes", "kind", "message"),
    [
        ({"destroy_by": "2025-10-08"}, ConsentError, "TR-D11 .* ends on 2025-10-08, which is in the past"),
        ({"signed_on": "2025-10-10"}, ConsentError, "TR-D11 .* is signed on 2025-10-10, which is in the future"),
        ({"groups": [], "people": []}, ConsentError, "TR-D11 .* names neither groups nor people"),
        ({"groups": ["Friday group"]}, TapesError, "TR-K07 group 'Friday group' is unknown"),
        ({"people": ["zoe@example.org"]}, TapesError, "TR-K07 person 'zoe@example.org' is unknown"),
    ],
)
def test_a_consent_must_fit_the_day_and_the_people(
    any_home: Home, clock: FakeClock, changes: dict[str, object], kind: type[Exception], message: str
) -> None:
    values = {
        "uses": ["group_review"],
        "groups": ["Thursday group"],
        "destroy_by": "2025-12-24",
        "method": "deleted",
        "signed_on": "2025-10-01",
        "signed_form": "electronic",
        "pseudonym": "Robin",
    }
    with any_home.database.writing() as session:
        sample = sample_group(session, clock())
        tape = make_tape(session, sample, clock())
        with pytest.raises(kind, match=message):
            consent_form.give(session, tape, consent_form.check(values | changes), clock(), None)
