"""The steps of a job: each stage is computed once, and what comes of them lies in records and vault."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from sqlalchemy import select

from pipeline import settings
from pipeline.settings import Settings
from pipeline.stages import STEPS
from pipeline.tapes.db.records import Item, Pretag, Tape, Transcript, Utterance
from pipeline.tapes.home import Home
from pipeline.tapes.jobs import job_state
from tests.tapes.fakes import PHRASE, SECONDS, TARGET, group, quick, submitted
from tests.tapes.submitted import do, everything

RESULTS = {
    "change_talk.csv",
    "measures.json",
    "provenance.json",
    "report.html",
    "turns.rttm",
    "utterances.csv",
    "vocalizations.csv",
    "words.csv",
}


@pytest.fixture(scope="module")
def done(template: Path, recording: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Settings, str, Path]:
    """A home in which all steps of a job were done; settings, tape, and the log of what was computed."""
    folder = tmp_path_factory.mktemp("steps")
    shutil.copytree(template, folder / "home")
    whole = settings.load().settings
    tapes = quick(whole.tapes, home=str(folder / "home"), database="")
    whole = whole.model_copy(update={"tapes": tapes})
    home = Home.open(tapes)
    group(home)
    tape_id = submitted(home, whole, recording)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FAKE_LOG", str(folder / "log"))
        for step in (*STEPS, "report"):  # the last is done twice: somebody was killed before it was noted
            do(home, whole, tape_id, step)
    home.close()
    return whole, tape_id, folder / "log"


def test_no_stage_is_computed_twice(done: tuple[Settings, str, Path]) -> None:
    computed = [line.split()[0] for line in done[2].read_text().splitlines()]
    assert sorted(computed) == ["attribute", "decode", "diarize", "tag", "transcribe"]


def test_the_tape_is_ready_with_times_and_codes_in_the_records(done: tuple[Settings, str, Path]) -> None:
    home, tape_id = Home.open(done[0].tapes), done[1]
    with home.database.reading() as session:
        tape = session.get_one(Tape, tape_id)
        assert (tape.state, tape.duration_ms) == ("ready", SECONDS * 1000)
        assert set(tape.speakers["roles"]) == {"S1", "S2"}
        assert tape.speakers["ghosts"] == []
        assert (job_state.latest(session, tape_id).state, job_state.latest(session, tape_id).fraction) == (
            "done",
            1.0,
        )
        utterances = session.scalars(select(Utterance).order_by(Utterance.position)).all()
        tags = session.scalars(select(Pretag)).all()
        assert {tag.utterance_id for tag in tags} == {utterance.utterance_id for utterance in utterances}
        assert [utterance.position for utterance in utterances] == list(range(len(utterances)))
        assert all(utterance.start_ms < utterance.end_ms <= SECONDS * 1000 for utterance in utterances)
        assert {tuple(tag.codes) for tag in tags} == {("question_open",), ("neutral",)}
        assert session.scalars(select(Transcript)).one().tape_id == tape_id
    home.close()


def test_the_results_lie_in_the_vault_once_and_hold_the_words(done: tuple[Settings, str, Path]) -> None:
    home, tape_id = Home.open(done[0].tapes), done[1]
    with home.database.reading() as session:
        items = session.scalars(select(Item).where(Item.tape_id == tape_id)).all()
    kinds = [item.kind for item in items]
    assert len(kinds) == len(set(kinds)) == len(home.vault.files(tape_id))
    assert {kind for kind in kinds if not kind.startswith("stage:")} == RESULTS | {
        *("asked", "transcript", "mono", "peaks")
    }  # of the recording that was handed in, nothing is left but the segment, as the decoding stage stored it
    held = {item.kind: home.vault.read(item) for item in items}
    told = json.loads(held["transcript"])
    assert told["utterances"][0]["text"].split() == [word[2] for word in told["utterances"][0]["words"]]
    assert PHRASE in held["utterances.csv"].decode()
    assert held["mono"].startswith(b"fLaC")
    head, _, drawing = held["peaks"].partition(b"\n")
    assert len(drawing) == json.loads(head)["channels"] * json.loads(head)["length"] == 2 * SECONDS * 20
    for secret in (PHRASE, TARGET, "Miller"):
        assert secret.encode() not in everything(home.folder)
    home.close()


def test_progress_of_a_step_grows_to_one(home: Home, chosen: Settings, tape_id: str) -> None:
    do(home, chosen, tape_id, "decode")
    seen = do(home, chosen, tape_id, "listen")
    assert seen == sorted(seen)
    assert seen[-1] == pytest.approx(1)
