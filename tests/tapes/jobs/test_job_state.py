"""Jobs without a worker: how a tape comes in, how its steps are done, how the work on it ends."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import select, update

from pipeline import settings
from pipeline.audio.file_layout import ONE_FILE
from pipeline.errors import AudioError, ConsentError, JobError, TapesError
from pipeline.run.progress import ignore
from pipeline.settings import Settings
from pipeline.stages import STEPS
from pipeline.tapes import people
from pipeline.tapes.clock import now
from pipeline.tapes.consent import consent, target_behavior
from pipeline.tapes.db.records import Consent, Item, Job, Pretag, Tape, TapeTurn, Transcript, Utterance
from pipeline.tapes.home import Home
from pipeline.tapes.intake import importing, submission
from pipeline.tapes.jobs import job_state, steps
from pipeline.tapes.jobs.liveness import Watch
from pipeline.tapes.jobs.queue import Plain, Queue, database_url
from pipeline.tapes.retention import destruction
from pipeline.tapes.vault.stage_store import VaultStageStore, keep, packed, unpacked
from tests.tapes.fakes import ADDRESS, GROUP, PHRASE, SECONDS, TARGET, TERMS, Fakes, group, quick, submitted, two_voices

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


@pytest.fixture
def chosen(home: Home) -> Settings:
    return settings.load().settings.model_copy(update={"tapes": quick(home.settings)})


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return two_voices(tmp_path_factory.mktemp("recording") / "session with Mrs Miller.wav")


@pytest.fixture
def tape_id(home: Home, chosen: Settings, recording: Path) -> str:
    """A tape that was just submitted."""
    group(home)
    return submitted(home, chosen, recording)


def state(home: Home, tape_id: str) -> tuple[str, str]:
    """Of the job, and of the tape."""
    with home.database.reading() as session:
        return job_state.latest(session, tape_id).state, session.get_one(Tape, tape_id).state


def everything(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file())


class TestSubmission:
    def test_a_tape_is_there_with_its_consent_and_its_job(self, home: Home, tape_id: str, recording: Path) -> None:
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

    def test_nothing_outside_of_the_vault_tells_what_it_is_about(self, home: Home, tape_id: str) -> None:
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
        self, changes: dict[str, object], error: type[Exception], home: Home, chosen: Settings, recording: Path
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

    def test_what_is_no_recording_is_not_kept(self, home: Home, chosen: Settings, tmp_path: Path) -> None:
        (tmp_path / "text.wav").write_text("no sound")
        given = submission.Submission((tmp_path / "text.wav",), TERMS, TARGET, GROUP, ADDRESS)
        with pytest.raises(AudioError, match="TR-A04"):
            submission.submit(home, chosen, given)
        assert home.vault.tapes() == []

    def test_what_a_killed_submission_left_is_swept_and_nothing_else(self, home: Home, tape_id: str) -> None:
        home.vault.create_key("half")
        home.vault.put("half", "recording", b"half of it")
        home.vault.put(tape_id, "mono", b"without a row")
        assert submission.sweep(home) == 0  # it may be on its way
        assert submission.half_imported(home, -1) == ["half"]
        assert len(submission.rowless(home, -1)) == 2
        submission.sweep(home, -1)
        assert home.vault.tapes() == [tape_id]
        assert len(home.vault.files(tape_id)) == 2

    def test_a_withdrawal_closes_the_tape_and_stops_its_job(self, home: Home, tape_id: str) -> None:
        submission.withdraw(home, tape_id)
        with home.database.reading() as session:
            assert not consent.allows(session, None, "process", session.get_one(Tape, tape_id), now())
            assert job_state.latest(session, tape_id).state == "cancelled"

    def test_only_who_may_can_withdraw(self, home: Home, tape_id: str) -> None:
        with home.database.writing() as session:
            eve = people.add(session, "Eve", "eve@example.org", 1)
        with pytest.raises(ConsentError, match="TR-D08"):
            submission.withdraw(home, tape_id, eve)
        assert state(home, tape_id) == ("queued", "queued")


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


def do(home: Home, whole: Settings, tape_id: str, step: str) -> list[float]:
    seen: list[float] = []
    with home.database.writing() as session:
        job_id = job_state.latest(session, tape_id).id
        job_state.begin(session, job_id, step, now(), 3)
    steps.perform(home, whole, Fakes, job_id, step, seen.append, now)
    return seen


class TestSteps:
    def test_no_stage_is_computed_twice(self, done: tuple[Settings, str, Path]) -> None:
        computed = [line.split()[0] for line in done[2].read_text().splitlines()]
        assert sorted(computed) == ["attribute", "decode", "diarize", "tag", "transcribe"]

    def test_the_tape_is_ready_with_times_and_codes_in_the_records(self, done: tuple[Settings, str, Path]) -> None:
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

    def test_the_results_lie_in_the_vault_once_and_hold_the_words(self, done: tuple[Settings, str, Path]) -> None:
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

    def test_progress_of_a_step_grows_to_one(self, home: Home, chosen: Settings, tape_id: str) -> None:
        do(home, chosen, tape_id, "decode")
        seen = do(home, chosen, tape_id, "listen")
        assert seen == sorted(seen)
        assert seen[-1] == pytest.approx(1)

    def test_a_job_that_was_cancelled_meanwhile_publishes_nothing(
        self, home: Home, chosen: Settings, tape_id: str
    ) -> None:
        for step in list(STEPS)[:-1]:
            do(home, chosen, tape_id, step)
        before = home.vault.files(tape_id)
        with home.database.writing() as session:
            job_id = job_state.latest(session, tape_id).id
            session.execute(update(Job).values(state="cancelled"))
        steps.perform(home, chosen, Fakes, job_id, "report", ignore, now)
        assert home.vault.files(tape_id) == before
        with home.database.reading() as session:
            assert session.scalars(select(Utterance)).all() == []

    def test_mono_and_peaks_are_the_same_for_the_same_sound(self, recording: Path) -> None:
        read = Fakes(settings.load().settings).decode((recording,), ONE_FILE, None, None, ignore)
        assert importing.mono(read) == importing.mono(read)
        assert importing.drawn(replace(read, start=1)) == importing.drawn(read)


class TestStageStore:
    @pytest.fixture
    def store(self, home: Home, tape_id: str) -> VaultStageStore:
        return VaultStageStore(home, tape_id, now)

    def test_a_result_is_read_back_and_leaves_nothing_unencrypted(self, store: VaultStageStore, home: Home) -> None:
        assert not store.has("tag", "key")
        store.write("tag", "key", {"utterances.csv": PHRASE.encode()})
        assert store.has("tag", "key")
        assert store.read("tag", "key") == {"utterances.csv": PHRASE.encode()}
        assert not store.has("tag", "other")
        assert PHRASE.encode() not in everything(home.folder)

    def test_what_another_worker_stored_meanwhile_stays(self, store: VaultStageStore, home: Home, tape_id: str) -> None:
        store.write("tag", "key", {"utterances.csv": b"first"})
        before = home.vault.files(tape_id)
        store.write("tag", "key", {"utterances.csv": b"second"})
        assert store.read("tag", "key") == {"utterances.csv": b"first"}
        assert home.vault.files(tape_id) == before

    def test_what_is_not_finished_cannot_be_read(self, store: VaultStageStore) -> None:
        with pytest.raises(KeyError, match="tag"):
            store.read("tag", "key")

    def test_an_archive_gives_the_same_bytes_and_comes_back(self) -> None:
        assert packed({"b": b"1", "a": b"2"}) == packed({"a": b"2", "b": b"1"})
        assert unpacked(packed({"b": b"1", "a": b""})) == {"b": b"1", "a": b""}


class TestStates:
    def test_tries_are_counted_by_step_and_end(self, home: Home, tape_id: str) -> None:
        with home.database.writing() as session:
            job_id = job_state.latest(session, tape_id).id
            assert [job_state.begin(session, job_id, step, 1, 2) for step in ("decode", "decode", "listen")] == [
                1,
                2,
                1,
            ]
            assert job_state.begin(session, job_id, "listen", 1, 2) == 2
            with pytest.raises(JobError, match="TR-J03 job of tape .* 2 tries of listen") as caught:
                job_state.begin(session, job_id, "listen", 1, 2)
            job_state.fail(session, job_id, caught.value, 2)
            assert job_state.begin(session, job_id, "listen", 1, 2) is None
        assert state(home, tape_id) == ("failed", "failed")

    def test_a_worker_that_leaves_costs_no_try(self, home: Home, tape_id: str) -> None:
        with home.database.writing() as session:
            job_id = job_state.latest(session, tape_id).id
            for _ in range(9):
                assert job_state.begin(session, job_id, "tag", 1, 3) == 1
                job_state.give_back(session, job_id, 1)

    def test_cancel_and_retry_go_from_the_states_that_they_can(self, home: Home, tape_id: str) -> None:
        with pytest.raises(JobError, match="TR-J02 .* is queued"):
            job_state.retry(home, tape_id)
        job_state.cancel(home, tape_id)
        assert state(home, tape_id) == ("cancelled", "failed")
        with pytest.raises(JobError, match="TR-J02 .* is cancelled"):
            job_state.cancel(home, tape_id)
        again = job_state.retry(home, tape_id)
        assert state(home, tape_id) == ("queued", "queued")
        queue = job_state.queue_of(home)
        assert [entry.workflow_id for entry in queue.unfinished()] == [again.workflow_id]
        queue.close()

    def test_an_unknown_tape_has_no_job(self, home: Home) -> None:
        with pytest.raises(JobError, match="TR-J01 tape nowhere"):
            job_state.cancel(home, "nowhere")

    def test_the_whole_is_done_when_its_steps_are(self) -> None:
        assert sum(job_state.WEIGHTS.values()) == pytest.approx(1)
        shown = [job_state.overall(step, fraction) for step in STEPS for fraction in (0, 0.5, 1)]
        assert shown == sorted(shown)
        assert (shown[0], shown[-1]) == (0, 1)

    def test_views_show_the_last_job_of_each_tape_and_who_is_before_it(
        self, home: Home, chosen: Settings, tape_id: str, recording: Path
    ) -> None:
        other = submitted(home, chosen, recording)
        with home.database.reading() as session:
            assert [(view.tape_id, view.ahead) for view in job_state.views(session)] == [(tape_id, 0), (other, 1)]
            assert [view.tape_id for view in job_state.views(session, [other])] == [other]


class TestQueue:
    def test_of_an_error_only_its_kind_is_stored(self) -> None:
        assert Plain().serialize(ValueError(PHRASE)) == '{"error": "ValueError"}'
        assert isinstance(Plain().deserialize('{"error": "ValueError"}'), RuntimeError)
        assert Plain().deserialize(Plain().serialize({"args": ["id"], "kwargs": {}})) == {"args": ["id"], "kwargs": {}}
        with pytest.raises(TypeError):
            Plain().serialize(object())

    def test_a_destroyed_tape_leaves_nothing_in_the_queue(self, home: Home, tape_id: str) -> None:
        with home.database.reading() as session:
            mark = job_state.latest(session, tape_id).workflow_id.encode()
        files = list(home.folder.glob("jobs.sqlite3*"))
        assert any(mark in path.read_bytes() for path in files)
        destruction.destroy(home, tape_id, "by hand", now())
        assert not any(mark in path.read_bytes() for path in home.folder.glob("jobs.sqlite3*"))
        assert job_state.forget(home, tape_id) == 0

    def test_a_job_is_queued_once(self, home: Home, tape_id: str) -> None:
        queue = job_state.queue_of(home)
        with home.database.reading() as session:
            job_state.enqueue(home, queue, job_state.latest(session, tape_id))
        assert len(queue.unfinished()) == 1
        queue.close()

    def test_a_queue_out_of_reach_is_told(self, tmp_path: Path) -> None:
        lost = Queue(f"sqlite:///{tmp_path}/nowhere/jobs.sqlite3")
        with pytest.raises(JobError, match="TR-J05 queue in sqlite database .* cannot be used"):
            lost.create()
        with pytest.raises(JobError, match="TR-J05"):
            lost.unfinished()
        assert not lost.exists()

    def test_it_lies_beside_the_records(self) -> None:
        assert database_url(Path("/home"), "", "") == "sqlite:////home/jobs.sqlite3"
        assert database_url(Path("/home"), "postgresql+psycopg://server/tapes", "").startswith("postgresql")
        assert database_url(Path("/home"), "postgresql+psycopg://server/tapes", "sqlite:////x") == "sqlite:////x"


class TestWatch:
    def test_a_worker_whose_heart_stops_is_dead_after_a_while(self) -> None:
        watch = Watch("me", 20)
        assert watch.dead({"me": 1, "a": 1, "b": 1}, [], 0) == set()
        assert watch.dead({"me": 1, "a": 2, "b": 1}, [], 19) == set()
        assert watch.dead({"me": 1, "a": 2, "b": 1}, [], 20) == {"b"}
        assert watch.dead({"a": 2, "b": 2}, [], 38) == set()
        assert watch.dead({"a": 2, "b": 2}, [], 39) == {"a"}

    def test_one_that_has_a_job_and_no_row_is_dead_too(self) -> None:
        watch = Watch("me", 20)
        assert watch.dead({}, ["gone"], 5) == set()
        assert watch.dead({}, ["gone"], 25) == {"gone"}

    def test_one_that_was_forgotten_begins_anew(self) -> None:
        watch = Watch("me", 20)
        watch.dead({"a": 1}, [], 0)
        watch.dead({}, [], 10)
        assert watch.dead({"a": 1}, [], 20) == set()


def test_what_two_workers_bring_is_kept_once(home: Home, tape_id: str) -> None:
    first, second = (keep(home, tape_id, "stage:tag:0", content, 5) for content in (b"first", b"late"))
    assert second.id == first.id
    assert home.vault.read(second) == b"first"
    assert home.vault.leftovers() == []
    with home.database.reading() as session:
        assert len(session.scalars(select(Item).where(Item.kind == "stage:tag:0")).all()) == 1
    assert submission.rowless(home, -1) == []
