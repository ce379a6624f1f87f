"""What is learned of mishearings and how it is put into texts; what a room does to a voice."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from pipeline.coding.training import asr_confusions
from pipeline.settings import project_folder
from tests.benchmarks import asr_confusions as benchmark
from tests.benchmarks.asr_confusions import RATE, counted, heard, in_a_room, some_sessions


def test_what_a_phrase_is_taken_for_is_counted_against_the_times_it_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(benchmark, "OFTEN", 1)
    spoken = ["you want to quit", "you quit smoking", "quit", "yes", "", "hm"]
    recognized_texts = ["you want the kit", "you quit smoking", "kit", "yes and", "noise", ""]
    counts = counted(spoken, recognized_texts, [0, 0, 1, 1, 1, 1])
    # "to quit" is said once, and taken for "the kit"; "quit" is said three times, and once taken for "kit".
    assert list(counts.itertuples(index=False, name=None)) == [
        (1, "quit", "kit", 1),
        (0, "quit", "quit", 2),
        (1, "quit", "quit", 0),
        (0, "to quit", "the kit", 1),
        (0, "to quit", "to quit", 0),
    ]


def test_lost_words_are_counted_and_long_passages_and_rare_phrases_are_not() -> None:
    spoken = ["i am not sure"] + 3 * ["not"] + ["one two three four", "seldom"]
    recognized_texts = ["i am sure"] + 3 * ["not"] + ["five six seven eight", "seltzer"]
    counts = counted(spoken, recognized_texts, [2] * 6)
    assert list(counts.itertuples(index=False, name=None)) == [(2, "not", "", 1), (2, "not", "not", 3)]


def test_what_ships_is_such_a_table() -> None:
    counts = asr_confusions.read(project_folder("models") / "mishearings" / "mishearings.csv")
    assert set(counts["fold"]) == set(range(5))
    assert (counts.groupby("phrase")["times"].sum() >= benchmark.OFTEN).all()
    assert counts["phrase"].str.split().str.len().between(1, asr_confusions.MAX_PHRASE_WORDS).all()


def test_a_room_leaves_the_voice_where_it_is_and_adds_its_noise(monkeypatch: pytest.MonkeyPatch) -> None:
    click = np.zeros(2 * RATE, dtype=np.float32)
    click[RATE // 2] = 1
    monkeypatch.setattr(benchmark, "NOISE", 200.0)
    far = in_a_room(click, np.random.default_rng(0))
    assert far.shape == click.shape
    assert int(np.abs(far).argmax()) == RATE // 2
    echo = far.astype(float) - click
    assert -10 * np.log10((echo**2).sum()) == pytest.approx(benchmark.DIRECT, abs=0.3)
    monkeypatch.setattr(benchmark, "NOISE", 12.0)
    noisy = in_a_room(click, np.random.default_rng(0)).astype(float) - far
    assert 10 * np.log10((far.astype(float) ** 2).sum() / (noisy**2).sum()) == pytest.approx(12, abs=0.1)


def test_whole_sessions_are_drawn_and_heard_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    table = pd.DataFrame({"tape_id": np.repeat(["a", "b", "c"], 10), "text": [str(number) for number in range(30)]})
    drawn = some_sessions(table, 20, np.random.default_rng(0))
    assert len(drawn) == 20
    assert drawn.groupby("tape_id").size().eq(10).all()
    asked = []

    def recognized(rows: pd.DataFrame, *_: object) -> list[str]:
        asked.append(rows["tape_id"].iloc[0])
        return [f"heard {text}" for text in rows["text"]]

    monkeypatch.setattr(benchmark, "recognized", recognized)
    monkeypatch.setattr(benchmark.transcriber, "load", lambda _: None)
    kept = tmp_path / "heard.json"
    first = heard(table, kept, 0)
    assert list(first["text"]) == [f"heard {text}" for text in table["text"]]
    assert heard(table, kept, 0)["text"].equals(first["text"])
    assert asked == ["a", "b", "c"]
    assert set(json.loads(kept.read_text())) == {"a", "b", "c"}
