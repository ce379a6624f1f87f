from dataclasses import FrozenInstanceError, replace
from itertools import pairwise

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.measures.session.context import CONTEXT_COLUMNS, change_talk_context, transitions
from pipeline.measures.session.counts import BY_UTTERANCE
from pipeline.measures.session.measures import session_measures
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
    context = change_talk_context(coded(TALK))
    assert tuple(context.columns) == CONTEXT_COLUMNS
    assert context[
        ["utterance_id", "code", "probability", "before_utterance_id", "after_utterance_id"]
    ].values.tolist() == [
        ["u0001", "sustain", 0.8, "", "u0002"],
        ["u0003", "change", 0.7, "u0002", "u0006"],
        ["u0005", "change", 0.6, "u0002", "u0006"],
        ["u0008", "sustain", 0.9, "u0006", ""],
    ]
    row = context.iloc[1]
    assert (row["tape_id"], row["text"], row["start"]) == ("invented", "But I could try.", 4_640)
    assert (row["before_text"], row["before_codes"]) == ("You never liked it.", "reflection_simple")
    assert (row["after_text"], row["after_codes"]) == ("You could, so how?", "question_open|reflection_complex")


def test_one_tape_does_not_answer_another() -> None:
    rows = table(("C", "change"), ("I", "reflection_simple")).assign(tape_id=["a", "b"])
    assert change_talk_context(rows)["after_utterance_id"].tolist() == [""]
    assert transitions(rows)[1].totals == (0, 0, 0)


def test_without_times_and_probabilities_these_cells_are_missing() -> None:
    context = change_talk_context(table(("C", "change")))
    assert context[["start", "end", "probability"]].isna().all(axis=None)


def test_no_change_talk_gives_an_empty_table_with_its_columns() -> None:
    assert tuple(change_talk_context(coded("")).columns) == CONTEXT_COLUMNS
    assert change_talk_context(table(("I", "change"), ("U", "change"), ("C", "neutral"))).empty


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
    rows = coded(TALK)
    before = rows.copy(deep=True)
    change_talk_context(rows), transitions(rows)
    pd.testing.assert_frame_equal(rows, before)


def test_an_utterance_that_is_change_and_sustain_talk_is_a_moment_of_each() -> None:
    """It counts once as change and once as sustain talk: two rows, and a pair with the question in both columns."""
    rows = table(("I", "question_open"), ("C", "sustain|change"), ("I", "reflection_simple"))
    context = change_talk_context(rows)
    assert context[["utterance_id", "code", "before_utterance_id", "after_utterance_id"]].values.tolist() == [
        ["2", "change", "1", "3"],
        ["2", "sustain", "1", "3"],
    ]
    asked, answered = transitions(rows)
    assert asked.counts[asked.before.index("question_open")][:2] == (1, 1)
    assert dict(zip(answered.before, answered.totals, strict=True)) == {"change": 1, "sustain": 1, "neutral": 0}


def test_codes_that_mean_the_same_are_one_moment() -> None:
    rule = replace(BY_UTTERANCE, codes_by_meaning={**BY_UTTERANCE.codes_by_meaning, "change talk": ("D+", "A+")})
    context = change_talk_context(table(("C", "D+|A+"), ("C", "change"), ("C", "sustain|A+")), rule)
    assert context[["utterance_id", "code"]].values.tolist() == [["1", "D+|A+"], ["3", "A+"], ["3", "sustain"]]


@given(
    st.lists(
        st.one_of(
            st.tuples(st.just("I"), st.sampled_from(["question_open", "other", "", "reflection_simple|question_open"])),
            st.tuples(st.sampled_from("CU"), st.sampled_from(["change", "sustain", "change|sustain", "neutral", ""])),
        ),
        max_size=15,
    )
)
@settings(deadline=None)
def test_moments_are_the_counts_and_pairs_add_up(rows: list[tuple[str, str]]) -> None:
    frame = table(*rows)
    result, counted = change_talk_context(frame), session_measures(frame, draws=200)
    for code in ("change", "sustain"):
        moments, figure = int((result["code"] == code).sum()), counted.client[f"{code}_talk"].value
        assert moments == (0 if counted.withheld else figure)  # nobody is in a role: no moment, and no figure
    asked, answered = transitions(frame)
    follow = list(pairwise(rows))
    for side, (first, then) in ((asked, "IC"), (answered, "CI")):
        pairs = [(a.split("|"), b.split("|")) for (x, a), (y, b) in follow if (x, y) == (first, then)]
        assert dict(zip(side.before, side.totals, strict=True)) == {
            code: sum(code in a for a, _ in pairs) for code in side.before
        }
        for code, numbers in zip(side.before, side.counts, strict=True):
            expected = [sum(code in a and after in b for a, b in pairs) for after in side.after]
            assert list(numbers) == expected


def test_rates_are_rounded_to_four_places() -> None:
    rows = [("I", "question_open"), ("C", "change")] * 1 + [("I", "question_open"), ("C", "neutral")] * 2
    asked = transitions(table(*rows), minimum=3)[0]
    cells = next(row["after"] for row in asked.as_dict()["rows"] if row["before"] == "question_open")
    assert {code: cell["rate"] for code, cell in cells.items()} == {"change": 0.3333, "sustain": 0.0, "neutral": 0.6667}
    assert asked.as_dict()["minimum"] == 3


def test_a_row_without_pairs_has_no_rate_whatever_the_minimum() -> None:
    asked = transitions(table(("I", "question_open")), minimum=0)[0]
    assert set(asked.rates) == {(None, None, None)}
    assert transitions(table(("I", "question_open")))[0].minimum == 5


def test_tapes_keep_the_tables_order_and_rows_without_a_tape_their_place() -> None:
    rows = table(("C", "change"), ("C", "sustain"), ("I", "other"), ("C", "change")).assign(
        tape_id=["b", "a", None, None]
    )
    context = change_talk_context(rows)
    assert context["utterance_id"].tolist() == ["1", "2", "4"]
    assert context["before_utterance_id"].tolist() == ["", "", "3"]


def test_only_the_client_talks_change_and_only_the_interviewer_stands_around_it() -> None:
    rows = table(("I", "other"), ("U", "change"), ("C", "change"), ("U", "other"), ("C", "neutral"), ("I", "summary"))
    context = change_talk_context(rows)
    assert context["utterance_id"].tolist() == ["3"]
    assert context[["before_utterance_id", "after_utterance_id"]].values.tolist() == [["1", "6"]]


def test_an_utterance_without_a_role_is_nobodys_change_talk() -> None:
    rows = table(("C", "change"), ("C", "change")).assign(role=[None, "client"])
    assert change_talk_context(rows)["utterance_id"].tolist() == ["2"]


def test_codes_on_the_wrong_speaker_make_no_pair() -> None:
    asked, answered = transitions(table(("C", "question_open"), ("I", "change"), ("C", "other")))
    assert asked.counts[asked.before.index("question_open")] == (0,) * len(asked.after)
    assert asked.totals[asked.before.index("question_open")] == 0
    assert answered.totals[answered.before.index("change")] == 0


def test_a_table_of_pairs_stays_as_it_is() -> None:
    asked, _ = transitions(coded(TALK))
    with pytest.raises(FrozenInstanceError):
        asked.minimum = 1  # type: ignore[misc]


def test_the_nearest_words_on_either_side_count() -> None:
    rows = table(*[("I", "other")] * 2, ("C", "change"), *[("I", "information")] * 2)
    assert change_talk_context(rows)[["before_utterance_id", "after_utterance_id"]].values.tolist() == [["2", "4"]]


def test_a_listening_noise_with_a_code_of_its_own_is_what_it_is_coded() -> None:
    noises = table(("I", "question_open"), ("C", "change"), ("I", "reflection_simple"), ("I", "information"))
    noises["text"] = ["What else?", "I could.", "Mm-hm.", "There is a clinic."]
    assert change_talk_context(noises)["after_utterance_id"].tolist() == ["3"]
    assert change_talk_context(noises.assign(codes=["question_open", "change", "other", "information"]))[
        "after_utterance_id"
    ].tolist() == ["4"]


def test_other_codes_stand_between_the_machines_and_the_rest_in_order() -> None:
    asked, _ = transitions(table(("I", "zeal"), ("C", "doubt"), ("I", "care"), ("C", "change")))
    known = ("question_open", "question_closed", "reflection_complex", "reflection_simple", "information")
    assert asked.before == (*known, "care", "zeal", "other")
    assert asked.after == ("change", "sustain", "doubt", "neutral")


def test_what_is_said_in_another_language_is_in_no_pair_and_parts_its_neighbors() -> None:
    """A client's minute of Spanish lay between a reflection and change talk, and both were called neighbors."""
    rows = table(
        ("I", "reflection_simple"), ("C", ""), ("C", "change"), ("I", ""), ("I", "question_open"), ("C", "change")
    )
    rows = rows.assign(language=["en", "es", "en", "es", "en", "en"])
    context = change_talk_context(rows)
    # The interviewer's own words in Spanish are the answer, without codes.
    assert context[["before_utterance_id", "after_utterance_id", "after_codes"]].values.tolist() == [
        ["", rows["utterance_id"][3], ""],
        [rows["utterance_id"][4], "", ""],
    ]
    to_client, to_interviewer = transitions(rows)
    assert sum(to_client.totals) == 1
    assert sum(to_interviewer.totals) == 0
    by_hand = rows.assign(codes=["reflection_simple", "neutral", "change", "other", "question_open", "change"])
    assert change_talk_context(by_hand)["before_utterance_id"].tolist()[0] == rows["utterance_id"][0]
    assert sum(transitions(by_hand)[0].totals) == 2
