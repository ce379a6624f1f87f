"""The examples in the docstrings of the tagger's modules."""

from __future__ import annotations

import doctest
from types import ModuleType

import pytest

from pipeline.coding import crosswalk
from pipeline.coding.inference import features, onnx_scorer
from pipeline.coding.training import onnx_export


@pytest.mark.parametrize("module", [crosswalk, features, onnx_scorer, onnx_export], ids=lambda module: module.__name__)
def test_the_examples_hold(module: ModuleType) -> None:
    results = doctest.testmod(module)
    assert results.attempted > 0
    assert results.failed == 0
