"""How a tape comes in with its consent and its job, or leaves nothing, and how its client takes it back."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import select

from pipeline.errors import AudioError, ConsentError, TapesError
from pipeline.settings import Settings
from pipeline.tapes import people
from pipeline.tapes.clock import now
from pipeline.tapes.consent import consent, target_behavior
from pipeline.tapes.db.records import Consent, Item, Tape, TapeTurn
from pipeline.tapes.home import Home
from pipeline.tapes.intake import submission
from pipeline.tapes.jobs import job_state
from tests.tapes.fakes import ADDRESS, GROUP, TARGET, TERMS, group, submitted
from tests.tapes.submitted import everything, state


def test_a_tape_is_there_with_its_consent_and_its_job(home: Home, tape_id: str, recording: Path) -> None:
    with home.database.reading() as session:
        items = {item.kind: item for item in session.scalars(select(Item).where(Item.tape_id == tape_id))}
        assert home.vault.read(items["recording"]) == recording.read_bytes()
        assert session.scalars(select(Consent.pseudonym).where(Consent.tape_id == tape_id)).one() == "Robin"
        assert target_behavior.read(session, home.vault, tape_id) == TARGET
        assert consent.allows(session, None, "process", session.get_one(Tape, tape_id), now())
        job = job_state.latest(session, tape_id)
        tape, turn = session.get_one(Tape, tape_id), session.scalars(select(TapeTurn)).one()
        assert (turn.group_id, turn.person_id) == (tape.group_id, tape.interviewer_id)
    assert state(home, tape_id) == ("queued", "queued")
    queue = job_state.queue_of(home)
    assert queue.states([job.workflow_id]) == {job.workflow_id: "ENQUEUED"}
    queue.close()


def test_nothing_outside_of_the_vault_tells_what_it_is_about(home: Home, tape_id: str) -> None:
    whole = everything(home.folder)
    assert tape_id.encode() in whole
    for secret in (TARGET, "Miller", "RIFF"):
        assert secret.encode() not in whole


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"group": "Nobody's"}, TapesError),
        ({"interviewer": "eve@example.org"}, TapesError),
        ({"terms": TERMS.model_copy(update={"groups": ("Nobody's",)})}, TapesError),
        ({"terms": TERMS.model_copy(update={"destroy_by": TERMS.signed_on})}, ConsentError),
        ({"group": "Monday group"}, ConsentError),
    ],
)
def test_what_is_wrong_leaves_nothing(
    changes: dict[str, object], error: type[Exception], home: Home, chosen: Settings, recording: Path
) -> None:
    group(home)
    with home.database.writing() as session:
        people.add_group(session, "Monday group", 1)
    before = everything(home.vault.folder)
    with pytest.raises(error):
        submitted(home, chosen, recording, **changes)
    assert home.vault.tapes() == []
    assert everything(home.vault.folder) == before
    with home.database.reading() as session:
        assert session.scalars(select(Tape)).all() == session.scalars(select(Item)).all() == []


def test_what_is_no_recording_is_not_kept(home: Home, chosen: Settings, tmp_path: Path) -> None:
    (tmp_path / "text.wav").write_text("no sound")
    given = submission.Submission((tmp_path / "text.wav",), TERMS, TARGET, GROUP, ADDRESS)
    with pytest.raises(AudioError, match="TR-A04"):
        submission.submit(home, chosen, given)
    assert home.vault.tapes() == []


def test_what_a_killed_submission_left_is_swept_and_nothing_else(home: Home, tape_id: str) -> None:
    home.vault.create_key("half")
    home.vault.put("half", "recording", b"half of it")
    home.vault.put(tape_id, "mono", b"without a row")
    assert submission.sweep(home) == 0  # it may be on its way
    assert submission.half_imported(home, -1) == ["half"]
    assert len(submission.rowless(home, -1)) == 2
    submission.sweep(home, -1)
    assert home.vault.tapes() == [tape_id]
    assert len(home.vault.files(tape_id)) == 2


def test_a_withdrawal_closes_the_tape_and_stops_its_job(home: Home, tape_id: str) -> None:
    submission.withdraw(home, tape_id)
    with home.database.reading() as session:
        assert not consent.allows(session, None, "process", session.get_one(Tape, tape_id), now())
        assert job_state.latest(session, tape_id).state == "cancelled"


def test_only_who_may_can_withdraw(home: Home, tape_id: str) -> None:
    with home.database.writing() as session:
        eve = people.add(session, "Eve", "eve@example.org", 1)
    with pytest.raises(ConsentError, match="TR-D08"):
        submission.withdraw(home, tape_id, eve)
    assert state(home, tape_id) == ("queued", "queued")
