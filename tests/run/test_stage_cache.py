"""Finished stages stay finished, unfinished ones leave nothing that counts."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from pipeline.run.stage_cache import FolderStageStore, ResultFormat, digest
from pipeline.timeline import Span, Word


@dataclass(frozen=True)
class Heard:
    words: tuple[Word, ...]
    engine: dict[str, str]


HEARD = Heard((Word(Span(0, 250), "So,", 0.5, "S1"), Word(Span(250, 900), "naïve — “right”?", 1.0)), {"name": "test"})
FORMAT = ResultFormat.dataclass(Heard)


def test_a_result_comes_back_equal_from_the_files_that_were_stored(tmp_path: Path) -> None:
    store = FolderStageStore(tmp_path)
    assert not store.has("transcribe", "k1")
    store.write("transcribe", "k1", FORMAT.save(HEARD))
    assert store.has("transcribe", "k1")
    assert FORMAT.load(FolderStageStore(tmp_path).read("transcribe", "k1")) == HEARD


def test_another_key_is_another_result(tmp_path: Path) -> None:
    store = FolderStageStore(tmp_path)
    store.write("transcribe", "k1", {"a": b"1"})
    store.write("transcribe", "k2", {"a": b"2"})
    assert (store.read("transcribe", "k1"), store.read("transcribe", "k2")) == ({"a": b"1"}, {"a": b"2"})
    assert not store.has("transcribe", "k3")


def test_half_written_result_of_a_killed_run_does_not_count(tmp_path: Path) -> None:
    class Half(dict[str, bytes]):
        def items(self) -> Any:
            yield "result.json", b'{"words": ['
            raise KeyboardInterrupt

    store = FolderStageStore(tmp_path)
    with pytest.raises(KeyboardInterrupt):
        store.write("diarize", "k", Half())
    assert not store.has("diarize", "k")
    store.write("diarize", "k", {"a": b"whole"})
    assert store.read("diarize", "k") == {"a": b"whole"}


def test_digest_depends_on_values_and_not_on_the_order_of_keys() -> None:
    assert digest({"a": 1, "b": 2}) == digest({"b": 2, "a": 1})
    assert digest({"a": 1}, "x") != digest({"a": 1}, "y")
    assert digest() == "4f53cda18c2baa0c0354bb5f9a3ecbe5ed12ab4d8e11ba873c2f11161202b945"  # sha256 of "[]"
