"""What goes to a language model and comes from it, with a model of which all is known, on invented sessions."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray

from pipeline.coding.inference.classifier import DECISIONS
from pipeline.coding.training import data
from tests.benchmarks import language_models
from tests.coding.invented import write_annomi

OPENING, ASKING, ANSWERED, NAME = 7, 2, 1, 1


def encode(text: str) -> list[int]:
    """A piece a word; the sentence that opens a session and the two marks have lengths of their own."""
    if text.startswith("Transcript"):
        return [0] * OPENING
    return {language_models.ASKING: [1] * ASKING, language_models.ANSWERED: [2]}.get(
        text, [10 + int(word) if word.isdigit() else 3 for word in text.split()]
    )


def states(pieces: list[int]) -> NDArray[np.float32]:
    """One layer, one number: the position of a piece counts a thousandth, what it is a whole."""
    return np.array([[[piece + position / 1000] for position, piece in enumerate(pieces)]], dtype=np.float32)


def tape(texts: list[str]) -> pd.DataFrame:
    roles = ["interviewer", "client"] * len(texts)
    return pd.DataFrame({"role": roles[: len(texts)], "text": texts, "target_behavior": "walking"})


def test_a_vector_holds_the_mean_of_the_words_and_what_stands_where_the_code_is_asked_for() -> None:
    vectors = language_models.vectors(tape(["1 3", "5"]), encode, states)
    # 7 open; the name is 7, the words 8 and 9, the asking 10 and 11; 12 closes; name 13, word 14, asking 15 and 16.
    np.testing.assert_allclose(vectors[0], [[12.0085, 1.011], [15.014, 1.016]], atol=1e-5)


def test_a_long_session_is_read_in_passages_that_hold_what_was_said_before() -> None:
    texts = [" ".join(["1"] * 96)] * 30  # with name and marks a hundred pieces each
    given = list(language_models.passages(tape(texts), encode))
    assert [row for passage in given for row, *_ in passage.positions] == list(range(30))
    assert all(len(passage.pieces) <= language_models.ROOM for passage in given)
    # 10 fit behind the opening: the first all new, each later one with three that were read before.
    assert [len(passage.positions) for passage in given] == [10, 7, 7, 6]
    assert given[1].positions[0][1] == OPENING + 3 * 100 + NAME


def test_an_utterance_longer_than_a_passage_is_cut_and_read() -> None:
    (passage,) = language_models.passages(tape([" ".join(["1"] * 5000)]), encode)
    assert len(passage.pieces) == OPENING + NAME + language_models.LONGEST + ASKING + ANSWERED


@pytest.mark.engines
def test_the_regressions_find_what_is_plain(tmp_path: Path) -> None:
    table = data.read(write_annomi(tmp_path))
    answers = table["text"].rank(method="dense").astype(int).to_numpy() % 64
    plain = np.eye(64, dtype=np.float32)[answers]
    is_question = language_models.heads(table, np.hstack([plain, plain]))[:, DECISIONS.index("question")] > 0
    asked = table["question"].notna()
    assert (is_question == (table["question"] == 1))[asked].mean() > 0.9
