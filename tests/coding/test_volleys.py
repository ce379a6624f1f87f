"""Volleys, numbered as MITI counts them."""

from __future__ import annotations

from itertools import pairwise

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.coding.volleys import volleys
from pipeline.measures.session.counts import COMPLEX, OPEN, CountingRule

ME, YOU, THIRD = "interviewer", "client", "unknown"


def coded(*rows: tuple[str, str, str], **columns: list[object]) -> pd.DataFrame:
    """A table of rows (role, text, codes), each in a turn of its own unless ``turn_id`` says otherwise."""
    table = pd.DataFrame(rows, columns=["role", "text", "codes"])
    return table.assign(**({"turn_id": range(len(rows))} | columns))


def numbers(table: pd.DataFrame) -> list[int | None]:
    return [None if pd.isna(number) else int(number) for number in volleys(table)]


def test_the_interviewers_rows_up_to_the_clients_answer_are_one_volley() -> None:
    table = coded(
        (ME, "You feel torn.", "reflection_complex"),
        (ME, "What would help?", "question_open"),
        (YOU, "Walking, I think.", "change"),
        (ME, "Walking.", "reflection_simple"),
    )
    assert numbers(table) == [1, 1, None, 2]


@pytest.mark.parametrize(
    ("codes", "after"),
    [
        ("information", 1),
        ("other", 1),
        ("", 1),
        ("question_open", 2),
        ("question_closed", 2),
        ("reflection_simple", 2),
        ("information|reflection_complex", 2),
    ],
)
def test_a_yeah_ends_the_volley_only_where_it_answers(codes: str, after: int) -> None:
    table = coded((ME, "Something.", codes), (YOU, "Yeah.", "neutral"), (ME, "And more.", "information"))
    assert numbers(table) == [1, None, after]


def test_what_the_yeah_answers_is_the_row_right_before() -> None:
    table = coded(
        (ME, "You feel torn.", "reflection_complex"),
        (ME, "The clinic opens at nine.", "information"),
        (YOU, "Right.", "neutral"),
        (YOU, "Mm-hm.", "neutral"),
        (ME, "And it is free.", "information"),
    )
    assert numbers(table) == [1, 1, None, None, 1]


def test_an_answer_ends_the_volley_though_a_noise_follows_it() -> None:
    table = coded(
        (ME, "It is free.", "information"),
        (YOU, "I doubt it.", "sustain"),
        (YOU, "Yeah.", "neutral"),
        (ME, "It is.", "other"),
    )
    assert numbers(table) == [1, None, None, 2]


def test_a_noise_that_is_part_of_a_longer_turn_ends_the_volley() -> None:
    table = coded(
        (ME, "It is free.", "information"),
        (YOU, "Yeah.", "neutral"),
        (ME, "Take this.", "information"),
        (YOU, "I doubt it.", "sustain"),
        turn_id=[0, 1, 2, 1],
    )
    assert numbers(table) == [1, None, 2, None]


def test_words_of_a_third_voice_end_the_volley_and_have_no_number() -> None:
    table = coded((ME, "It is free.", "information"), (THIRD, "Coffee, anyone?", ""), (ME, "Thank you.", "other"))
    assert numbers(table) == [1, None, 2]


def test_missing_codes_are_no_codes() -> None:
    table = coded((ME, "It is free.", "information"), (YOU, "Yeah.", "neutral"), (ME, "It is.", "other"))
    table.loc[0, "codes"] = None
    assert numbers(table) == [1, None, 1]


def test_each_tape_starts_anew() -> None:
    rows = [(ME, "What else?", "question_open"), (YOU, "Nothing.", "neutral"), (ME, "Fine then.", "other")]
    table = coded(*rows, *rows, tape_id=["a"] * 3 + ["b"] * 3, turn_id=[0, 1, 2] * 2)
    assert numbers(table) == [1, None, 2, 1, None, 2]


def test_the_series_fits_the_table() -> None:
    table = coded((YOU, "Hello.", "neutral"), (ME, "Hello.", "other"))
    table.index = pd.Index([7, 9])
    series = volleys(table)
    assert series.dtype == "Int64"
    assert series.name == "volley"
    assert list(series.index) == [7, 9]
    assert numbers(table) == [None, 1]
    assert volleys(table.iloc[:0]).empty


@pytest.mark.parametrize("missing", ["", " ", None, float("nan"), pd.NA])
def test_rows_without_a_turn_are_turns_of_their_own(missing: object) -> None:
    """Joined they would be one long turn, no listening, and end the volley."""
    table = coded(
        (ME, "It is free.", "information"),
        (YOU, "Yeah.", "neutral"),
        (ME, "And close by.", "information"),
        (YOU, "I doubt that it helps me.", "sustain"),
        (ME, "You doubt it.", "reflection_simple"),
        turn_id=[missing] * 5,
    )
    assert numbers(table) == [1, None, 1, None, 2]
    assert numbers(table.drop(columns="turn_id")) == [1, None, 1, None, 2]


def test_turns_of_several_tapes_are_not_joined() -> None:
    rows = [(ME, "It is free.", "information"), (YOU, "Yeah.", "neutral"), (ME, "And close by.", "information")]
    loud = [rows[0], (YOU, "Yeah, I doubt that it helps.", "neutral"), rows[2]]
    table = coded(*rows, *loud, tape_id=["a"] * 3 + ["b"] * 3, turn_id=[0, 1, 2] * 2)
    assert numbers(table) == [1, None, 1, 1, None, 2]


def test_what_is_a_question_or_a_reflection_depends_on_the_codebook() -> None:
    """Under CACTI's names "OQ" is a question, to which a "yeah" is an answer."""
    rule = CountingRule(codes_by_meaning={OPEN: ("OQ", "question_open"), COMPLEX: ("CR",)})
    for codes, after in (("OQ", 2), ("question_open", 2), ("CR|GI", 2), ("GI", 1), ("question_closed", 1)):
        table = coded((ME, "Something.", codes), (YOU, "Yeah.", "neutral"), (ME, "And more.", "GI"))
        assert [None if pd.isna(number) else int(number) for number in volleys(table, rule)] == [1, None, after]


ROWS = st.lists(
    st.tuples(
        st.sampled_from([ME, ME, YOU, THIRD]),
        st.sampled_from(["Yeah.", "Mm-hm.", "It is hard for me."]),
        st.sampled_from(["question_open", "reflection_simple|information", "other", ""]),
    ),
    max_size=12,
)


@given(ROWS)
def test_volleys_number_the_interviewers_rows_alone_and_in_order(rows: list[tuple[str, str, str]]) -> None:
    result = numbers(coded(*rows))
    interviewer_numbers = [number for number, (role, *_) in zip(result, rows, strict=True) if role == ME]
    assert [number is not None for number in result] == [role == ME for role, *_ in rows]
    assert interviewer_numbers[:1] in ([], [1])
    assert all(after - before in (0, 1) for before, after in pairwise(interviewer_numbers))
    for at, (before, (_, text, _), after) in enumerate(zip(rows, rows[1:], rows[2:], strict=False)):
        if before[0] == after[0] == ME and rows[at + 1][0] != ME:
            answers = "question" in before[2] or "reflection" in before[2]
            same = text != "It is hard for me." and not answers
            assert (result[at] == result[at + 2]) == same
        if before[0] == rows[at + 1][0] == ME:
            assert result[at] == result[at + 1]


def test_tapes_one_after_another_are_numbered_as_each_alone() -> None:
    rows = [(ME, "Hello.", "other"), (YOU, "No idea.", "neutral"), (ME, "Well.", "other")]
    both = coded(*rows, *rows[::-1], tape_id=["a"] * 3 + ["b"] * 3)
    assert numbers(both) == numbers(coded(*rows)) + numbers(coded(*rows[::-1]))
