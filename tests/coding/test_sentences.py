"""spaCy's sentence starts, as word indices; and what they add to finding thoughts."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipeline import model_catalog, settings
from pipeline.coding import sentences
from pipeline.coding.segmentation import utterances
from pipeline.coding.sentences import SpacySentenceFinder
from pipeline.errors import ModelError
from pipeline.timeline import Turn
from tests.coding.test_segmentation import FixedRoles, blocks, f1, spoken


@pytest.fixture(scope="module")
def finder() -> Iterator[SpacySentenceFinder]:
    loaded = settings.load().settings
    entry = model_catalog.entry(loaded.coding.sentences, loaded.models)
    if entry is not None and not model_catalog.installed(entry, loaded.models):
        pytest.skip(f"{entry.name} is not installed: run `tape-review models --fetch`")
    return sentences.load(loaded)


@pytest.mark.engines
def test_starts_are_word_indices(finder: SpacySentenceFinder) -> None:
    texts = ["So you feel torn. What would help?", "Don't you think so? I can't.", "Mm-hm.", ""]
    assert finder(texts) == [[4], [4], [], []]


@pytest.mark.engines
def test_odd_blanks_do_not_shift_the_indices(finder: SpacySentenceFinder) -> None:
    assert finder(["It is  hard. I stopped."]) == [[4]]  # "It", "is", "", "hard."


@pytest.mark.engines
@pytest.mark.parametrize(("block", "least"), [(0, 0.97), (1, 0.9), (2, 0.84)])
def test_thoughts_end_where_people_hear_them_end(finder: SpacySentenceFinder, block: int, least: float) -> None:
    lines = blocks()[block]
    starts = finder([" ".join(word.text for word in spoken(line)[0]) for line in lines])
    assert f1(lines, starts) >= least


@pytest.mark.engines
def test_a_tape_of_three_thousand_words_takes_less_than_three_seconds(finder: SpacySentenceFinder) -> None:
    tape = [Turn("S1", spoken(line)[0]) for block in blocks() for line in block] * 3
    assert sum(len(turn.words) for turn in tape) > 3000
    finder(["load"])
    start = time.process_time()
    utterances(tape, FixedRoles(), finder)
    assert time.process_time() - start < 3


@pytest.mark.engines
def test_a_folder_without_a_model_is_an_error_with_a_remedy(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"TR-M07 language model .* cannot be loaded .*; fetch it again"):
        SpacySentenceFinder(tmp_path)(["Hello."])


@pytest.mark.engines
def test_a_model_that_finds_no_sentences_is_an_error_with_a_remedy(tmp_path: Path) -> None:
    import spacy

    spacy.blank("en").to_disk(tmp_path / "blank")
    with pytest.raises(ModelError, match=r"TR-M07 .* finds no sentences; name a spaCy model with a parser"):
        SpacySentenceFinder(tmp_path / "blank")(["Hello."])


def test_nothing_loads_before_the_first_text(tmp_path: Path) -> None:
    assert SpacySentenceFinder(tmp_path / "nothing").folder == tmp_path / "nothing"
