"""The doctor's look at the records: clean homes are clean, and every kind of damage is named with its remedy."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from pipeline.settings import TapesSettings
from pipeline.tapes import people
from pipeline.tapes.checks import home as doctor
from pipeline.tapes.checks import records
from pipeline.tapes.checks.installation import Finding
from pipeline.tapes.db.records import (
    CodeEvent,
    Item,
    Job,
    Membership,
    Pass,
    Pretag,
    Tape,
    Tombstone,
    Transcript,
    Utterance,
)
from pipeline.tapes.home import Home
from tests.tapes.conftest import NOON
from tests.tapes.group import SampleGroup, make_consent, make_tape, sample_group


def wrong(findings: list[Finding]) -> dict[str, str]:
    return {finding.what: finding.state for finding in findings if not finding.fine}


@pytest.fixture
def lived_in(any_home: Home) -> tuple[Home, SampleGroup, Tape]:
    """A home with a group, a tape, its utterances and codes."""
    with any_home.database.writing() as session:
        sample = sample_group(session, NOON)
        people.change_role(session, sample.group, sample.member, "coordinator", NOON)
        tape = make_tape(session, sample, NOON)
        make_consent(session, tape, NOON, "group_review")
        utterance = {"utterance_id": "u1", "position": 0, "turn_id": "t1", "role": "client", "speaker": "S1"}
        session.add(Utterance(tape_id=tape.id, start_ms=0, end_ms=1, **utterance))
        session.add(Pretag(tape_id=tape.id, utterance_id="u1", codes=[], probability=1.0, needs_check=False, p={}))
        session.add(pass_of(tape, sample))
    return any_home, sample, tape


def pass_of(tape: Tape, sample: SampleGroup) -> Pass:
    return Pass(
        tape_id=tape.id,
        person_id=sample.member.id,
        layer="member",
        codebook="oars",
        codebook_version="1",
        started_at=NOON,
    )


def test_a_home_in_use_is_sound(lived_in: tuple[Home, SampleGroup, Tape]) -> None:
    findings = records.check(lived_in[0], NOON)
    assert wrong(findings) == {}
    assert len(findings) == 8


def two_roles(session: Session, sample: SampleGroup, tape: Tape) -> None:
    session.add(Membership(group_id=sample.group.id, person_id=sample.coach.id, role="member", since=NOON))


def unknown_group(session: Session, sample: SampleGroup, tape: Tape) -> None:
    make_consent(session, tape, NOON, "group_review", group_ids=["gone"])


def risen(session: Session, sample: SampleGroup, tape: Tape) -> None:
    session.add(Tombstone(tape_id=tape.id, destroyed_at=NOON))


def foreign_pass(session: Session, sample: SampleGroup, tape: Tape) -> None:
    other = make_tape(session, sample, NOON)
    foreign = pass_of(other, sample)
    session.add(foreign)
    session.flush()
    event = {"utterance_id": "u1", "at": NOON, "action": "set", "codes": ["OQ"], "client_event_id": "e1"}
    session.add(CodeEvent(tape_id=tape.id, pass_id=foreign.id, **event))  # type: ignore[arg-type]


def foreign_words(session: Session, sample: SampleGroup, tape: Tape) -> None:
    other = make_tape(session, sample, NOON)
    item = Item(tape_id=other.id, kind="transcript", size=1, sha256="0", created_at=NOON)
    session.add(item)
    session.flush()
    session.add(Transcript(tape_id=tape.id, item_id=item.id, engine="none", created_at=NOON))


def lost_utterance(session: Session, sample: SampleGroup, tape: Tape) -> None:
    session.execute(text("DELETE FROM utterances"))


def idle_job(session: Session, sample: SampleGroup, tape: Tape) -> None:
    session.add(Job(tape_id=tape.id, workflow_id="w", state="running", created_at=NOON, updated_at=NOON))


def nobody(session: Session, sample: SampleGroup, tape: Tape) -> None:
    session.execute(text(f"UPDATE people SET disabled_at = {NOON}"))


@pytest.mark.parametrize(
    ("damage", "what"),
    [
        (two_roles, "one role per person in a group"),
        (unknown_group, "consents name who is there"),
        (risen, "destroyed tapes stay destroyed"),
        (foreign_pass, "rows keep to their tape"),
        (foreign_words, "rows keep to their tape"),
        (lost_utterance, "pre-tags have their utterance"),
        (idle_job, "jobs fit their tapes"),
        (nobody, "administrators"),
    ],
)
def test_damage_is_named_with_its_remedy(
    lived_in: tuple[Home, SampleGroup, Tape], damage: Callable[[Session, SampleGroup, Tape], None], what: str
) -> None:
    home, sample, tape = lived_in
    with home.database.writing() as session:
        damage(session, sample, tape)
    findings = records.check(home, NOON)
    assert list(wrong(findings)) == [what]
    assert all(finding.remedy for finding in findings if not finding.fine)


def test_tables_of_another_version_are_found(home: Home) -> None:
    home.database.migrate("0004")
    findings = records.check(home, NOON)
    assert len(findings) == 1
    assert findings[0].state.startswith("TR-K05")


def test_rows_that_refer_to_nothing_are_found(home: Home) -> None:
    with home.database.engine.connect() as connection:
        driver = connection.connection.driver_connection
        assert driver is not None
        driver.execute("PRAGMA query_only = OFF")
        driver.execute("PRAGMA foreign_keys = OFF")
        driver.execute("INSERT INTO memberships VALUES ('m', 'g', 'p', 'member', 1, NULL, 0)")
        driver.execute("PRAGMA foreign_keys = ON")
    assert wrong(records.check(home, NOON))["records"] == "2 rows refer to rows that are not there"


def test_a_damaged_file_is_found(home: Home, tapes_settings: TapesSettings) -> None:
    path = home.folder / "tapes.sqlite3"
    home.database.scrub()
    home.close()
    content = bytearray(path.read_bytes())
    content[8192:12288] = b"\xff" * 4096
    path.write_bytes(content)
    findings = doctor.check(tapes_settings, NOON)
    assert "records" in wrong(findings)


def test_without_a_home_nothing_is_wrong(tapes_settings: TapesSettings) -> None:
    assert wrong(doctor.check(tapes_settings, NOON)) == {}


def test_a_home_without_its_key_is_found(home: Home, tapes_settings: TapesSettings) -> None:
    home.close()
    Path(home.keys_folder / "audit.key").unlink()
    assert wrong(doctor.check(tapes_settings, NOON))["home"].startswith("TR-K06 audit key")
