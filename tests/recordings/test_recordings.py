"""The recordings agree with their scripts, their truth with itself and with the sound, and all with the README."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import soundfile
from scipy import signal

from tests.recordings import script
from tests.recordings.script import CODES, LISTENING, Noise, Piece
from tests.recordings.speak import COLUMNS

HERE = Path(__file__).parent
SOUNDS = {
    "roleplay-alcohol": "roleplay-alcohol.ogg",
    "roleplay-swapped": "roleplay-swapped.flac",
    "session-20-minutes": "session-20-minutes.ogg",
}
STEREO = HERE / "roleplay-swapped-stereo.flac"
MINUTES = {"roleplay-alcohol": (4, 6), "roleplay-swapped": (3, 4), "session-20-minutes": (19.5, 20.016)}
LISTENING_NOISES = r"(?:mm|mm-hm|uh-huh|yeah|okay|oh, okay)\."

each = pytest.mark.parametrize("name", SOUNDS)


def truth(name: str) -> pd.DataFrame:
    return pd.read_csv(HERE / f"{name}.csv", keep_default_na=False)


def speech(name: str) -> pd.DataFrame:
    rows = [line.split() for line in (HERE / f"{name}.rttm").read_text(encoding="utf-8").splitlines()]
    assert all(row[:3] == ["SPEAKER", name, "1"] and len(row) == 10 for row in rows)
    table = pd.DataFrame({"start": [float(row[3]) for row in rows], "speaker": [row[7] for row in rows]})
    table["end"] = (table["start"] + [float(row[4]) for row in rows]).round(3)
    return table


def codes(name: str) -> Counter[str]:
    return Counter(code for row in truth(name)["codes"] for code in row.split("|"))


def mask(rows: pd.DataFrame, length: int, rate: int) -> np.ndarray:
    """True in the samples in which somebody speaks."""
    spoken = np.zeros(length, dtype=bool)
    for start, end in zip(rows["start"], rows["end"], strict=True):
        spoken[int(start * rate) : int(end * rate)] = True
    return spoken


def decibels(samples: np.ndarray) -> float:
    return float(10 * np.log10(np.mean(samples**2) + 1e-12))


@each
def test_truth_is_sorted_and_within_the_recording(name: str) -> None:
    table, info = truth(name), soundfile.info(HERE / SOUNDS[name])
    assert tuple(table.columns) == COLUMNS
    assert list(table["utterance_id"]) == list(range(1, len(table) + 1))
    assert table["start"].is_monotonic_increasing
    assert (table["end"] > table["start"]).all()
    assert table["start"].min() > 0
    assert table["end"].max() < info.frames / info.samplerate
    assert table["target_behavior"].nunique() == 1


@each
def test_codes_fit_roles(name: str) -> None:
    table = truth(name)
    for role, given in zip(table["role"], table["codes"], strict=True):
        assert set(given.split("|")) <= set(CODES[role])
    assert len(table.groupby("speaker")["role"].unique()) == len(table.groupby("role")["speaker"].unique()) == 2
    assert table["speaker"].iloc[0] == "S1"


@each
def test_truth_says_what_the_script_says(name: str) -> None:
    """The scripted utterances stand in the truth in their order; what remains are the listening noises."""
    text = script.read(HERE / "scripts" / f"{name}.txt")
    rows = list(truth(name)[["role", "text", "codes"]].itertuples(index=False, name=None))
    noises = Counter(
        (role, noise.text, "|".join(LISTENING[role]))
        for line in text.lines
        for piece in line.pieces
        for noise in piece.noises
        for role in CODES
        if role != line.role
    )
    for line in text.lines:
        while rows[0] != (line.role, line.text, "|".join(line.codes)):
            noises.subtract([rows.pop(0)])
        rows.pop(0)
    noises.subtract(rows)
    assert set(noises.values()) == {0}


@each
def test_gaps_are_the_scripts(name: str) -> None:
    """Where the script says how long to wait or to overlap, the recording does so: it was made from this script."""
    rows = truth(name).itertuples()
    clock = 0.0
    for line in script.read(HERE / "scripts" / f"{name}.txt").lines:
        row = next(row for row in rows if (row.role, row.text) == (line.role, line.text))
        if line.gap is not None:
            assert row.start == pytest.approx(clock + line.gap, abs=0.0015), line.text
        clock = max(clock, row.end)


@each
def test_speech_times_agree_with_the_utterances(name: str) -> None:
    """Each sentence lies in an utterance of its speaker, and the utterances start and end where sentences do."""
    table, sentences = truth(name), speech(name)
    assert sentences["start"].is_monotonic_increasing
    for speaker, rows in table.groupby("speaker"):
        own_sentences = sentences[sentences["speaker"] == speaker]
        assert set(rows["start"]) <= set(own_sentences["start"])
        assert set(rows["end"]) <= set(own_sentences["end"])
        for start, end in zip(own_sentences["start"], own_sentences["end"], strict=True):
            assert ((rows["start"] <= start) & (rows["end"] >= end)).any()


@each
def test_sound_lies_where_the_truth_says(name: str) -> None:
    """Within the speech times the level is that of speech, outside that of the room: nothing is shifted or missing."""
    samples, rate = soundfile.read(HERE / SOUNDS[name], dtype="float32")
    assert np.abs(samples).max() < 1
    spoken = mask(speech(name), len(samples), rate)
    tail = signal.fftconvolve(spoken, np.ones(rate // 4))[: len(samples)] > 0.5
    assert -27 < decibels(samples[spoken]) < -21
    assert decibels(samples[~tail]) < -50
    quarters = zip(np.array_split(samples, 4), np.array_split(spoken, 4), np.array_split(tail, 4), strict=True)
    assert all(decibels(part[yes]) - decibels(part[~no]) > 25 for part, yes, no in quarters)


def test_telephone_has_the_telephone_band() -> None:
    samples, rate = soundfile.read(HERE / SOUNDS["roleplay-swapped"], dtype="float32")
    assert rate == 8000
    frequencies, power = signal.welch(samples, rate, nperseg=2048)
    inside = power[(frequencies > 300) & (frequencies < 3400)].sum()
    assert power[(frequencies < 200) | (frequencies > 3700)].sum() < inside / 1000


def test_stereo_holds_one_speaker_a_channel() -> None:
    samples, rate = soundfile.read(STEREO, dtype="float32")
    sentences = speech("roleplay-swapped")
    spoken = [mask(sentences[sentences["speaker"] == speaker], len(samples), rate) for speaker in ("S1", "S2")]
    for channel, other in ((0, 1), (1, 0)):
        assert decibels(samples[spoken[channel], channel]) > -28
        alone = spoken[other] & ~(signal.fftconvolve(spoken[channel], np.ones(rate // 4))[: len(samples)] > 0.5)
        assert decibels(samples[alone, channel]) < -50


def test_roles_and_voices_are_swapped() -> None:
    first, second = (script.read(HERE / "scripts" / f"roleplay-{name}.txt").voices for name in ("alcohol", "swapped"))
    assert first["interviewer"].name == second["client"].name
    assert first["client"].name == second["interviewer"].name


@pytest.mark.parametrize(
    ("file", "megabytes"),
    [("roleplay-alcohol.ogg", 1.5), ("roleplay-swapped.flac", 2), (STEREO.name, 2), ("session-20-minutes.ogg", 4)],
)
def test_files_are_small(file: str, megabytes: float) -> None:
    assert (HERE / file).stat().st_size < megabytes * 1e6


@each
def test_recording_has_its_length(name: str) -> None:
    shortest, longest = MINUTES[name]
    assert shortest <= soundfile.info(HERE / SOUNDS[name]).duration / 60 <= longest


@each
def test_readme_counts(name: str) -> None:
    """Every figure of the README's table is the truth's."""
    readme = (HERE / "README.md").read_text(encoding="utf-8")
    header, row = (
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in re.findall(rf"^\| (?:recording|`{name}`) .*$", readme, re.MULTILINE)
    )
    table = truth(name)
    text, coded = " ".join(table["text"]), codes(name)
    seconds = round(soundfile.info(HERE / SOUNDS[name]).duration)
    expected = {
        "length": f"{seconds // 60}:{seconds % 60:02d}",
        "utterances": str(len(table)),
        "words": str(len(text.split())),
        "um, uh": str(len(re.findall(r"\b(?:um|uh)\b(?!-)", text, re.IGNORECASE))),
        "listening": str(table["text"].str.fullmatch(LISTENING_NOISES, case=False).sum()),
        "open": str(coded["question_open"]),
        "closed": str(coded["question_closed"]),
        "simple": str(coded["reflection_simple"]),
        "complex": str(coded["reflection_complex"]),
        "information": str(coded["information"]),
        "change": str(coded["change"]),
        "sustain": str(coded["sustain"]),
        "neutral": str(coded["neutral"]),
    }
    assert dict(zip(header[2:], row[2:], strict=True)) == expected


def test_long_session_is_rich_enough_for_the_benchmark() -> None:
    table = truth("session-20-minutes")
    text = " ".join(table["text"])
    assert len(re.findall(r"\b(?:um|uh)\b(?!-)", text, re.IGNORECASE)) >= 70
    assert table["text"].str.fullmatch(LISTENING_NOISES, case=False).sum() >= 40


def test_script_line_with_pauses_and_listening_noises() -> None:
    line = script._line("C -0.25 sustain: Well, it is. {Mm-hm.} (0.8) I do {Uh-huh.} need that. And so.", "here")
    assert (line.role, line.gap, line.codes) == ("client", -0.25, ("sustain",))
    assert line.text == "Well, it is. I do need that. And so."
    assert line.pieces == (
        Piece("Well, it is.", None, (Noise(12, "Mm-hm."),)),
        Piece("I do need that.", 0.8, (Noise(4, "Uh-huh."),)),
        Piece("And so.", None, ()),
    )


@pytest.mark.parametrize("row", ["C other: No.", "I change: No.", "X neutral: No.", "C neutral:", "C +x neutral: No."])
def test_script_line_that_does_not_fit_is_named(row: str) -> None:
    with pytest.raises(ValueError, match=r"a\.txt, line 3"):
        script._line(row, "a.txt, line 3")
