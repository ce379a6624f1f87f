"""The files of one tape in a job: put together by the decoder, and gone as soon as the segment is cut out."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import pytest
from sqlalchemy import select

from pipeline import settings
from pipeline.audio.file_layout import FileLayout
from pipeline.audio.quality import SAMPLE_RATE
from pipeline.audio.recording import Recording
from pipeline.files import sha256
from pipeline.formats import time_origin
from pipeline.run.engines import Engines
from pipeline.run.progress import Progress, ignore
from pipeline.settings import Settings
from pipeline.stages import STEPS
from pipeline.tapes.clock import now
from pipeline.tapes.db.records import AuditRow, Item
from pipeline.tapes.home import Home
from pipeline.tapes.jobs import job_state, steps
from pipeline.tapes.vault.stage_store import VaultStageStore
from tests.audio.sessions import leaking, voices, wav
from tests.tapes.fakes import Fakes, group, submitted


class Decoding(Fakes):
    """The real decoder; all that follows is quick."""

    def decode(
        self, recordings: Sequence[Path], layout: FileLayout, start: int | None, end: int | None, progress: Progress
    ) -> Recording:
        return Engines.decode(self, recordings, layout, start, end, progress)


def kinds(home: Home, tape_id: str) -> set[str]:
    with home.database.reading() as session:
        return set(session.scalars(select(Item.kind).where(Item.tape_id == tape_id)))


def perform(home: Home, chosen: Settings, tape_id: str, step: str) -> None:
    with home.database.reading() as session:
        job_id = job_state.latest(session, tape_id).id
    with home.database.writing() as session:
        job_state.begin(session, job_id, step, now(), 9)
    steps.perform(home, chosen, Decoding, job_id, step, ignore, now)


@pytest.fixture
def chosen(home: Home) -> Settings:
    group(home)
    return settings.load().settings


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A file per person; the second begins four seconds later."""
    folder, session = tmp_path_factory.mktemp("session"), leaking(voices(40), -30)
    return wav(folder / "a.wav", session[0]), wav(folder / "b.wav", session[1, 4 * SAMPLE_RATE :])


def test_two_files_are_one_tape_and_nothing_but_the_segment_is_kept(
    home: Home, chosen: Settings, files: tuple[Path, Path]
) -> None:
    layout = FileLayout(offset=4_000)
    tape_id = submitted(home, chosen, files[0], recordings=files, layout=layout, end=30_000, diarizer="channels")
    assert {"recording", "recording:2", "asked"} <= kinds(home, tape_id)
    whole = len(home.vault.files(tape_id))
    perform(home, chosen, tape_id, "decode")
    assert not {kind for kind in kinds(home, tape_id) if kind.startswith("recording")}
    assert len(home.vault.files(tape_id)) == whole - 2 + 1
    with home.database.reading() as session:
        assert session.scalars(select(AuditRow.action).where(AuditRow.action == "recording.cut")).all()
    for step in list(STEPS)[1:]:
        perform(home, chosen, tape_id, step)
    with home.database.reading() as session:
        item = session.scalars(select(Item).where(Item.tape_id == tape_id, Item.kind == "provenance.json")).one()
    provenance = json.loads(home.vault.read(item))
    assert [file["sha256"] for file in provenance["files"]] == [sha256(path) for path in files]
    assert [file["begins"] for file in provenance["files"]] == ["0.000", "4.000"]
    assert provenance["zero"].endswith("in which file 1 begins at 0.000 s and file 2 at 4.000 s")
    zero = time_origin.parse(provenance["zero"])
    assert isinstance(zero, time_origin.Zero)
    assert (zero, zero.begins) == (0, (0, 4_000))


def test_a_new_version_takes_the_segment_that_an_earlier_one_cut(
    home: Home, chosen: Settings, files: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    tape_id = submitted(home, chosen, files[0], recordings=files, layout=FileLayout(offset=4_000), end=30_000)
    perform(home, chosen, tape_id, "decode")
    before = VaultStageStore(home, tape_id, now).latest("decode")
    monkeypatch.setattr("pipeline.run.stage_keys.__version__", "9.9")
    perform(home, chosen, tape_id, "listen")
    decoded = {kind for kind in kinds(home, tape_id) if kind.startswith("stage:decode:")}
    assert len(decoded) == 2
    assert VaultStageStore(home, tape_id, now).latest("decode") == before
