"""Counts of misrecognized words, and texts changed by them."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from pipeline.coding.training import asr_confusions
from pipeline.coding.training.asr_confusions import COLUMNS, PSEUDO_COUNT, AsrConfusions
from pipeline.errors import CodingError

COUNTS = pd.DataFrame(
    [(0, "quit", "kit", 1), (0, "quit", "quit", 2), (1, "quit", "", 2), (1, "yes", "", 1), (1, "yes", "yes", 4)],
    columns=list(COLUMNS),
)


def test_shares_are_of_the_times_a_phrase_is_spoken() -> None:
    # "quit" is spoken five times, "yes" five times.
    shares = AsrConfusions.of(COUNTS).shares
    assert shares == {
        "quit": {"": 2 / (5 + PSEUDO_COUNT), "kit": 1 / (5 + PSEUDO_COUNT)},
        "yes": {"": 1 / (5 + PSEUDO_COUNT)},
    }


def test_the_fold_that_is_left_out_does_not_count() -> None:
    assert AsrConfusions.of(COUNTS, without=1).shares == {"quit": {"kit": 1 / (3 + PSEUDO_COUNT)}}
    assert AsrConfusions.of(COUNTS, without=0).shares == {
        "quit": {"": 2 / (2 + PSEUDO_COUNT)},
        "yes": {"": 1 / (5 + PSEUDO_COUNT)},
    }


def test_words_are_confused_as_often_as_counted_and_keep_their_marks() -> None:
    confuse = AsrConfusions({"to quit": {"the kit": 0.5}, "quit": {"": 0.25, "kit": 0.25}})
    draw = np.random.default_rng(0)
    texts = [confuse("You want to quit?", draw) for _ in range(4000)]
    assert set(texts) == {"You want the kit?", "You want to kit?", "You want to", "You want to quit?"}
    assert texts.count("You want the kit?") / 4000 == pytest.approx(0.5, abs=0.03)
    assert texts.count("You want to kit?") / 4000 == pytest.approx(0.5 * 0.25, abs=0.02)
    assert confuse("Nothing here.", draw) == "Nothing here."
    assert AsrConfusions({"yes": {"": 1.0}})("Yes.", draw) == "Yes."  # an utterance does not become empty


def test_a_table_comes_back_as_it_was_stored(tmp_path: Path) -> None:
    path = tmp_path / "mishearings.csv"
    COUNTS.to_csv(path, index=False)
    pd.testing.assert_frame_equal(asr_confusions.read(path), COUNTS)


@pytest.mark.parametrize("content", [None, "", "a,b\n1,2\n"])
def test_a_table_that_is_none_is_named(tmp_path: Path, content: str | None) -> None:
    path = tmp_path / "mishearings.csv"
    if content is not None:
        path.write_text(content)
    with pytest.raises(CodingError, match=r"TR-C05 mishearings .*mishearings\.csv"):
        asr_confusions.read(path)
