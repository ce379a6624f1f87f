import pandas as pd
import pytest

from pipeline.coding import units
from pipeline.errors import TableError
from pipeline.formats import codebooks
from pipeline.measures.counts import UTTERANCES, VOLLEYS, Rule, count, totals
from pipeline.measures.intervals import chosen
from tests.measures.samples import table

SPOKEN = table(
    ("I", "reflection_simple"),
    ("I", "question_closed"),
    ("I", "reflection_complex|question_open"),
    ("I", "question_open"),
    ("C", "change"),
    ("C", "change"),
    ("I", "reflection_simple"),
    ("I", "reflection_simple"),
    ("I", "information"),
    ("I", "other"),
    ("C", "neutral"),
    ("I", "other"),
    ("I", "other"),
    volley=[1, 1, 1, 1, None, None, 2, 2, 2, 2, None, 3, 3],
)


def counted(given: pd.DataFrame, rule: Rule) -> dict[str, int]:
    return {code: int(number[0]) for code, number in count(chosen(given), rule, given).items() if number[0]}


def test_every_coded_utterance_counts() -> None:
    assert counted(SPOKEN, UTTERANCES) == {
        "reflection_simple": 3,
        "reflection_complex": 1,
        "question_open": 2,
        "question_closed": 1,
        "information": 1,
        "other": 3,
        "change": 2,
        "neutral": 1,
    }


def test_a_volley_counts_one_question_and_one_reflection_complex_before_simple() -> None:
    assert counted(SPOKEN, VOLLEYS) == {
        "reflection_complex": 1,
        "question_open": 1,
        "reflection_simple": 1,
        "information": 1,
        "other": 1,
        "change": 2,
        "neutral": 1,
    }


def test_interviewer_rows_without_a_number_are_volleys_of_their_own() -> None:
    assert counted(table(("I", "information"), ("I", "information"), volley=[None, None]), VOLLEYS) == {
        "information": 2
    }


def test_a_volley_may_be_interrupted_in_the_table() -> None:
    given = table(("I", "information"), ("C", "neutral"), ("I", "information"), volley=[1, None, 1])
    assert counted(given, VOLLEYS) == {"information": 1, "neutral": 1}


def test_volleys_come_from_the_units_that_the_tape_was_cut_into() -> None:
    given = table(
        *[("I", "reflection_simple"), ("I", "question_open"), ("C", "neutral"), ("I", "reflection_complex")],
        turn_id=["1", "1", "2", "3"],
    )
    given = given.assign(volley=units.volleys(given))
    assert counted(given, VOLLEYS) == {
        "reflection_simple": 1,
        "question_open": 1,
        "neutral": 1,
        "reflection_complex": 1,
    }


def test_counting_volleys_needs_their_numbers() -> None:
    with pytest.raises(TableError, match="TR-T03 coded table lacks the column 'volley'"):
        counted(SPOKEN.drop(columns="volley"), VOLLEYS)


def test_nobody_speaking_counts_nothing() -> None:
    assert counted(table(volley=[]), VOLLEYS) == {}
    assert counted(table(), UTTERANCES) == {}


def test_rules_come_from_the_shipped_codebooks() -> None:
    rules = {
        name: Rule.of(book.counting, book.families()) for name in codebooks.shipped() for book in [codebooks.read(name)]
    }
    assert set(rules["pretags"].codes) == set(UTTERANCES.codes)
    assert (rules["pretags"].unit, rules["miti-4.2"].unit, rules["oars"].unit) == ("utterance", "volley", "utterance")
    assert rules["miti-4.2"].questions == ("question",)
    assert set(rules["miti-4.2"].reflections) == {"reflection_simple", "reflection_complex"}
    given = table(("I", "reflection_simple"), ("I", "reflection_complex|question"), ("I", "question"), volley=[1, 1, 1])
    assert counted(given, rules["miti-4.2"]) == {"reflection_complex": 1, "question": 1}
    with pytest.raises(ValueError, match="counting 'thumbs' is unknown"):
        Rule.of("thumbs", {})


def test_totals_leave_out_what_is_not_coded() -> None:
    found = totals(count(chosen(SPOKEN), UTTERANCES, SPOKEN), UTTERANCES)
    assert {name: int(found[name][0]) for name in ("questions", "reflections", "talk", "change_talk")} == {
        "questions": 3,
        "reflections": 4,
        "talk": 2,
        "change_talk": 2,
    }
    assert "affirmations" not in found
