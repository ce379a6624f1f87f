"""Engines that answer at once, for tests of jobs, and a recording and tapes to go with them.

Of the engines only the models are not real: the transcriber is ours around a parrot (which passes the transcriber's
contract, see `tests.speech.test_transcriber.TestParrot`), the diarizer takes each channel for one voice (the real one,
which passes the diarizers' contract), roles and units are the real ones. What a test wants stands in the environment:

    FAKE_SECONDS  how long each stage takes
    FAKE_LOG      a file that gets a line for each stage that is computed: its name, the tape, the process
    FAKE_DEED     what a stage does, as ``tag:crash``: crash, raise, full, hang, wait
    FAKE_GATE     a file for whose appearance ``wait`` waits
    FAKE_VERSION  the version of the program
    FAKE_DISK     an error number that each write into the vault ends with
    FAKE_STACKS   see `tests.tapes.stacks`
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
import pandas as pd
import soundfile
import soxr

from pipeline import stages
from pipeline.audio.file_layout import FileLayout
from pipeline.audio.recording import Recording, Source
from pipeline.coding.codebook import CODES
from pipeline.run import stage_keys
from pipeline.run.engines import Engines
from pipeline.run.progress import Progress
from pipeline.settings import Settings, TapesSettings
from pipeline.tapes import people
from pipeline.tapes.clock import now as real_time
from pipeline.tapes.consent.consent_form import Terms
from pipeline.tapes.home import Home
from pipeline.tapes.intake import submission
from pipeline.tapes.intake.submission import Submission
from pipeline.tapes.vault import atomic_files, vault
from tests.speech.parrot import parrot
from tests.tapes import stacks

WORDS = ("quince", "lantern", "marble", "thimble", "saffron", "walnut")
"""What the parrot is heard to say, a word a second."""

PHRASE = "lantern"

TARGET = "drinking rather less of the green fairy"
SECONDS = 6
STEREO, STRETCH = Path(__file__).parents[1] / "recordings" / "roleplay-swapped-stereo.flac", 1100 * 1000
"""Samples at 8 kHz, from where on each of the two speaks for three seconds."""
GROUP, ADDRESS = "Thursday group", "ada@example.org"

TERMS = Terms(
    uses=("group_review",),
    groups=(GROUP,),
    destroy_by=date(2100, 1, 1),
    method="the key is deleted, then every file and row",
    signed_on=date(2025, 1, 1),
    signed_form="written",
    pseudonym="Robin",
)


class Guesser:
    """Proposes the same for everybody."""

    session_effect_sd: Mapping[str, float] = {}

    def tag(self, table: pd.DataFrame, progress: Progress) -> pd.DataFrame:
        at("tag", table["tape_id"].iloc[0])
        interviewer = table["role"] == "interviewer"
        sure = {f"p_{code}": 0.0 for code in CODES} | {"p_question_open": 0.8}
        codes = np.where(interviewer, "question_open", "neutral")
        return table.assign(codes=codes, probability=0.8, needs_check=False, **sure)


class Fakes(Engines):
    """See the module."""

    tagger = Guesser()  # type: ignore[assignment]

    def decode(
        self, recordings: Sequence[Path], layout: FileLayout, start: int | None, end: int | None, progress: Progress
    ) -> Recording:
        at("decode")
        samples, rate = soundfile.read(recordings[0], dtype="float32", always_2d=True)
        source = Source("recording", "0" * 64, "wav", "pcm_s16le", rate, samples.shape[1], SECONDS * 1000, None)
        return Recording(np.ascontiguousarray(samples.T), 0, SECONDS * 1000, source, ())

    def transcriber(self) -> Any:
        at("transcribe")
        return parrot(lambda options, seconds: (" ".join(WORDS[:seconds]), -0.1))

    def diarizer(self, kind: Any, speakers: int | None, turns: Path | None, tape_id: str) -> Any:
        at("diarize")
        return super().diarizer("channels", speakers, turns, tape_id)

    def sentences(self) -> Any:
        at("attribute")
        return lambda texts: [[] for _ in texts]

    def models(self, kind: Any) -> dict[str, dict[str, str]]:
        return {}


def at(stage: str, tape_id: str = "") -> None:
    """What this test wants to happen in a stage."""
    if log := os.environ.get("FAKE_LOG"):
        with open(log, "a", encoding="utf-8") as file:
            file.write(f"{stage} {tape_id} {os.getpid()}\n")
    time.sleep(float(os.environ.get("FAKE_SECONDS", "0")))
    where, _, deed = os.environ.get("FAKE_DEED", "").partition(":")
    if where != stage:
        return
    if deed == "crash":
        os.kill(os.getpid(), signal.SIGSEGV)
    if deed == "raise":
        raise RuntimeError(PHRASE)
    if deed == "full":
        raise OSError(28, "No space left on device")
    if deed == "hang":
        time.sleep(600)
    while deed == "wait" and not os.path.exists(os.environ["FAKE_GATE"]):
        time.sleep(0.05)


@contextmanager
def failing(path: Path, *, replace: bool = False) -> Iterator[Any]:
    """`publishing.published` on a disk that cannot be written."""
    with atomic_files.writable(path):
        number = int(os.environ["FAKE_DISK"])
        raise OSError(number, os.strerror(number))
    yield


if os.environ.get("FAKE_DISK"):
    vault.published = failing  # type: ignore[attr-defined]


if os.environ.get("FAKE_STACKS"):
    stacks.shown_on_signal()


if os.environ.get("FAKE_VERSION"):
    stages.__version__ = stage_keys.__version__ = os.environ["FAKE_VERSION"]


def two_voices(path: Path) -> Path:
    """A recording in which two people talk in turn, each on a channel of one's own: six seconds of a role-play."""
    samples, rate = soundfile.read(STEREO, dtype="float32", start=STRETCH, frames=SECONDS * 8_000)
    soundfile.write(path, soxr.resample(samples, rate, 16_000), 16_000, subtype="PCM_16")
    return path


def quick(tapes: TapesSettings, **changes: object) -> TapesSettings:
    """Settings with which nobody waits for long."""
    return tapes.model_copy(
        update={"poll_seconds": 0.05, "heartbeat_seconds": 0.2, "dead_after_seconds": 3.0} | changes
    )


def group(home: Home) -> None:
    """A group, and its member who submits."""
    with home.database.writing() as session:
        made, ada = people.add_group(session, GROUP, 1), people.add(session, "Ada", ADDRESS, 1)
        people.join(session, made, ada, "member", 1)


def submitted(home: Home, settings: Settings, recording: Path, **changes: object) -> str:
    """A tape that was handed in; what the recording is does not count."""
    given = {
        "recordings": (recording,),
        "terms": TERMS,
        "target_behavior": TARGET,
        "group": GROUP,
        "interviewer": ADDRESS,
    }
    with patch("pipeline.audio.assembly.decode"):
        return submission.submit(home, settings, Submission(**(given | changes)), clock=real_time)  # type: ignore[arg-type]
