"""The main job as a user runs it: whole results, as good as promised, from a run that may be killed at any moment."""

from __future__ import annotations

import hashlib
import json
import os
import random
import shutil
import signal
import subprocess
import time
from pathlib import Path

import pandas as pd
import pytest

from pipeline import settings
from pipeline.coding.codebook import CLIENT_CODES, CODES, INTERVIEWER_CODES
from pipeline.formats import tape_tables
from pipeline.settings import project_folder
from pipeline.stages import ProcessRequest, Run
from tests.conftest import recording, tape_review

pytestmark = pytest.mark.engines

KILLS = int(os.environ.get("TAPE_REVIEW_KILLS", "10"))
FILES = [
    "change_talk.csv",
    "measures.json",
    "provenance.json",
    "report.html",
    "turns.rttm",
    "utterances.csv",
    "vocalizations.csv",
    "words.csv",
]


def processed(out: Path, *options: str, play: str = "roleplay-alcohol") -> subprocess.CompletedProcess[str]:
    command = tape_review(
        "process", str(recording(play)), "--out", str(out), "--target-behavior", "drinking less alcohol"
    )
    return subprocess.run([*command, *options], capture_output=True, text=True, check=False)


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.fixture(scope="session")
def unbroken(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """The results of the first half minute, from a run that nobody disturbed."""
    out = tmp_path_factory.mktemp("unbroken") / "tape"
    done = processed(out, "--end", "0:30")
    assert done.returncode == 0, done.stderr
    return contents(out)


def test_results_are_whole(demo: Path) -> None:
    assert sorted(path.name for path in demo.iterdir()) == FILES
    assert not demo.with_name("tape.partial").exists()


def test_utterances_keep_the_contract(demo: Path) -> None:
    table = pd.read_csv(demo / "utterances.csv", keep_default_na=False)
    head = "tape_id,utterance_id,turn_id,role,speaker,start,end,text,codes,probability,needs_check"
    assert ",".join(table.columns) == ",".join([head, *(f"p_{code}" for code in CODES), "language", "zero"])
    assert table["needs_check"].dtype == bool
    assert table["utterance_id"].is_unique
    assert (table["end"] >= table["start"]).all()
    assert table["start"].is_monotonic_increasing
    for role, role_codes in (("interviewer", INTERVIEWER_CODES), ("client", CLIENT_CODES)):
        rows = table[table["role"] == role]
        assert set("|".join(rows["codes"]).split("|")) <= set(role_codes)
        assert (rows[[f"p_{code}" for code in CODES if code not in role_codes]] == 0).all(axis=None)
        assert rows[[f"p_{code}" for code in role_codes]].to_numpy().max() <= 1


def test_no_word_is_lost_between_the_tables(demo: Path) -> None:
    words, utterances = tape_tables.read_words(demo / "words.csv"), tape_tables.read_utterances(demo / "utterances.csv")
    spoken = words.groupby("utterance_id", sort=False)["text"].agg(" ".join)
    assert dict(spoken) == dict(zip(utterances["utterance_id"], utterances["text"], strict=True))


def test_provenance_names_what_made_it_and_nobody(demo: Path) -> None:
    provenance = json.loads((demo / "provenance.json").read_text())
    assert {model["model"] for model in provenance["models"].values()} >= {
        "whisper-base",
        "segmentation-3.0",
        "campplus",
    }
    assert all(len(model["checksum"]) == 64 for model in provenance["models"].values())
    assert "roleplay" not in "".join(path.read_text() for path in demo.iterdir())  # a file's name may be a client's


def test_same_command_again_repeats_nothing(demo: Path, tmp_path: Path) -> None:
    folder = tmp_path / "tape"
    shutil.copytree(demo, folder)
    before = {path: path.stat().st_mtime_ns for path in folder.iterdir()}
    done = processed(folder)
    assert done.returncode == 0, done.stderr
    assert "already exist" in done.stdout
    assert {path: path.stat().st_mtime_ns for path in folder.iterdir()} == before


def test_other_options_do_not_overwrite_unasked(demo: Path, tmp_path: Path) -> None:
    folder = tmp_path / "tape"
    shutil.copytree(demo, folder)
    before = contents(folder)
    done = processed(folder, "--end", "0:30")
    assert done.returncode == 1
    assert done.stderr.startswith("TR-O02")
    assert contents(folder) == before


@pytest.mark.parametrize("seed", range(KILLS // 10))
def test_killed_run_leaves_nothing_half_and_the_next_one_the_same_bytes(
    seed: int, unbroken: dict[str, bytes], tmp_path: Path
) -> None:
    out = tmp_path / "tape"
    command = tape_review("process", str(recording("roleplay-alcohol")), "--out", str(out), "--end", "0:30")
    run = subprocess.Popen([*command, "--target-behavior", "drinking less alcohol"], stdout=subprocess.DEVNULL)
    time.sleep(random.Random(seed).uniform(3, 18))
    run.send_signal(signal.SIGKILL)
    run.wait()
    assert not out.exists() or contents(out) == unbroken
    done = processed(out, "--end", "0:30")
    assert done.returncode == 0, done.stderr
    assert contents(out) == unbroken


@pytest.mark.parametrize("seed", range(KILLS // 10))
def test_ctrl_c_ends_the_engines_at_once_and_the_next_run_goes_on(
    seed: int, unbroken: dict[str, bytes], tmp_path: Path
) -> None:
    out = tmp_path / "tape"
    command = tape_review("process", str(recording("roleplay-alcohol")), "--out", str(out), "--end", "0:30")
    run = subprocess.Popen(
        [*command, "--target-behavior", "drinking less alcohol"], stdout=subprocess.PIPE, text=True, bufsize=1
    )
    assert run.stdout is not None
    assert run.stdout.readline() == "Reading the recording: done\n"
    time.sleep(random.Random(seed).uniform(0, 6))  # while engines load or compute
    began = time.monotonic()
    run.send_signal(signal.SIGINT)
    shown, _ = run.communicate()
    assert time.monotonic() - began < 60  # a second on a quiet machine; what counts is that it does not go on
    assert run.returncode == 130
    assert "Run the same command to continue" in shown
    done = processed(out, "--end", "0:30")
    assert done.returncode == 0, done.stderr
    assert "Reading the recording (kept): done" in done.stdout
    assert contents(out) == unbroken


def test_finished_stages_are_not_repeated(unbroken: dict[str, bytes], tmp_path: Path) -> None:
    out = tmp_path / "tape"
    done = processed(out, "--end", "0:30", "--interviewer", "S9")
    assert done.returncode == 1
    assert "S9" in done.stderr
    assert done.stderr.startswith("TR-P")
    done = processed(out, "--end", "0:30")
    assert done.returncode == 0, done.stderr
    for stage in ("Reading the recording", "Transcribing the speech", "Separating the voices"):
        assert f"{stage} (kept): done" in done.stdout
    assert contents(out) == unbroken


def test_turns_that_a_human_wrote_are_believed(demo: Path, tmp_path: Path) -> None:
    turns = tmp_path / "turns.rttm"
    lines = [line.split() for line in (demo / "turns.rttm").read_text().splitlines() if line.startswith("SPEAKER")]
    turns.write_text("".join(" ".join([line[0], "roleplay-alcohol", *line[2:]]) + "\n" for line in lines))
    options = ("--end", "0:30", "--diarizer", "manual", "--turns", str(turns))
    out = tmp_path / "tape"
    done = processed(out, *options)
    assert done.returncode == 0, done.stderr
    written, truth = ((folder / "turns.rttm").read_text().splitlines()[2:] for folder in (out, demo))
    assert [line.split()[3:5] for line in written[:3]] == [line.split()[3:5] for line in truth[:3]]
    engines = json.loads((out / "provenance.json").read_text())["engines"]
    assert engines["diarizer"] == {"diarizer": "manual", "checksum": hashlib.sha256(turns.read_bytes()).hexdigest()}
    assert "already exist" in processed(out, *options).stdout
    turns.write_text(turns.read_text() + "SPEAKER roleplay-alcohol 1 29.0 0.5 <NA> <NA> late <NA> <NA>\n")
    assert processed(out, *options).stderr.startswith("TR-O02")
    turns.unlink()
    assert processed(out, *options).stderr.startswith("TR-P10 file turns.rttm cannot be read")


def test_the_turns_of_a_cut_tape_can_be_fed_back(tmp_path: Path) -> None:
    """Its times count from the segment's start, and it is called after the tape."""
    cut = ("--start", "0:30", "--end", "0:50")
    done = processed(tmp_path / "tape", *cut)
    assert done.returncode == 0, done.stderr
    turns = tmp_path / "tape" / "turns.rttm"
    assert "time_0_is_30.000_s_into_the_recording" in turns.read_text()
    done = processed(tmp_path / "again", *cut, "--diarizer", "manual", "--turns", str(turns))
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "again" / "turns.rttm").read_bytes() == turns.read_bytes()
    first, second = (tape_tables.read_utterances(tmp_path / name / "utterances.csv") for name in ("tape", "again"))
    assert first[["speaker", "role", "text"]].equals(second[["speaker", "role", "text"]])
    assert "unknown" not in set(second["role"])


def test_an_edited_codebook_is_another_run(tmp_path: Path) -> None:
    book = tmp_path / "book.toml"
    shutil.copy(project_folder("configs") / "codebooks" / "pretags.toml", book)
    loaded = settings.load().settings
    coding = loaded.coding.model_copy(update={"codebook": str(book)})
    chosen = loaded.model_copy(update={"coding": coding})
    request = ProcessRequest((recording("roleplay-alcohol"),), "drinking less alcohol")

    def key() -> str:
        return Run(request, chosen, observer=None).key

    before = key()
    assert key() == before
    book.write_text(book.read_text().replace('counting = "utterance"', 'counting = "miti-4.2-volley"'))
    assert key() != before
