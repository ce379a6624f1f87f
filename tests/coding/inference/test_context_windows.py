from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.coding.inference import context_windows as module
from pipeline.coding.inference.context_windows import (
    MAX_UTTERANCE_PIECES,
    MIN_PIECES_AFTER,
    MIN_PIECES_BEFORE,
    WINDOW_PIECES,
    WindowTokenizer,
    context_windows,
)
from tests.coding.invented import write_encoder


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory: pytest.TempPathFactory) -> WindowTokenizer:
    return WindowTokenizer((write_encoder(tmp_path_factory.mktemp("encoder") / "tiny") / "tokenizer.json").read_text())


def session(lengths: list[int], tape: str = "a") -> pd.DataFrame:
    return pd.DataFrame(
        {
            "tape_id": tape,
            "role": ["client" if number % 2 else "interviewer" for number in range(len(lengths))],
            "text": ["okay " * length for length in lengths],
            "target_behavior": "walking more",
        }
    )


@given(st.lists(st.integers(0, 200), min_size=1, max_size=120))
def test_every_utterance_is_coded_once_in_a_window_that_fits(tokenizer: WindowTokenizer, lengths: list[int]) -> None:
    windows = list(context_windows(session(lengths), tokenizer))
    coded = [utterance.row for window in windows for utterance in window.utterances]
    assert coded == list(range(len(lengths)))
    assert max(len(window.pieces) for window in windows) <= WINDOW_PIECES
    for window in windows:
        for utterance in window.utterances:
            assert utterance.end - utterance.start == min(lengths[utterance.row], MAX_UTTERANCE_PIECES) + 2


def test_a_coded_utterance_has_context_before_and_after(tokenizer: WindowTokenizer) -> None:
    windows = list(context_windows(session([10] * 200), tokenizer))
    assert len(windows) > 5
    for window in windows[1:-1]:
        assert window.utterances[0].start >= MIN_PIECES_BEFORE - 12
        assert len(window.pieces) - window.utterances[-1].end >= MIN_PIECES_AFTER
    assert windows[0].utterances[0].row == 0
    assert windows[-1].utterances[-1].end == len(windows[-1].pieces)


def test_a_window_holds_one_tape(tokenizer: WindowTokenizer) -> None:
    both = pd.concat([session([5, 5]), session([3], "b")], ignore_index=True)
    assert [[utterance.row for utterance in window.utterances] for window in context_windows(both, tokenizer)] == [
        [0, 1],
        [2],
    ]


def test_each_role_has_its_word(tokenizer: WindowTokenizer) -> None:
    openings = {tokenizer.utterance(role, "okay")[0] for role in ("interviewer", "client", "unknown")}
    assert len(openings) == 3
    assert tokenizer.utterance("other", "okay") == tokenizer.utterance("unknown", "okay")


def test_of_a_long_utterance_the_start_and_the_end_are_read(tokenizer: WindowTokenizer) -> None:
    pieces = tokenizer.utterance("client", "walking " * 100 + "sleeping " * 100)
    walking, sleeping = tokenizer.utterance("client", "walking sleeping")[1:3]
    inner = np.array(pieces[1:-1])
    assert len(inner) == MAX_UTTERANCE_PIECES
    assert (inner == walking).sum() == module.MAX_LEADING_PIECES
    assert (inner == sleeping).sum() == MAX_UTTERANCE_PIECES - module.MAX_LEADING_PIECES


@pytest.mark.parametrize("text", ["", "{}", '{"model": 1}'])
def test_what_is_no_tokenizer_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="no tokenizer"):
        WindowTokenizer(text)


def test_a_tokenizer_without_our_words_is_refused(tmp_path: Path) -> None:
    path = write_encoder(tmp_path / "tiny") / "tokenizer.json"
    with pytest.raises(ValueError, match="without 'therapist'"):
        WindowTokenizer(path.read_text().replace('"therapist"', '"counselor"'))
