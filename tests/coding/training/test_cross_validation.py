"""The tagger on folds that share no family."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from pipeline.coding.training import cross_validation, evaluation, finetuning
from pipeline.coding.training.cross_validation import splits
from pipeline.coding.training.distillation import SoftLabels
from pipeline.coding.training.folds import TrainingData
from pipeline.coding.training.tagger_files import FittedTagger
from tests.coding.conftest import CONFUSIONS


@pytest.fixture(scope="module")
def trained(sessions: pd.DataFrame, encoder: Path, no_soft_labels: SoftLabels) -> FittedTagger:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(finetuning, "EPOCHS", 1)
        return cross_validation.train(TrainingData(sessions, encoder, CONFUSIONS, no_soft_labels), [0])


def test_no_family_is_both_trained_on_and_measured(sessions: pd.DataFrame) -> None:
    rows = 0
    for fold, rest, held_out in splits(sessions["fold"].to_numpy()):
        assert set(sessions["fold"].iloc[held_out]) == {fold}
        assert not set(sessions["family"].iloc[rest]) & set(sessions["family"].iloc[held_out])
        rows += len(held_out)
    assert rows == len(sessions)


@pytest.mark.engines
def test_a_trained_tagger_finds_plain_questions(sessions: pd.DataFrame, trained: FittedTagger) -> None:
    folds = trained.folds[trained.folds["variant"] == "written"]
    joined = evaluation.join_predictions(sessions, folds)
    assert len(joined) == len(sessions)
    interviewer = joined[joined["role"] == "interviewer"]
    tagged = interviewer["codes"].str.contains("question")
    assert (tagged == (interviewer["question"] == 1)).mean() > 0.95
    assert not joined["codes"].eq("").any()
