"""Invented sessions and a tiny encoder, shared by the tests of training."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from pipeline.coding.training import data
from pipeline.coding.training.asr_confusions import COLUMNS as CONFUSION_COLUMNS
from pipeline.coding.training.distillation import COLUMNS as SOFT_LABEL_COLUMNS
from pipeline.coding.training.distillation import SoftLabels
from tests.coding.invented import write_annomi, write_encoder

CONFUSIONS = pd.DataFrame([(0, "help", "kelp", 1), (0, "help", "help", 9)], columns=list(CONFUSION_COLUMNS))


@pytest.fixture(scope="session")
def annomi_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_annomi(tmp_path_factory.mktemp("data"))


@pytest.fixture(scope="session")
def sessions(annomi_folder: Path) -> pd.DataFrame:
    return data.read(annomi_folder)


@pytest.fixture(scope="session")
def encoder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_encoder(tmp_path_factory.mktemp("encoder") / "tiny")


@pytest.fixture(scope="session")
def no_soft_labels() -> SoftLabels:
    return SoftLabels(pd.DataFrame(columns=list(SOFT_LABEL_COLUMNS)))
