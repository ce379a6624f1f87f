from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.coding.inference import context_windows as module
from pipeline.coding.inference.context_windows import AFTER, BEFORE, LONGEST, SIZE, Reader, windows
from tests.coding.invented import write_encoder


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory) -> Reader:
    return Reader((write_encoder(tmp_path_factory.mktemp("encoder") / "tiny") / "tokenizer.json").read_text())


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
def test_every_utterance_is_coded_once_in_a_window_that_fits(reader: Reader, lengths: list[int]) -> None:
    found = list(windows(session(lengths), reader))
    coded = [span.row for window in found for span in window.spans]
    assert coded == list(range(len(lengths)))
    assert max(len(window.pieces) for window in found) <= SIZE
    for window in found:
        for span in window.spans:
            assert span.end - span.start == min(lengths[span.row], LONGEST) + 2


def test_an_utterance_sees_what_stands_around_it(reader: Reader) -> None:
    found = list(windows(session([10] * 200), reader))
    assert len(found) > 5
    for window in found[1:-1]:
        assert window.spans[0].start >= BEFORE - 12
        assert len(window.pieces) - window.spans[-1].end >= AFTER
    assert found[0].spans[0].row == 0
    assert found[-1].spans[-1].end == len(found[-1].pieces)


def test_tapes_do_not_see_each_other(reader: Reader) -> None:
    both = pd.concat([session([5, 5]), session([3], "b")], ignore_index=True)
    assert [[span.row for span in window.spans] for window in windows(both, reader)] == [[0, 1], [2]]


def test_roles_are_told(reader: Reader) -> None:
    openings = {reader.utterance(role, "okay")[0] for role in ("interviewer", "client", "unknown")}
    assert len(openings) == 3
    assert reader.utterance("other", "okay") == reader.utterance("unknown", "okay")


def test_of_a_long_utterance_the_start_and_the_end_are_read(reader: Reader) -> None:
    pieces = reader.utterance("client", "walking " * 100 + "sleeping " * 100)
    walking, sleeping = reader.utterance("client", "walking sleeping")[1:3]
    inner = np.array(pieces[1:-1])
    assert len(inner) == LONGEST
    assert (inner == walking).sum() == module.START_OF_LONGEST
    assert (inner == sleeping).sum() == LONGEST - module.START_OF_LONGEST


@pytest.mark.parametrize("text", ["", "{}", '{"model": 1}'])
def test_what_is_no_tokenizer_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="no tokenizer"):
        Reader(text)


def test_a_tokenizer_without_our_words_is_refused(tmp_path: Path) -> None:
    path = write_encoder(tmp_path / "tiny") / "tokenizer.json"
    with pytest.raises(ValueError, match="without 'therapist'"):
        Reader(path.read_text().replace('"therapist"', '"counselor"'))
