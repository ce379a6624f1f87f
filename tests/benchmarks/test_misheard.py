"""What is learned of mishearings and how it is put into texts; what a room does to a voice."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tests.benchmarks import misheard
from tests.benchmarks.misheard import RATE, Mishearings, heard, in_a_room, some_sessions


def test_what_a_phrase_is_taken_for_is_counted_against_the_times_it_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(misheard, "UNSURE", 1)
    said = ["you want to quit", "you quit smoking", "quit", "yes", "", "hm"]
    found = ["you want the kit", "you quit smoking", "kit", "yes and", "noise", ""]
    shares = Mishearings.learned(said, found).shares
    # "to quit" is said once, and once taken for "the kit"; "quit" is said three times, and once taken for "kit".
    assert shares == {"to quit": {"the kit": 1 / 2}, "quit": {"kit": 1 / 4}}


def test_lost_words_are_learned_and_long_passages_are_not() -> None:
    shares = Mishearings.learned(["i am not sure", "one two three four"], ["i am sure", "five six seven eight"]).shares
    assert shares == {"not": {"": 1 / (1 + misheard.UNSURE)}}


def test_words_are_misheard_as_often_as_learned_and_keep_their_marks() -> None:
    mishearings = Mishearings({"to quit": {"the kit": 0.5}, "quit": {"": 0.25, "kit": 0.25}})
    draw = np.random.default_rng(0)
    texts = [mishearings("You want to quit?", draw) for _ in range(4000)]
    assert set(texts) == {"You want the kit?", "You want to kit?", "You want to", "You want to quit?"}
    assert texts.count("You want the kit?") / 4000 == pytest.approx(0.5, abs=0.03)
    assert texts.count("You want to kit?") / 4000 == pytest.approx(0.5 * 0.25, abs=0.02)
    assert mishearings("Nothing here.", draw) == "Nothing here."
    assert Mishearings({"yes": {"": 1.0}})("Yes.", draw) == "Yes."  # an utterance does not become empty


def test_a_room_leaves_the_voice_where_it_is_and_adds_its_noise(monkeypatch: pytest.MonkeyPatch) -> None:
    click = np.zeros(2 * RATE, dtype=np.float32)
    click[RATE // 2] = 1
    monkeypatch.setattr(misheard, "NOISE", 200.0)
    far = in_a_room(click, np.random.default_rng(0))
    assert far.shape == click.shape
    assert int(np.abs(far).argmax()) == RATE // 2
    echo = far.astype(float) - click
    assert -10 * np.log10((echo**2).sum()) == pytest.approx(misheard.DIRECT, abs=0.3)
    monkeypatch.setattr(misheard, "NOISE", 12.0)
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

    monkeypatch.setattr(misheard, "recognized", recognized)
    monkeypatch.setattr(misheard.transcriber, "load", lambda _: None)
    kept = tmp_path / "heard.json"
    first = heard(table, kept, 0)
    assert list(first["text"]) == [f"heard {text}" for text in table["text"]]
    assert heard(table, kept, 0)["text"].equals(first["text"])
    assert asked == ["a", "b", "c"]
    assert set(json.loads(kept.read_text())) == {"a", "b", "c"}
