"""The examples in the docstrings of the measures are true."""

from __future__ import annotations

import doctest
import importlib
import pkgutil

import pytest

from pipeline import measures

MODULES = [module.name for module in pkgutil.walk_packages(measures.__path__, "pipeline.measures.")]


@pytest.mark.parametrize("name", MODULES)
def test_the_examples_of_a_module_give_what_they_say(name: str) -> None:
    assert doctest.testmod(importlib.import_module(name)).failed == 0


def test_modules_with_examples_are_among_them() -> None:
    assert {"pipeline.measures.session.counts", "pipeline.measures.drift.sentences"} <= set(MODULES)
