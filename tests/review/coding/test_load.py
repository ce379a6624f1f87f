"""Fifteen coders at once: nothing is lost. How long it takes is measured by ``python -m tests.benchmarks.coders``."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.benchmarks import coders


@pytest.mark.engines
def test_fifteen_coders_at_once_lose_nothing(tmp_path: Path) -> None:
    measured = coders.load(tmp_path / "home", coders=15, codes=6, pause=0.05, utterances=20)
    assert measured.stored == measured.sent
    assert len(measured.sent) == 15
    assert measured.folded
    print(f"p95 {measured.percentile(0.95):.0f} ms, p99 {measured.percentile(0.99):.0f} ms")
