"""Finished stages stay finished, unfinished ones leave nothing that counts."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from pipeline.run.stage_cache import Kept, Workbench, digest
from pipeline.timeline import Span, Word


@dataclass(frozen=True)
class Heard:
    words: tuple[Word, ...]
    engine: dict[str, str]


HEARD = Heard((Word(Span(0, 250), "So,", 0.5, "S1"), Word(Span(250, 900), "naïve — “right”?", 1.0)), {"name": "test"})
KEPT = Kept.dataclass(Heard)


def test_result_is_computed_once_and_read_back_equal(tmp_path: Path) -> None:
    calls = []

    def compute() -> Heard:
        calls.append(1)
        return HEARD

    bench = Workbench(tmp_path)
    assert not bench.has("transcribe", "k1")
    assert bench.result("transcribe", "k1", KEPT, compute) == HEARD
    assert bench.has("transcribe", "k1")
    assert Workbench(tmp_path).result("transcribe", "k1", KEPT, compute) == HEARD
    assert len(calls) == 1


def test_other_inputs_are_another_result(tmp_path: Path) -> None:
    bench = Workbench(tmp_path)
    bench.result("transcribe", "k1", KEPT, lambda: HEARD)
    other = Heard((), {})
    assert bench.result("transcribe", "k2", KEPT, lambda: other) == other


def test_failing_stage_is_not_finished_and_can_be_run_again(tmp_path: Path) -> None:
    def fail() -> Heard:
        raise RuntimeError("engine gave up")

    bench = Workbench(tmp_path)
    with pytest.raises(RuntimeError, match="gave up"):
        bench.result("diarize", "k", KEPT, fail)
    assert not bench.has("diarize", "k")
    assert bench.result("diarize", "k", KEPT, lambda: HEARD) == HEARD


def test_half_written_result_of_a_killed_run_does_not_count(tmp_path: Path) -> None:
    class Half(dict[str, bytes]):
        def items(self) -> Any:
            yield "result.json", b'{"words": ['
            raise KeyboardInterrupt

    bench = Workbench(tmp_path)
    with pytest.raises(KeyboardInterrupt):
        bench.result("diarize", "k", Kept(lambda value: Half(), KEPT.load), lambda: HEARD)
    assert not bench.has("diarize", "k")
    assert bench.result("diarize", "k", KEPT, lambda: HEARD) == HEARD


def test_digest_depends_on_values_and_not_on_the_order_of_keys() -> None:
    assert digest({"a": 1, "b": 2}) == digest({"b": 2, "a": 1})
    assert digest({"a": 1}, "x") != digest({"a": 1}, "y")
    assert digest() == "4f53cda18c2baa0c0354bb5f9a3ecbe5ed12ab4d8e11ba873c2f11161202b945"  # sha256 of "[]"
