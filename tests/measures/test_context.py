import pandas as pd

from pipeline.measures.context import CONTEXT_COLUMNS, context, transitions
from tests.measures.samples import coded, table

TALK = """
C sustain .8 I never liked it.
I reflection_simple .9 You never liked it.
C change .7 But I could try.
I other .9 Mm-hm.
C change .6 I really could.
I question_open|reflection_complex .5 You could, so how?
C neutral .9 Hm, no idea.
C sustain .9 I doubt it.
"""


def test_each_moment_stands_between_the_interviewers_words() -> None:
    found = context(coded(TALK))
    assert tuple(found.columns) == CONTEXT_COLUMNS
    assert found[
        ["utterance_id", "code", "probability", "before_utterance_id", "after_utterance_id"]
    ].values.tolist() == [
        ["u0001", "sustain", 0.8, "", "u0002"],
        ["u0003", "change", 0.7, "u0002", "u0006"],
        ["u0005", "change", 0.6, "u0002", "u0006"],
        ["u0008", "sustain", 0.9, "u0006", ""],
    ]
    row = found.iloc[1]
    assert (row["tape_id"], row["text"], row["start"]) == ("invented", "But I could try.", 4_640)
    assert (row["before_text"], row["before_codes"]) == ("You never liked it.", "reflection_simple")
    assert (row["after_text"], row["after_codes"]) == ("You could, so how?", "question_open|reflection_complex")


def test_one_tape_does_not_answer_another() -> None:
    given = table(("C", "change"), ("I", "reflection_simple")).assign(tape_id=["a", "b"])
    assert context(given)["after_utterance_id"].tolist() == [""]
    assert transitions(given)[1].totals == (0, 0, 0)


def test_without_times_and_probabilities_these_cells_are_missing() -> None:
    found = context(table(("C", "change")))
    assert found[["start", "end", "probability"]].isna().all(axis=None)


def test_no_change_talk_gives_an_empty_table_with_its_columns() -> None:
    assert tuple(context(coded("")).columns) == CONTEXT_COLUMNS
    assert context(table(("I", "change"), ("U", "change"), ("C", "neutral"))).empty


def test_what_follows_what_by_hand() -> None:
    asked, answered = transitions(coded(TALK))
    assert {row["before"]: row["total"] for row in asked.as_dict()["rows"] if row["total"]} == {
        "question_open": 1,
        "reflection_complex": 1,
        "reflection_simple": 1,
    }
    by_row = {
        row["before"]: {code: cell["count"] for code, cell in row["after"].items() if cell["count"]}
        for row in asked.as_dict()["rows"]
    }
    assert by_row["reflection_simple"] == {"change": 1}
    assert by_row["question_open"] == by_row["reflection_complex"] == {"neutral": 1}
    by_row = {
        row["before"]: {code: cell["count"] for code, cell in row["after"].items() if cell["count"]}
        for row in answered.as_dict()["rows"]
    }
    assert by_row == {
        "change": {"question_open": 1, "reflection_complex": 1},
        "sustain": {"reflection_simple": 1},
        "neutral": {},
    }


def test_rates_are_hidden_where_a_row_has_fewer_than_five_pairs() -> None:
    rows = [("I", "question_open"), ("C", "change")] * 4 + [("I", "question_closed"), ("C", "neutral")] * 5
    asked, _ = transitions(table(*rows))
    rates = dict(zip(asked.before, asked.rates, strict=True))
    assert asked.totals[:2] == (4, 5)
    assert rates["question_open"] == (None, None, None)
    assert rates["question_closed"] == (0.0, 0.0, 1.0)
    assert transitions(table(*rows), minimum=4)[0].rates[0] == (1.0, 0.0, 0.0)


def test_a_voice_without_a_role_breaks_a_pair() -> None:
    asked, answered = transitions(table(("I", "question_open"), ("U", ""), ("C", "change")))
    assert sum(asked.totals) == sum(answered.totals) == 0


def test_codes_of_other_codebooks_get_rows_and_columns() -> None:
    asked, answered = transitions(table(("I", "affirmation"), ("C", "change"), ("I", "summary")))
    assert asked.before[-3:] == ("affirmation", "summary", "other")
    assert answered.after == asked.before
    assert asked.totals[asked.before.index("affirmation")] == 1


def test_the_table_is_not_changed() -> None:
    given = coded(TALK)
    before = given.copy(deep=True)
    context(given), transitions(given)
    pd.testing.assert_frame_equal(given, before)
