from __future__ import annotations

import pytest

from pipeline.coding.crosswalk import translation
from pipeline.formats import codebook_files

PRETAGS, MITI, OARS = (codebook_files.read(name) for name in ("pretags", "miti-4.2", "oars"))
TALK = {"change", "sustain", "neutral"}


def test_the_pretags_as_codes_of_miti() -> None:
    to_miti = translation(PRETAGS, MITI)
    assert to_miti.of(["question_open", "reflection_complex"]) == ("question", "reflection_complex")
    assert to_miti.of(["question_open", "question_closed"]) == ("question",)
    # What MITI has no code for stays, and nothing stands for affirmation or confrontation.
    assert to_miti.of(["change"]) == ("change",)
    expressed = {"question", "reflection_simple", "reflection_complex", "information"}
    assert to_miti.codable == expressed | TALK | {"other"}


def test_a_question_of_either_kind_is_no_open_one() -> None:
    assert translation(MITI, PRETAGS).of(["question", "reflection_simple"]) == ("question", "reflection_simple")
    assert not translation(MITI, PRETAGS).codable & {"question_open", "question_closed", "change"}
    # Open questions alone are not all questions: nobody can be compared on "question" with them.
    assert "question" not in translation(OARS, MITI).codable
    assert translation(OARS, MITI).of(["question_open"]) == ("question_open",)


def test_kinds_become_the_behavior_only_where_all_were_asked_for() -> None:
    assert translation(PRETAGS, OARS).of(["reflection_complex"]) == ("reflection",)
    half = translation(PRETAGS, OARS, ["reflection_complex"])
    assert half.codable == {"reflection_complex"}


def test_codes_of_no_meaning_are_the_same_by_name() -> None:
    assert translation(OARS, MITI).codes["affirmation"] == "affirmation"
    assert "confrontation" in translation(MITI, OARS).codable
    assert "confrontation" not in translation(MITI, OARS).codes


@pytest.mark.parametrize("book", [PRETAGS, MITI, OARS])
def test_a_codebook_translates_to_itself(book: codebook_files.Codebook) -> None:
    names = [code.name for code in book.codes]
    assert translation(book, book).codes == {name: name for name in names}
    assert translation(book, book, names[:2]).codable == set(names[:2])
