"""A teacher's answers: whose are given to which learner, and what of them is learned."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from pipeline.coding.inference.classifier import DECISIONS, OUTPUTS
from pipeline.coding.training import distillation
from pipeline.coding.training.distillation import COLUMNS, Teacher
from pipeline.errors import CodingError


def answers(*rows: tuple[int | None, str, str, float]) -> pd.DataFrame:
    """Each row all scores alike."""
    found = pd.DataFrame([(*row[:3], *[row[3]] * OUTPUTS) for row in rows], columns=list(COLUMNS))
    return found.astype({"without": "Int64"})


ANSWERS = answers((None, "a", "1", 1.0), (None, "a", "2", 2.0), (0, "a", "1", 3.0), (1, "a", "2", 4.0))
ROWS = pd.DataFrame({"tape_id": ["a", "a", "b"], "utterance_id": ["2", "1", "1"]})


def test_a_learner_hears_what_did_not_see_the_fold_it_is_measured_on() -> None:
    given = Teacher(ANSWERS)
    nan = math.nan
    np.testing.assert_array_equal(given.scores(ROWS), np.repeat([[2.0], [1.0], [nan]], OUTPUTS, axis=1))
    np.testing.assert_array_equal(given.scores(ROWS, 0), np.repeat([[nan], [3.0], [nan]], OUTPUTS, axis=1))
    np.testing.assert_array_equal(given.scores(ROWS, 1)[:, 0], [4.0, nan, nan])
    assert np.isnan(given.scores(ROWS, 2)).all()


def test_answers_come_back_as_they_were_stored(tmp_path: Path) -> None:
    path = tmp_path / "answers.csv.gz"
    ANSWERS.to_csv(path, index=False)
    pd.testing.assert_frame_equal(distillation.read(path).answers, ANSWERS)


@pytest.mark.parametrize("content", [None, "", "a,b\n1,2\n", ",".join(COLUMNS) + "\nfirst,a,1" + ",0" * OUTPUTS + "\n"])
def test_answers_that_are_none_are_named(tmp_path: Path, content: str | None) -> None:
    path = tmp_path / "answers.csv"
    if content is not None:
        path.write_text(content)
    with pytest.raises(CodingError, match=r"TR-C05 teacher .*answers\.csv"):
        distillation.read(path)


@pytest.mark.engines
def test_hand_codes_and_answers_are_mixed(monkeypatch: pytest.MonkeyPatch) -> None:
    import torch

    from pipeline.coding.training import finetuning

    monkeypatch.setattr(finetuning, "TAUGHT", 0.25)
    hard = torch.tensor([[0.96, 0.04], [0.96, 0.04]])
    mixed = finetuning._mixed(hard, torch.tensor([[0.5, 0.2], [math.nan, math.nan]]))
    # 3/4 of .96 and a quarter of .5; 3/4 of .04 and a quarter of .2
    torch.testing.assert_close(mixed, torch.tensor([[0.845, 0.08], [0.96, 0.04]]))


def test_every_score_is_stored_under_its_name() -> None:
    assert len(COLUMNS) == 3 + OUTPUTS
    assert COLUMNS[3 : 3 + len(DECISIONS)] == DECISIONS
