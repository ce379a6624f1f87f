"""A destroyed tape is gone: from every state, from every place, whatever comes between, and under signature."""

from __future__ import annotations

import errno
import json
import os
from pathlib import Path
from typing import get_args

import pytest
from sqlalchemy import func, insert, select

from pipeline.errors import VaultError
from pipeline.files import PARTIAL
from pipeline.tapes.backup import backup
from pipeline.tapes.clock import DAY, HOUR
from pipeline.tapes.consent import consent
from pipeline.tapes.db.database import Database
from pipeline.tapes.db.records import (
    AuditRow,
    CalibrationEvent,
    CalibrationPass,
    CalibrationTape,
    Certificate,
    Meeting,
    Record,
    Tape,
    TapeState,
    Tombstone,
)
from pipeline.tapes.home import Home
from pipeline.tapes.retention import certificates, destruction, exports, tombstones
from pipeline.tapes.vault.vault import Vault
from tests.tapes.conftest import NOON
from tests.tapes.full_tape import FullTape, found_in, full_tape
from tests.tapes.group import make_consent

WITHIN = {"calibration_passes", "calibration_events"}
"""Tables without a tape's id whose rows hang on a tape all the same."""

TABLES = {table.name for table in Record.metadata.sorted_tables if "tape_id" in table.c} | WITHIN
STATES = [state for state in get_args(TapeState) if state != "destroyed"]


def rows(home: Home, tape_id: str) -> dict[str, int]:
    """What the database has of a tape, table by table."""
    with home.database.reading() as session:
        counts = {
            table.name: session.scalar(select(func.count()).select_from(table).where(table.c.tape_id == tape_id)) or 0
            for table in Record.metadata.sorted_tables
            if "tape_id" in table.c
        }
        trained = select(CalibrationPass.id).join(CalibrationTape).where(CalibrationTape.tape_id == tape_id)
        counts["calibration_passes"] = len(session.scalars(trained).all())
        coded = select(CalibrationEvent.id).where(CalibrationEvent.pass_id.in_(trained))
        counts["calibration_events"] = len(session.scalars(coded).all())
    return {name: count for name, count in counts.items() if count}


def certificate(home: Home, tape: FullTape) -> dict[str, object]:
    path = home.folder / "certificates" / f"{tape.id}.json"
    return certificates.read(path, home.folder / "certificate-key.pub").facts


def test_another_process_may_be_faster(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    tape = full_tape(home, NOON)
    resume = destruction.resume

    def overtaken(home: Home, now: int) -> list[destruction.Destroyed]:
        resume(home, now)
        return resume(home, now)

    monkeypatch.setattr(destruction, "resume", overtaken)
    done = destruction.destroy(home, tape.id, "by hand", NOON)
    assert certificate(home, tape)["tape"] == done.tape_id == tape.id
    assert done.path.exists()


@pytest.mark.parametrize("state", STATES)
def test_from_every_state_nothing_is_left_and_it_is_certified(home: Home, state: TapeState) -> None:
    tape = full_tape(home, NOON, state)
    before = rows(home, tape.id)
    assert set(before) == TABLES - {"exports", "audit", "certificates", "tombstones"}  # the sample is full
    assert found_in(tape.mark, home.folder)
    done = destruction.destroy(home, tape.id, "by hand", NOON + HOUR, tape.sample.interviewer.id)
    assert done.path == home.folder / "certificates" / f"{tape.id}.json"
    assert destruction.survivors(home, tape.id) == []
    assert found_in(tape.mark, home.folder) == []
    assert set(rows(home, tape.id)) == {"audit", "certificates", "tombstones"}
    facts = certificate(home, tape)
    assert facts["state"] == state
    parts = {"consent_groups": 1}  # of its consent; they name no tape themselves
    assert facts["records"] == {name: count for name, count in before.items() if name != "meetings"} | parts
    assert sorted(file["kind"] for file in facts["files"]) == [  # type: ignore[index, union-attr]
        *("form", "mono", "peaks", "recording", "report.html", "stage:decode:0123456789abcdef"),
        *("transcript", "utterances.csv"),
    ]
    assert (facts["why"], facts["by"], facts["destroyed"]) == ("by hand", tape.sample.interviewer.id, NOON + HOUR)
    assert tape.mark not in done.path.read_text()


def test_another_tape_is_not_touched(home: Home) -> None:
    tape = full_tape(home, NOON)
    other = full_tape(home, NOON, sample=tape.sample)
    before = rows(home, other.id)
    files = home.vault.files(other.id)
    destruction.destroy(home, tape.id, "by hand", NOON)
    assert rows(home, other.id) == before
    assert home.vault.files(other.id) == files
    assert len(found_in(other.mark, home.folder)) == 1  # the database, with the pseudonym


def test_audit_and_tombstone_tell_of_it_and_nothing_can_be_done_with_it(home: Home) -> None:
    tape = full_tape(home, NOON)
    with home.database.reading() as session:
        record = session.get_one(Tape, tape.id)
    destruction.destroy(home, tape.id, "withdrawn", NOON + 5)
    with home.database.reading() as session:
        told = [(row.action, row.why) for row in session.scalars(select(AuditRow).where(AuditRow.tape_id == tape.id))]
        assert told == [("destroy", "withdrawn"), ("destroyed", "withdrawn")]
        assert home.audit.verify(session) == ()
        stone = session.get_one(Tombstone, tape.id)
        assert stone.destroyed_at == NOON + 5
        assert session.get_one(Certificate, stone.certificate).tape_id == tape.id
        assert consent.allows(session, tape.sample.interviewer, "play", record, NOON).reason == "destroyed"
        assert [meeting.sealed_notes for meeting in session.scalars(select(Meeting))] == [None]
    assert tombstones.read([home.folder / tombstones.NAME]) == {tape.id: NOON + 5}
    with pytest.raises(VaultError, match="TR-V15 tape .* does not exist, or is destroyed"):
        destruction.destroy(home, tape.id, "by hand", NOON)


def test_from_the_first_moment_nobody_is_allowed_anything(home: Home) -> None:
    tape = full_tape(home, NOON)
    destruction.begin(home, tape.id, "by hand", NOON)
    with home.database.reading() as session:
        record = session.get_one(Tape, tape.id)
        for who in (None, tape.sample.interviewer, tape.sample.administrator):
            for use in get_args(consent.Use):
                assert not consent.allows(session, who, use, record, NOON).allowed


def test_a_half_imported_tape_with_unpublished_files_and_no_rows_about_them(home: Home) -> None:
    tape = full_tape(home, NOON, "running")
    home.vault.put(tape.id, "mono", b"no row about this one")
    (home.vault.folder / "tapes" / tape.id / f"abc{PARTIAL}").write_text(tape.mark)
    destruction.destroy(home, tape.id, "by hand", NOON)
    assert found_in(tape.mark, home.folder) == []


def test_a_tape_without_files_or_consent(home: Home) -> None:
    tape = full_tape(home, NOON)
    with home.database.writing() as session:
        bare = Tape(group_id=tape.sample.group.id, interviewer_id=tape.sample.member.id, created_at=NOON)
        session.add(bare)
        session.flush()
    destruction.destroy(home, bare.id, "never consented", NOON)
    assert destruction.survivors(home, bare.id) == []


class PowerCut(BaseException):
    """The machine goes off."""


STEPS = [
    (tombstones, "add"),
    (Vault, "destroy_key"),
    (backup, "forget"),
    (Vault, "destroy_files"),
    (exports, "remove"),
    (destruction, "update"),
    (Database, "scrub"),
    (destruction, "survivors"),
    (certificates.Signer, "sign"),
    (destruction, "write_certificate"),
]


@pytest.mark.parametrize(("owner", "name"), STEPS, ids=[name for _, name in STEPS])
@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_stopped_at_any_step_it_goes_on(
    home: Home, monkeypatch: pytest.MonkeyPatch, owner: object, name: str, after: bool
) -> None:
    tape = full_tape(home, NOON)
    destruction.begin(home, tape.id, "due", NOON)
    real = getattr(owner, name)

    def cut(*arguments: object, **options: object) -> None:
        if after:
            real(*arguments, **options)
        raise PowerCut

    with monkeypatch.context() as patch:
        patch.setattr(owner, name, cut)
        with pytest.raises(PowerCut):
            destruction.resume(home, NOON + 1)
    destruction.resume(home, NOON + 2)
    assert destruction.survivors(home, tape.id) == []
    assert found_in(tape.mark, home.folder) == []
    facts = certificate(home, tape)
    assert facts["why"] == "due"
    assert len(facts["files"]) == 8  # type: ignore[arg-type]
    assert destruction.resume(home, NOON + 3) == []


@pytest.mark.parametrize("call", ["unlink", "rmdir"])
@pytest.mark.parametrize("number", [errno.EROFS, errno.EACCES])
def test_a_disk_that_does_not_let_go_is_told_and_it_is_gone_on_with(
    home: Home, monkeypatch: pytest.MonkeyPatch, call: str, number: int
) -> None:
    tape = full_tape(home, NOON)

    def refuse(*_: object, **__: object) -> None:
        raise OSError(number, os.strerror(number))

    with monkeypatch.context() as patch:
        patch.setattr(os, call, refuse)
        with pytest.raises(VaultError, match="TR-V08"):
            destruction.destroy(home, tape.id, "by hand", NOON)
    with home.database.reading() as session:
        assert session.get_one(Tape, tape.id).state == "destroyed"
    assert not (home.folder / "certificates").exists()
    destruction.resume(home, NOON)
    assert found_in(tape.mark, home.folder) == []
    assert certificate(home, tape)["state"] == "ready"


def test_a_tape_that_cannot_be_removed_keeps_no_other_alive(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    stuck = full_tape(home, NOON)
    other = full_tape(home, NOON, sample=stuck.sample)
    for tape in (stuck, other):
        destruction.begin(home, tape.id, "due", NOON)
    real = Vault.destroy_files

    def refuse(vault: Vault, tape_id: str) -> int:
        if tape_id == stuck.id:
            raise VaultError("V08", f"folder of tape {tape_id}", "cannot be written", "mend it")
        return real(vault, tape_id)

    with monkeypatch.context() as patch:
        patch.setattr(Vault, "destroy_files", refuse)
        with pytest.raises(VaultError, match=f"TR-V08 folder of tape {stuck.id}"):
            destruction.resume(home, NOON)
    assert destruction.survivors(home, other.id) == []
    assert certificate(home, other)
    assert not home.vault.has_key(stuck.id)
    assert [done.tape_id for done in destruction.resume(home, NOON)] == [stuck.id]


def test_no_certificate_while_something_survives(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    tape = full_tape(home, NOON)
    with monkeypatch.context() as patch:
        patch.setattr(Vault, "destroy_files", lambda *_: 0)
        with pytest.raises(VaultError, match=r"TR-V14 tape .* left something behind \(files\)"):
            destruction.destroy(home, tape.id, "by hand", NOON)
    assert not (home.folder / "certificates").exists()
    destruction.resume(home, NOON)
    assert certificate(home, tape)


def test_destruction_needs_no_master_key(home: Home) -> None:
    tape = full_tape(home, NOON)
    home.master.path.unlink()
    again = Home.open(home.settings)
    destruction.destroy(again, tape.id, "due", NOON + 31 * DAY)
    assert destruction.survivors(again, tape.id) == []
    again.close()


@pytest.mark.parametrize("why", ["due", "withdrawn", "by hand", "never consented", "restored"])
def test_the_reason_stands_in_the_certificate(home: Home, why: destruction.Why) -> None:
    tape = full_tape(home, NOON)
    destruction.destroy(home, tape.id, why, NOON)
    assert certificate(home, tape)["why"] == why


def test_why_is_one_of_a_few_words(home: Home) -> None:
    with pytest.raises(ValueError, match="because I say so"):
        destruction.begin(home, "tape", "because I say so", NOON)  # type: ignore[arg-type]


def test_a_reader_that_is_open_falls_silent(home: Home) -> None:
    tape = full_tape(home, NOON)
    with home.database.reading() as session:
        item = session.scalars(select(Record.metadata.tables["items"].c.id)).first()
    assert item
    made = home.vault.put(tape.id, "mono", b"x" * 200_000)
    with home.vault.open(made) as reader:
        assert reader.read(1) == b"x"
        destruction.destroy(home, tape.id, "by hand", NOON)
        with pytest.raises(VaultError, match="TR-V02.*destroyed"):
            reader.read(1)


def test_certificate_on_paper_says_what_a_client_wants_to_know(home: Home) -> None:
    tape = full_tape(home, NOON)
    done = destruction.destroy(home, tape.id, "by hand", NOON)
    certificate = json.loads(done.path.read_text())["certificate"]
    assert certificate["destroyed_utc"] == "2025-10-09 08:53:20"
    assert certificate["due"] == NOON + 30 * DAY
    assert "data key" in certificate["method"]
    assert certificate["exports"] == {"not found": 0, "removed": 0}
    assert certificate["backups"] == {"written": 0, "key overwritten": 0, "not reached": 0}
    assert all(set(file) == {"bytes", "kind", "sha256"} for file in certificate["files"])


def test_files_lie_where_only_the_owner_can_read_them(home: Home) -> None:
    tape = full_tape(home, NOON)
    done = destruction.destroy(home, tape.id, "by hand", NOON)
    for path in (done.path, home.folder / tombstones.NAME, home.keys_folder / "certificate.key"):
        assert Path(path).stat().st_mode & 0o077 == 0


def test_with_the_tapes_row_alone_left_it_is_a_survivor_and_not_certified(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    tape = full_tape(home, NOON)
    destruction.begin(home, tape.id, "by hand", NOON)
    with home.database.writing() as session:
        bare = session.get_one(Tape, tape.id)
        row = {column.name: getattr(bare, column.name) for column in Tape.__table__.columns}

    def put_back(home: Home, tape_id: str, backups: dict[str, int]) -> None:
        real(home, tape_id, backups)
        with home.database.writing() as session:
            session.execute(insert(Tape).values(row))

    real = destruction._remove_records
    with monkeypatch.context() as patch:
        patch.setattr(destruction, "_remove_records", put_back)
        with pytest.raises(VaultError, match=r"TR-V14 .*\(tapes\)"):
            destruction.resume(home, NOON)
    assert destruction.survivors(home, tape.id) == ["tapes"]
    assert not (home.folder / "certificates").exists()
    assert [done.tape_id for done in destruction.resume(home, NOON)] == [tape.id]


@pytest.mark.parametrize("stage", ["destroy_files", "sign"])
def test_of_two_that_fail_the_error_of_the_first_is_raised(
    home: Home, monkeypatch: pytest.MonkeyPatch, stage: str
) -> None:
    first = full_tape(home, NOON)
    second = full_tape(home, NOON, sample=first.sample)
    for number, tape in enumerate((first, second)):
        destruction.begin(home, tape.id, "due", NOON + number)
    failed = []

    def refuse(*_: object) -> None:
        failed.append(1)
        raise VaultError("V08", f"failure {len(failed)}", "cannot be written", "mend it")

    monkeypatch.setattr(Vault if stage == "destroy_files" else certificates.Signer, stage, refuse)
    with pytest.raises(VaultError, match="TR-V08 failure 1 "):
        destruction.resume(home, NOON)
    assert len(failed) == 2


def test_of_two_consents_of_one_moment_the_one_written_last_says_when_it_was_due(home: Home) -> None:
    tape = full_tape(home, NOON)
    with home.database.writing() as session:
        row = session.get_one(Tape, tape.id)
        make_consent(session, row, NOON, "group_review", id="z", destroy_by=NOON + 3 * DAY)
        make_consent(session, row, NOON, "group_review", id="a", destroy_by=NOON + 7 * DAY)
    done = destruction.destroy(home, tape.id, "by hand", NOON)
    assert done.path.exists()
    assert certificate(home, tape)["due"] == NOON + 7 * DAY


def test_beginning_twice_keeps_the_first_reason(home: Home) -> None:
    tape = full_tape(home, NOON)
    destruction.begin(home, tape.id, "due", NOON)
    destruction.begin(home, tape.id, "by hand", NOON + 1, tape.sample.member.id)
    assert [done.tape_id for done in destruction.resume(home, NOON + 2)] == [tape.id]
    facts = certificate(home, tape)
    assert (facts["why"], facts["begun"], facts["by"], facts["destroyed"]) == ("due", NOON, None, NOON + 2)


def test_a_tape_that_does_not_exist_cannot_be_begun_with(home: Home) -> None:
    with pytest.raises(VaultError, match="TR-V15"):
        destruction.begin(home, "nobody", "by hand", NOON)
    assert destruction.resume(home, NOON) == []
