"""The stages of a run side by side: the first that fails stops the other and is what a user gets to know."""

from __future__ import annotations

import csv
import html
import io
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest
import soundfile

from pipeline import settings
from pipeline.audio.recording import Recording, Source
from pipeline.errors import ModelError, SpeechError
from pipeline.formats.written_transcript import WrittenTranscript, WrittenTurn
from pipeline.run.engines import Engines
from pipeline.run.stage_cache import FolderStageStore
from pipeline.speech.cores import Cores, StoppedError
from pipeline.speech.diarization.contract import Diarization, SpeakerSegment
from pipeline.stages import STEPS, ProcessRequest, Run, process
from pipeline.timeline import Span
from tests.tapes.fakes import Fakes, two_voices

DEFAULT = settings.load().settings
ROOT = Path(__file__).parents[1]
PATIENCE = 20.0


class Silent:
    """Watches nothing."""

    def started(self, stage: str) -> None: ...

    def progressed(self, stage: str, fraction: float) -> None: ...

    def finished(self, stage: str, reused: bool) -> None: ...


class Two(Engines):
    """Engines of which each stage does what a test says."""

    def __init__(self, transcribe: Any, diarize: Any) -> None:
        super().__init__(DEFAULT)
        self._transcribe, self._diarize = transcribe, diarize

    def decode(self, *_: Any) -> Recording:
        source = Source("recording", "0" * 64, "wav", "pcm_s16le", 16_000, 1, 2000, None)
        return Recording(np.zeros((1, 32_000), np.float32), 0, 2000, source, ())

    def transcriber(self) -> Any:
        return type("Transcriber", (), {"transcribe": staticmethod(self._transcribe)})

    def diarizer(self, *_: Any) -> Any:
        return type("Diarizer", (), {"diarize": staticmethod(self._diarize)})

    def models(self, kind: Any) -> dict[str, dict[str, str]]:
        return {}


def run(transcribe: Any, diarize: Any) -> Run:
    return Run(
        ProcessRequest((Path("none"),), "walking"), DEFAULT, Silent(), engines=Two(transcribe, diarize), source="0" * 64
    )


def listen(run: Run, folder: Path) -> None:
    """Transcribe and diarize, side by side."""
    run.results(FolderStageStore(folder), STEPS["listen"])


class Computing:
    """A stage that asks for a core again and again until its run is stopped."""

    def __init__(self) -> None:
        self.began, self.ended = threading.Event(), threading.Event()

    def by_cores(self, samples: Any, cores: Cores, progress: Any, spoken: Any = None) -> Any:
        try:
            while True:
                with cores.hold_one():
                    self.began.set()
        finally:
            self.ended.set()

    def by_progress(self, recording: Any, cores: Cores, progress: Any) -> Any:
        try:
            with cores.hold_one():
                while True:
                    self.began.set()
                    progress(0.5)
        finally:
            self.ended.set()


def failing(other: Computing, error: Exception) -> Any:
    def fail(*_: Any) -> Any:
        assert other.began.wait(PATIENCE)
        raise error

    return fail


def test_a_diarizer_that_fails_stops_the_transcriber(tmp_path: Path) -> None:
    computing = Computing()
    mistake = ModelError("M07", "model x", "lacks config.json", "name another")
    with pytest.raises(ModelError, match="lacks config.json"):
        listen(run(computing.by_cores, failing(computing, mistake)), tmp_path)
    assert computing.ended.wait(PATIENCE)


def test_a_transcriber_that_fails_stops_the_diarizer(tmp_path: Path) -> None:
    computing = Computing()
    with pytest.raises(SpeechError, match="TR-P01"):
        silent = SpeechError("P01", "recording", "is silent", "listen")
        listen(run(failing(computing, silent), computing.by_progress), tmp_path)
    assert computing.ended.wait(PATIENCE)


def test_the_first_failure_is_raised_while_the_other_stage_cannot_be_interrupted(tmp_path: Path) -> None:
    """The transcriber is in the middle of a window; when it is done with it, its own failure masks nothing."""
    began, release = threading.Event(), threading.Event()

    def stuck(*_: Any) -> Any:
        began.set()
        assert release.wait(PATIENCE)
        raise RuntimeError("late")

    def fail(*_: Any) -> Any:
        assert began.wait(PATIENCE)
        raise ModelError("M01", "model y", "is not installed", "fetch it")

    with pytest.raises(ModelError, match="TR-M01"):
        listen(run(stuck, fail), tmp_path)
    release.set()


def test_a_run_that_another_thread_stops_ends_where_it_looks_up(tmp_path: Path) -> None:
    computing = Computing()

    def voices(recording: Recording, cores: Cores, progress: Any) -> Diarization:
        segments = (SpeakerSegment(Span(0, 1000), "S1"),)
        return Diarization(segments, segments, (), {})

    made = run(computing.by_cores, voices)
    caught: list[BaseException] = []

    def work() -> None:
        try:
            listen(made, tmp_path)
        except StoppedError as error:
            caught.append(error)

    thread = threading.Thread(target=work)
    thread.start()
    assert computing.began.wait(PATIENCE)
    made.cores.stop()
    thread.join(PATIENCE)
    assert caught
    assert not (tmp_path / "tape").exists()


def test_who_waits_for_a_core_ends_with_the_run() -> None:
    cores, waiting, caught = Cores(1), threading.Event(), list[BaseException]()

    def wait() -> None:
        waiting.set()
        try:
            with cores.hold_one():
                pass
        except StoppedError as error:
            caught.append(error)

    thread = threading.Thread(target=wait)
    with cores.hold_one():
        thread.start()
        assert waiting.wait(PATIENCE)
        cores.stop()
    thread.join(PATIENCE)
    assert caught
    with pytest.raises(StoppedError):
        cores.raise_if_stopped()


def test_a_stopped_run_publishes_nothing(tmp_path: Path) -> None:
    cores = Cores(1)
    cores.stop()
    recording = ROOT / "tests" / "recordings" / "roleplay-alcohol.ogg"
    with pytest.raises(StoppedError):
        process(ProcessRequest((recording,), "walking", end=5000), DEFAULT, tmp_path / "tape", Silent(), cores=cores)
    assert not (tmp_path / "tape").exists()


PROGRAM = """
import os
from pipeline import stages
from pipeline.cli.main import main
from pipeline.run.engines import Engines
from tests.tapes import fakes

class Decoding(fakes.Fakes):
    def decode(self, recordings, layout, start, end, progress):
        return Engines.decode(self, recordings, layout, start, end, lambda _: fakes.at("decode"))

stages.Engines = Decoding if os.environ.get("FAKE_DEED", "").startswith("decode:") else fakes.Fakes
main()
"""
"""`tape-review` with engines that a test can let hang; where it is about decoding, the decoder is real."""


@pytest.fixture
def started(tmp_path: Path) -> Iterator[Any]:
    """Start `process` with a deed of `tests.tapes.fakes`; where one hangs, wait until it does."""
    running: list[subprocess.Popen[str]] = []

    def start(deed: str, audio: Path, *options: str) -> subprocess.Popen[str]:
        log = tmp_path / f"log{len(running)}"
        command = [sys.executable, "-c", PROGRAM, "process", str(audio), "--out", str(tmp_path / "tape"), *options]
        program = subprocess.Popen(
            [*command, "--target-behavior", "walking"],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=os.environ | {"FAKE_DEED": deed, "FAKE_LOG": str(log), "TMPDIR": str(tmp_path)},
            cwd=ROOT,
        )
        running.append(program)
        deadline = time.monotonic() + 60
        while deed and not (log.exists() and deed.partition(":")[0] in log.read_text()) and program.poll() is None:
            assert time.monotonic() < deadline
            time.sleep(0.02)
        return program

    yield start
    for program in running:
        program.kill()
        program.communicate()


def interrupted(program: subprocess.Popen[str], number: int = signal.SIGINT) -> tuple[float, str]:
    """Send a signal; how many seconds the program took to end, its children included, and what it printed."""
    children = psutil.Process(program.pid).children(recursive=True)
    began = time.monotonic()
    program.send_signal(number)
    out, _ = program.communicate(timeout=60)
    seconds = time.monotonic() - began
    assert not [child for child in children if not dead(child)]
    return seconds, out


def dead(process: psutil.Process) -> bool:
    """Whether a process has ended, or does within a moment; who reaps it is not our business."""
    deadline = time.monotonic() + 1
    while time.monotonic() < deadline:
        with suppress(psutil.NoSuchProcess):
            if process.status() != psutil.STATUS_ZOMBIE:
                time.sleep(0.02)
                continue
        return True
    return False


@pytest.mark.engines
def test_ctrl_c_ends_a_run_at_once_and_the_next_one_goes_on(started: Any, tmp_path: Path) -> None:
    audio = two_voices(tmp_path / "two.wav")
    program = started("transcribe:hang", audio)
    deadline = time.monotonic() + PATIENCE
    while not list(tmp_path.glob(f"tape.partial/diarize-{'[0-9a-f]' * 16}")) and time.monotonic() < deadline:
        time.sleep(0.02)
    seconds, out = interrupted(program)
    assert program.returncode == 130
    assert seconds < 2
    assert "Run the same command to continue" in out
    assert not (tmp_path / "tape").exists()
    again = started("", audio)
    out, errors = again.communicate(timeout=60)
    assert again.returncode == 0, errors
    assert "Reading the recording (kept): done" in out
    assert "Separating the voices (kept): done" in out
    assert "Transcribing the speech: done" in out


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGKILL])
@pytest.mark.engines
def test_the_decoder_ends_with_the_program(number: int, started: Any, tmp_path: Path) -> None:
    program = started("decode:hang", ROOT / "tests" / "recordings" / "roleplay-alcohol.ogg")
    assert psutil.Process(program.pid).children()
    seconds, _ = interrupted(program, number)
    assert program.returncode == (-number if number == signal.SIGKILL else 128 + number)
    assert seconds < 2


@pytest.mark.engines
def test_a_failure_ends_the_program_while_an_engine_cannot_be_interrupted(started: Any, tmp_path: Path) -> None:
    """One channel is not one voice a channel; meanwhile the transcriber computes."""
    soundfile.write(tmp_path / "one.wav", np.zeros(96_000, np.float32), 16_000)
    program = started("transcribe:hang", tmp_path / "one.wav", "--diarizer", "pyannote")
    _, errors = program.communicate(timeout=30)
    assert program.returncode == 1
    assert errors.startswith("TR-P15")


@pytest.mark.engines
def test_warnings_about_the_recording_stand_in_the_terminal(started: Any, tmp_path: Path) -> None:
    program = started("decode:", ROOT / "tests" / "recordings" / "roleplay-swapped-stereo.flac", "--end", "0:20")
    out, errors = program.communicate(timeout=60)
    assert program.returncode == 0, errors
    warnings = json.loads((tmp_path / "tape" / "provenance.json").read_text())["warnings"]
    assert any(warning.startswith("the recording is sampled at only 8,000 Hz") for warning in warnings)
    for warning in warnings:
        assert f"\nWarning: {warning}\n" in out
        assert warning in html.unescape((tmp_path / "tape" / "report.html").read_text())
    assert out.index("Warning: ") < out.index("Report: ")


def test_a_transcript_brings_its_words_and_voices_and_the_sound_their_times(tmp_path: Path) -> None:
    """The parrot says a word a second on each channel; nobody is heard to say "um"."""
    utterances = (
        ("Ann", "Quince?"),
        ("Robin", "Quince,"),
        ("Ann", "lantern"),
        ("Robin", "lantern."),
        ("Ann", "Marble?"),
    )
    turns = [*utterances, ("Robin", "Um, marble thimble!")]
    roles = {"Ann": "interviewer", "Robin": "client"}
    written = WrittenTranscript(tuple(WrittenTurn(name, roles[name], text) for name, text in turns))
    request = ProcessRequest((two_voices(tmp_path / "talk.wav"),), "walking", transcript=written)
    made = Run(request, DEFAULT, Silent(), engines=Fakes(DEFAULT), source="0" * 64)
    _, files = made.finish(FolderStageStore(tmp_path / "bench"))
    assert _words(files) == [
        ("Quince?", "interviewer", "0.000", "0.300"),
        ("Quince,", "client", "0.976", "1.276"),
        ("lantern", "interviewer", "1.000", "1.300"),
        ("lantern.", "client", "1.976", "2.276"),
        ("Marble?", "interviewer", "2.000", "2.300"),
        ("Um,", "client", "2.722", "3.322"),
        ("marble", "client", "3.744", "4.044"),
        ("thimble!", "client", "4.744", "5.044"),
    ]
    provenance = json.loads(files["provenance.json"])
    assert provenance["zero"] == "time 0 is 0.000 s into the recording"
    warning = provenance["warnings"][0]
    assert "7 of its 8 words here were recognized in the sound" in warning
    assert html.escape(warning) in files["report.html"].decode()
    assert "Robin" not in "".join(content.decode() for content in files.values())


def test_manual_turns_are_matched_by_the_name_that_the_recording_has_now(tmp_path: Path) -> None:
    """A run failed because the RTTM file has another name in it; renaming the recording mends it."""
    turns = tmp_path / "turns.rttm"
    turns.write_text("SPEAKER talk 1 0.0 1.0 <NA> <NA> Ann <NA> <NA>\n")
    store, sound = FolderStageStore(tmp_path / "store"), two_voices(tmp_path / "other.wav")

    def diarized(recording: Path) -> Diarization:
        request = ProcessRequest((recording,), "walking", diarizer="manual", turns=turns)
        made = Run(request, DEFAULT, Silent(), engines=Manual(DEFAULT), source="0" * 64)
        result: Diarization = made.results(store, ("diarize",))["diarize"]
        return result

    with pytest.raises(SpeechError, match="TR-P12"):
        diarized(sound)
    assert [voice.span for voice in diarized(sound.rename(tmp_path / "talk.wav")).segments] == [Span(0, 1000)]


class Manual(Fakes):
    """The manual diarizer is the real one, and the decoder says the file's name."""

    def decode(self, recordings: Sequence[Path], *options: Any) -> Recording:
        decoded = super().decode(recordings, *options)
        return replace(decoded, source=replace(decoded.source, name=recordings[0].name))

    def diarizer(self, kind: Any, speakers: int | None, turns: Path | None, tape_id: str) -> Any:
        return Engines.diarizer(self, kind, speakers, turns, tape_id)


def _words(files: Mapping[str, bytes]) -> list[tuple[str, str, str, str]]:
    rows = csv.DictReader(io.StringIO(files["words.csv"].decode()))
    return [(row["text"], row["role"], row["start"], row["end"]) for row in rows]
