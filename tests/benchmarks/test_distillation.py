"""How a language model reads sessions and learns from them, and whose answers teach whom; with a tiny model."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import torch
from torch import Tensor, nn

from pipeline.coding.inference.classifier import DECISIONS, NETWORK_OUTPUTS
from pipeline.coding.inference.context_windows import context_windows
from pipeline.coding.training import data, distillation, finetuning
from pipeline.coding.training.augmentation import word_noise
from pipeline.settings import project_folder
from tests.benchmarks import distillation as benchmark
from tests.benchmarks.distillation import LONGEST, START, Script
from tests.coding.invented import write_annomi

pytestmark = pytest.mark.engines

WIDTH, PIECES = 16, 300


def encode(text: str) -> list[int]:
    """A piece a word, and one for a line break."""
    return [sum(map(ord, word)) % (PIECES - 2) + 2 for word in text.split()] + [1] * text.count("\n")


class Embedding(nn.Module):
    """A language model in one piece: it sees a piece and the mean of those before it."""

    def __init__(self) -> None:
        super().__init__()
        self.words = nn.Embedding(PIECES, WIDTH)

    def forward(self, input_ids: Tensor, attention_mask: Tensor, use_cache: bool) -> SimpleNamespace:
        states = self.words(input_ids) * attention_mask[..., None]
        so_far = states.cumsum(dim=1) / torch.arange(1, states.shape[1] + 1)[:, None]
        return SimpleNamespace(last_hidden_state=states + so_far)


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> pd.DataFrame:
    return data.read(write_annomi(tmp_path_factory.mktemp("data")))


def test_a_session_is_read_as_a_script_and_a_long_utterance_from_both_ends() -> None:
    script = Script(lambda text: list(map(ord, text)))
    assert "".join(map(chr, script.utterance("client", "I could."))) == "Client: I could.\n"
    assert "".join(map(chr, script.opening("walking"))).startswith(
        "Transcript of a motivational interviewing session a"
    )
    words = Script(encode)
    text = " ".join(f"{number}" for number in range(500))
    pieces = words.utterance("interviewer", text)
    assert pieces[1 : 1 + START] == tuple(encode(text)[:START])
    assert pieces[1 + START : -1] == tuple(encode(text)[START - LONGEST :])


def test_windows_are_as_long_as_a_language_model_reads(table: pd.DataFrame) -> None:
    script = Script(encode)
    rows = table.assign(tape_id="one", text="word " * 60, target_behavior="walking")
    windows = list(context_windows(rows, script))
    assert sorted(utterance.row for window in windows for utterance in window.utterances) == list(range(len(rows)))
    assert Script.size - 70 < max(len(window.pieces) for window in windows) <= Script.size


def test_a_language_model_learns_what_is_plain(table: pd.DataFrame, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(benchmark, "adapted", lambda model: model)
    monkeypatch.setattr(benchmark, "RATE", 0.02)
    monkeypatch.setattr(benchmark, "HEAD_LEARNING_RATE", 0.01)
    script = Script(encode)
    away = table["fold"] == 0
    network = benchmark.learned(Embedding(), script, table[~away], word_noise, WIDTH)
    scores = finetuning.scores(network, script, table[away])
    asked = table.loc[away, "question"].to_numpy(dtype=float)
    is_question = scores[:, DECISIONS.index("question")] > 0
    assert (is_question == asked)[~np.isnan(asked)].mean() > 0.9


def test_learners_hear_what_saw_neither_their_fold_nor_the_utterances(table: pd.DataFrame, tmp_path: Path) -> None:
    folds = list(range(5))
    for without in benchmark.wanted(folds):
        rows = int(table["fold"].isin(without).sum())
        name = float("".join(map(str, without)))
        np.savez(benchmark.kept(tmp_path, without), told=np.full((rows, NETWORK_OUTPUTS), name))
    given = benchmark.answers(table, tmp_path)
    for without in (None, *folds):
        labels = given.scores(table, without)[:, 0]
        for fold, score in zip(table["fold"], labels, strict=True):
            unseen = {fold} if without is None else {fold, without}
            expected = np.nan if fold == without else float("".join(map(str, sorted(unseen))))
            np.testing.assert_equal(score, expected)


def test_what_ships_answers_about_every_utterance() -> None:
    answers = distillation.read(project_folder("models") / "teacher" / "answers.csv.gz").table
    assert set(answers["without"].dropna()) == set(range(5))
    times = answers.groupby(["tape_id", "utterance_id"])["without"].agg(["size", "nunique"])
    assert (times["size"] == 5).all()  # by what saw all other folds, and by what lacked one of four more
    assert (times["nunique"] == 4).all()
    assert np.isfinite(answers[list(distillation.COLUMNS[3:])].to_numpy()).all()
