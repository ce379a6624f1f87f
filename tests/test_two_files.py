"""A session in two files, from the command to the figures: words at the truth's times, questions counted by hand."""

from __future__ import annotations

import csv
import json
import subprocess
from pathlib import Path

import pytest

from tests.audio.sessions import leaking, on_clock, voices, wav
from tests.conftest import RECORDINGS, tape_review

pytestmark = pytest.mark.engines

LATER = 7.25
"""Seconds after the client's recorder that the interviewer's begins; its clock is 80 millionths faster."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("two")
    session = leaking(voices(75), -30)
    client = wav(made / "client.wav", session[0])
    interviewer = wav(made / "me.wav", on_clock(session[1], 80)[round(LATER * 16_000) :], 44_100)
    command = tape_review("process", str(client), str(interviewer), "--names", "client,interviewer")
    done = subprocess.run(
        [*command, "--target-behavior", "stopping smoking", "--out", str(made / "tape")], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert "s after the beginning of the first" in done.stdout
    assert "millionths faster" in done.stdout
    return made / "tape"


def table(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_each_utterance_begins_when_it_is_said_and_is_its_speakers(folder: Path) -> None:
    truth = [row for row in table(RECORDINGS / "roleplay-swapped.csv") if float(row["end"]) < 74]
    spoken = table(folder / "utterances.csv")
    for row in truth:
        if row["role"] == "interviewer" and float(row["start"]) < LATER + 1:
            continue  # before the recorder was on
        if len(row["text"].split()) < 4:
            continue
        near = [other for other in spoken if other["role"] == row["role"]]
        apart = min(abs(float(other["start"]) - float(row["start"])) for other in near)
        assert apart < 0.7, row["text"]


def test_reflections_per_question_are_those_that_a_hand_counts(folder: Path) -> None:
    """From 7.25 s on the interviewer asks three questions: a good time, where are you with that, what else."""
    codes = [row["codes"].split("|") for row in table(folder / "utterances.csv") if row["role"] == "interviewer"]
    questions = sum(any(code.startswith("question") for code in given) for given in codes)
    reflections = sum(any(code.startswith("reflection") for code in given) for given in codes)
    assert questions == 3
    measured = json.loads((folder / "measures.json").read_text())["ratios"]["reflections_per_question"]["value"]
    assert measured == pytest.approx(reflections / questions, abs=1e-4)


def test_every_file_is_named_by_its_digest_and_every_zero_by_its_files(folder: Path) -> None:
    provenance = json.loads((folder / "provenance.json").read_text())
    assert len({file["sha256"] for file in provenance["files"]}) == 2
    assert [float(file["begins"]) for file in provenance["files"]] == pytest.approx([0, LATER], abs=0.005)
    assert provenance["files"][1]["drift_millionths"] == pytest.approx(80, abs=40)
    sentence = "time 0 is 0.000 s into the recording, in which file 1 begins at 0.000 s and file 2 at 7.2"
    assert sentence in provenance["zero"]
    assert sentence.replace(" ", "_") in (folder / "turns.rttm").read_text()
