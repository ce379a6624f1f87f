"""Stages run when what they take is there, once, side by side where they can, and with what they declare alone."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest

from pipeline import settings
from pipeline.run.engines import Engines
from pipeline.run.stage import Stage, StageContext
from pipeline.run.stage_cache import FolderStageStore, ResultFormat
from pipeline.run.stage_runner import StageRunner
from pipeline.speech.cores import Cores, StoppedError

PATIENCE = 20.0
TEXT = ResultFormat[str](lambda text: {"text": text.encode()}, lambda files: files["text"].decode())


class Watch:
    def __init__(self) -> None:
        self.events: list[tuple[str, Any]] = []

    def started(self, stage: str) -> None: ...

    def progressed(self, stage: str, fraction: float) -> None:
        self.events.append((stage, fraction))

    def finished(self, stage: str, reused: bool) -> None:
        self.events.append((stage, "reused" if reused else "computed"))


def runner(*stages: Stage[str]) -> tuple[StageRunner, Watch]:
    watch, keys = Watch(), {stage.name: f"key-of-{stage.name}" for stage in stages}
    inputs = {"first": 1, "second": 2}
    return StageRunner(stages, keys, inputs, Engines(settings.load().settings), Cores(1), watch), watch


def joined(name: str) -> Any:
    return lambda context, *texts: f"{name}({','.join(texts)})"


def chain() -> tuple[Stage[str], ...]:
    return (
        Stage("a", "", joined("a"), format=TEXT),
        Stage("b", "", joined("b"), takes=("a",), format=TEXT),
        Stage("c", "", joined("c"), takes=("a",), format=TEXT),
        Stage("d", "", joined("d"), takes=("b", "c"), format=TEXT),
        Stage("e", "", joined("e"), takes=("a", "d")),
    )


def test_a_stage_gets_the_results_that_it_takes_in_their_order(tmp_path: Path) -> None:
    run, watch = runner(*chain())
    assert run.results(FolderStageStore(tmp_path), ("e",))["e"] == "e(a(),d(b(a()),c(a())))"
    assert sorted(watch.events) == [(name, "computed") for name in "abcde"]


def test_a_finished_stage_is_read_back_and_needs_nothing_before_it(tmp_path: Path) -> None:
    store = FolderStageStore(tmp_path)
    store.write("d", "key-of-d", {"text": b"stored"})
    run, watch = runner(*chain())
    assert run.results(store, ("d",)) == {"d": "stored"}
    assert watch.events == [("d", "reused")]
    assert run.results(store, ("e",))["e"] == "e(a(),stored)"


def test_a_result_without_a_format_is_computed_each_time(tmp_path: Path) -> None:
    store = FolderStageStore(tmp_path)
    run, watch = runner(Stage("a", "", joined("a")))
    run.results(store, ("a",))
    run.results(store, ("a",))
    assert watch.events == [("a", "computed")] * 2


def test_a_stage_sees_the_inputs_that_it_declares_and_no_others(tmp_path: Path) -> None:
    run, _ = runner(Stage("a", "", lambda context: str(dict(context.inputs)), inputs=("second",)))
    assert run.results(FolderStageStore(tmp_path), ("a",)) == {"a": "{'second': 2}"}


def test_stages_that_do_not_take_each_other_run_side_by_side(tmp_path: Path) -> None:
    meeting = threading.Barrier(2, timeout=PATIENCE)

    def meet(context: StageContext) -> str:
        meeting.wait()
        return "met"

    run, _ = runner(Stage("a", "", meet), Stage("b", "", meet))
    assert run.results(FolderStageStore(tmp_path), ("a", "b")) == {"a": "met", "b": "met"}


def test_a_stage_that_failed_is_not_finished_and_those_before_it_stay(tmp_path: Path) -> None:
    def fail(context: StageContext, text: str) -> str:
        raise RuntimeError("engine gave up")

    store, first = FolderStageStore(tmp_path), Stage("a", "", joined("a"), format=TEXT)
    run, _ = runner(first, Stage("b", "", fail, takes=("a",), format=TEXT))
    with pytest.raises(RuntimeError, match="gave up"):
        run.results(store, ("b",))
    assert store.has("a", "key-of-a")
    assert not store.has("b", "key-of-b")
    again, watch = runner(first, Stage("b", "", joined("b"), takes=("a",), format=TEXT))
    assert again.results(store, ("b",))["b"] == "b(a())"
    assert watch.events == [("a", "reused"), ("b", "computed")]


def test_progress_goes_to_the_observer_until_the_run_is_stopped(tmp_path: Path) -> None:
    def work(context: StageContext) -> str:
        context.progress(0.25)
        context.cores.stop()
        context.progress(0.5)
        return ""

    run, watch = runner(Stage("a", "", work))
    with pytest.raises(StoppedError):
        run.results(FolderStageStore(tmp_path), ("a",))
    assert watch.events == [("a", 0.25)]
