"""What a certificate says of a destroyed tape: of this one alone, each count by itself, and each sentence whole."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy.orm import Session

from pipeline.errors import VaultError
from pipeline.tapes.backup import backup
from pipeline.tapes.clock import DAY, HOUR
from pipeline.tapes.db.database import Database
from pipeline.tapes.db.records import AuditRow, Certificate, Export, Group, Item, Meeting, Tape, Tombstone
from pipeline.tapes.home import Home
from pipeline.tapes.retention import certificates, destruction, exports
from pipeline.tapes.vault import disks
from pipeline.tapes.vault.locks import TapeLocks
from pipeline.tapes.vault.vault import Vault
from tests.tapes.conftest import NOON
from tests.tapes.full_tape import full_tape
from tests.tapes.group import SampleGroup, make_consent, sample_group


def facts_of(home: Home, tape_id: str) -> dict[str, object]:
    path = destruction.certificate_path(home, tape_id)
    return certificates.read(path, home.folder / "certificate-key.pub").facts


DUE = {"m": NOON + 3 * DAY, "a": NOON + 5 * DAY, "z": NOON + 7 * DAY}
"""When each of the neighbors is due, by the last of its consents; m, between the others, has one and they have two."""


def bare_tape(session: Session, sample: SampleGroup, tape_id: str) -> Tape:
    """A tape with consents and one file, of which only the records are there."""
    tape = Tape(id=tape_id, group_id=sample.group.id, interviewer_id=sample.interviewer.id, created_at=NOON)
    session.add(tape)
    session.flush()
    for _ in range(1 if tape_id == "m" else 2):
        make_consent(session, tape, NOON, "group_review", destroy_by=DUE[tape_id])
    session.add(Item(id=f"item-{tape_id}", tape_id=tape_id, kind="mono", size=9, sha256=tape_id * 64, created_at=NOON))
    return tape


@pytest.fixture
def neighbors(home: Home) -> None:
    """Three tapes whose ids are known: a, m, z."""
    with home.database.writing() as session:
        sample = sample_group(session, NOON)
        for tape_id in DUE:
            bare_tape(session, sample, tape_id)


@pytest.mark.usefixtures("neighbors")
def test_of_neighbors_with_lower_and_higher_ids_nothing_is_counted_and_nothing_touched(home: Home) -> None:
    for number, tape_id in enumerate(("m", "z", "a")):
        destruction.destroy(home, tape_id, "by hand", NOON + number)
        facts = facts_of(home, tape_id)
        consents = 1 if tape_id == "m" else 2
        assert (facts["records"], facts["due"]) == (
            {"consent_groups": consents, "consents": consents, "items": 1},
            DUE[tape_id],
        )
        assert facts["files"] == [{"kind": "mono", "bytes": 9, "sha256": tape_id * 64}]
        with home.database.reading() as session:
            alive = {tape.id for tape in session.query(Tape).filter(Tape.state != "destroyed")}
        assert alive == {"m", "z", "a"} - set(("m", "z", "a")[: number + 1])


@pytest.mark.usefixtures("neighbors")
def test_a_tape_is_begun_with_though_its_neighbors_were_and_each_is_certified_for_itself(home: Home) -> None:
    for number, tape_id in enumerate(("z", "a", "m")):
        destruction.begin(home, tape_id, "due" if tape_id == "m" else "withdrawn", NOON + number)
    assert [done.tape_id for done in destruction.resume(home, NOON + HOUR)] == ["z", "a", "m"]  # the longest begun
    with home.database.reading() as session:
        for number, tape_id in enumerate(("z", "a", "m")):
            stone = session.get_one(Tombstone, tape_id)
            row = session.get_one(Certificate, stone.certificate)
            assert (stone.destroyed_at, row.tape_id, row.at) == (NOON + number, tape_id, NOON + HOUR)
            facts = facts_of(home, tape_id)
            assert (facts["tape"], facts["id"], facts["begun"]) == (tape_id, row.id, NOON + number)
            assert facts["why"] == ("due" if tape_id == "m" else "withdrawn")
            told = [(each.action, each.thing) for each in session.query(AuditRow).filter_by(tape_id=tape_id)]
            assert told == [("destroy", ""), ("destroyed", row.id)]


def test_each_count_of_exports_is_told_by_itself(home: Home, tmp_path: Path) -> None:
    tape = full_tape(home, NOON)
    copies = exports.export(home, tape.id, tape.sample.interviewer, tmp_path / "export", NOON)
    assert len(copies) == 2
    copies[0].unlink()  # somebody's deed, not ours
    destruction.destroy(home, tape.id, "by hand", NOON)
    assert facts_of(home, tape.id)["exports"] == {"removed": 1, "not found": 1}


def exported(home: Home, tape_id: str, *copies: Path) -> None:
    """Note copies of a tape's files, without a word about whether they are there."""
    with home.database.writing() as session:
        session.add_all(Export(tape_id=tape_id, path=str(copy), made_at=NOON) for copy in copies)


@pytest.mark.usefixtures("neighbors")
@pytest.mark.parametrize("stopped", [False, True])
def test_copies_are_counted_before_the_first_goes(
    home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stopped: bool
) -> None:
    """One of four is there; stopped after it was removed, the destruction that goes on finds none."""
    copies = [tmp_path / name for name in ("one", "two", "three", "four")]
    copies[0].touch()
    exported(home, "m", *copies)
    real = exports.remove

    def stop(paths: list[str]) -> int:
        real(paths)
        raise VaultError("V08", "folder", "cannot be written", "mend it")

    if stopped:
        with monkeypatch.context() as patch:
            patch.setattr(exports, "remove", stop)
            with pytest.raises(VaultError, match="TR-V08"):
                destruction.destroy(home, "m", "by hand", NOON)
        assert not copies[0].exists()
        destruction.resume(home, NOON)
    else:
        destruction.destroy(home, "m", "by hand", NOON)
    assert facts_of(home, "m")["exports"] == {"removed": 1, "not found": 3}


@pytest.mark.usefixtures("neighbors")
def test_copies_and_meetings_notes_of_neighbors_stay(home: Home, tmp_path: Path) -> None:
    with home.database.writing() as session:
        group = session.query(Group).first()
        assert group is not None
        for tape_id in ("a", "m", "z"):
            session.add(Meeting(group_id=group.id, at=NOON, tape_id=tape_id, sealed_notes=tape_id.encode()))
    for tape_id in ("a", "m", "z"):
        (tmp_path / tape_id).touch()
        exported(home, tape_id, tmp_path / tape_id)
    destruction.destroy(home, "m", "by hand", NOON)
    assert {tape_id for tape_id in ("a", "m", "z") if (tmp_path / tape_id).exists()} == {"a", "z"}
    with home.database.reading() as session:
        notes = {meeting.tape_id: meeting.sealed_notes for meeting in session.query(Meeting)}
    assert notes == {"a": b"a", "z": b"z", None: None}


@pytest.mark.parametrize(
    ("backups", "copies"), [(0, "0 backups were written"), (1, "one backup was written"), (2, "2 backups were written")]
)
@pytest.mark.usefixtures("neighbors")
def test_what_is_not_known_is_told_in_whole_sentences(home: Home, tmp_path: Path, backups: int, copies: str) -> None:
    for number in range(backups):
        backup.make(home, tmp_path / f"{number}.backup", NOON)
    destruction.destroy(home, "m", "by hand", NOON)
    facts = facts_of(home, "m")
    assert facts["backups"] == {"written": backups, "key overwritten": backups, "not reached": 0}
    assert facts["not known"] == [
        f"{copies} with this program; any other copy of a backup, of the home or of the whole machine still opens the "
        "tape with the master key of that time, and this program has no list of such copies",
        disks.of_overwritten(home.vault.folder / "keys"),
        "this program has no list of exported files that somebody copied or moved",
    ]


@pytest.mark.usefixtures("neighbors")
def test_a_backup_whose_record_was_lost_is_counted_among_the_written(home: Home, tmp_path: Path) -> None:
    for name in ("kept", "kept too", "lost"):
        backup.make(home, tmp_path / f"{name}.backup", NOON)
    (tmp_path / "lost.backup").unlink()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(backup, "count_backups", lambda _: 1)  # an older database, put back
        destruction.destroy(home, "m", "by hand", NOON)
    assert facts_of(home, "m")["backups"] == {"written": 3, "key overwritten": 2, "not reached": 1}


@pytest.mark.usefixtures("neighbors")
def test_a_certificate_names_the_head_of_the_audit_and_the_method(home: Home) -> None:
    destruction.begin(home, "m", "by hand", NOON)
    with home.database.reading() as session:
        head = home.audit.head(session).facts()
    destruction.resume(home, NOON)
    facts = facts_of(home, "m")
    assert facts["audit"] == head
    assert facts["method"] == (
        "the data key that every file and text of the tape was encrypted with (AES-256-GCM) was overwritten and "
        "removed; then the files, the exports that were found, the queue's entries and the records were removed, the "
        "database's log was emptied and its free pages were rewritten"
    )


def test_all_that_survived_is_told_with_what_to_do(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    tape = full_tape(home, NOON)
    monkeypatch.setattr(Vault, "destroy_key", lambda *_: None)
    monkeypatch.setattr(Vault, "destroy_files", lambda *_: 0)
    with pytest.raises(VaultError) as survived:
        destruction.destroy(home, tape.id, "by hand", NOON)
    assert str(survived.value) == (
        f"TR-V14 tape {tape.id} left something behind (key, files); "
        "run `tape-review doctor`; destruction goes on at the next start"
    )


@pytest.mark.usefixtures("neighbors")
def test_who_works_on_a_tape_has_ten_seconds_to_let_go_of_it(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    waited = []
    monkeypatch.setattr(TapeLocks, "in_use", lambda _, tape_id, patience=0.0: waited.append((tape_id, patience)))
    destruction.destroy(home, "m", "by hand", NOON)
    assert waited == [("m", 10.0)]
    destruction.survivors(home, "m")  # who only looks waits for nobody
    assert waited[1:] == [("m", 0.0)]


@pytest.mark.usefixtures("neighbors")
def test_where_nothing_could_be_removed_the_database_is_not_written_anew(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    scrubbed = []
    real = Database.scrub
    monkeypatch.setattr(Database, "scrub", lambda database: scrubbed.append(1) or real(database))

    def refuse(*_: object) -> None:
        raise VaultError("V08", "folder", "cannot be written", "mend it")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Vault, "destroy_files", refuse)
        with pytest.raises(VaultError, match="TR-V08"):
            destruction.destroy(home, "m", "by hand", NOON)
    assert scrubbed == []
    assert [done.tape_id for done in destruction.resume(home, NOON)] == ["m"]
    assert scrubbed == [1]


@pytest.mark.usefixtures("neighbors")
def test_plaintext_that_an_earlier_version_left_and_still_has_in_use_is_a_survivor(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    destruction.destroy(home, "m", "by hand", NOON)
    assert destruction.survivors(home, "m") == []
    monkeypatch.setattr(type(home.vault.scratch), "leftovers", lambda _: [Path("left")])
    monkeypatch.setattr(TapeLocks, "in_use", lambda *_: True)
    assert destruction.survivors(home, "m") == ["plaintext", "work under way"]
