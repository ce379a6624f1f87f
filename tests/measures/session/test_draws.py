import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.measures.session.draws import (
    CODE_ROLES,
    SESSION_EFFECTS,
    Interval,
    chosen_codes,
    draw_codes,
    ratio_interval,
)
from tests.measures.samples import coded, table


def rows(number: int, role: str = "I", codes: str = "other", **p: float) -> pd.DataFrame:
    """Equal utterances with these probabilities, 0 for all other codes."""
    return table(*[(role, codes)] * number, **{f"p_{code}": p.get(code, 0.0) for code in CODE_ROLES})


def counts(given: pd.DataFrame, code: str, draws: int = 4000, **spread: float) -> np.ndarray:
    return draw_codes(given, draws, 7, spread)[code].sum(axis=1)


def test_chosen_codes_are_one_draw_of_what_stands_in_the_table() -> None:
    chosen = chosen_codes(table(("I", "question_open|information"), ("C", "change")))
    assert {code for code, row in chosen.items() if row.any()} == {"question_open", "information", "change"}
    assert chosen["change"].tolist() == [[False, True]]


def test_a_code_on_a_row_of_the_wrong_role_or_of_none_counts_for_nobody() -> None:
    given = table(("C", "question_open"), ("I", "change"), ("U", "question_open|affirmation"))
    for result in (chosen_codes(given), draw_codes(given, 5, 0, {})):
        assert not any(result[code].any() for code in ("question_open", "change", "affirmation"))


def test_a_probability_on_a_row_of_the_wrong_role_or_of_none_is_never_drawn() -> None:
    given = table(
        *[("I", "other"), ("C", "neutral"), ("U", "other")],
        **{f"p_{code}": [1.0, 1.0, 1.0] for code in ("information", "change", "summary")},  # type: ignore[arg-type]
    )
    drawn = draw_codes(given, 5, 0, {})
    assert drawn["information"].tolist() == [[True, False, False]] * 5
    assert drawn["change"].tolist() == [[False, True, False]] * 5


def test_draws_follow_the_binomial_distribution() -> None:
    # 100 utterances at one half: 42 to 58 is the middle 90 % (scipy.stats.binom(100, .5).ppf([.05, .95])).
    result = counts(rows(100, information=0.5), "information")
    assert ratio_interval(result, np.ones_like(result), 0.9, np.inf) == Interval(42, 58, 50, 1.0)


def test_a_reflection_and_a_question_are_separate_decisions() -> None:
    drawn = draw_codes(rows(1, question_open=0.5, reflection_simple=0.5), 4000, 0, {})
    both = (drawn["question_open"] & drawn["reflection_simple"]).mean()
    assert both == pytest.approx(0.25, abs=0.03)
    assert drawn["other"].mean() == pytest.approx(0.25, abs=0.03)


def test_answers_of_one_decision_exclude_each_other() -> None:
    drawn = draw_codes(rows(50, question_open=0.3, question_closed=0.5), 500, 0, {})
    assert not (drawn["question_open"] & drawn["question_closed"]).any()
    assert drawn["question_open"].mean() == pytest.approx(0.3, abs=0.01)
    assert drawn["question_closed"].mean() == pytest.approx(0.5, abs=0.01)


def test_probabilities_that_add_up_to_a_little_more_than_one_do_no_harm() -> None:
    drawn = draw_codes(rows(10, "C", "change", change=0.6, sustain=0.400001), 300, 0, {})
    assert not drawn["neutral"].any()


def test_what_a_human_confirmed_is_not_in_doubt() -> None:
    sure = rows(5, codes="question_open", question_open=1.0)
    assert set(counts(sure, "question_open", question=2.0, open=2.0)) == {5}
    # ... nor is a row whose probability is 1, whatever the machine thought of it.
    assert set(counts(rows(5, codes="question_open", question_open=0.2).assign(probability=1.0), "question_open")) == {
        5
    }


def test_a_code_without_a_column_is_certain_and_one_with_a_column_is_drawn() -> None:
    given = table(("I", "affirmation"), ("I", "summary"), p_summary=[0.0, 0.5])
    drawn = draw_codes(given, 2000, 0, {})
    assert drawn["affirmation"].tolist() == [[True, False]] * 2000
    assert drawn["summary"].mean(axis=0).tolist() == pytest.approx([0, 0.5], abs=0.05)


def test_an_uncoded_utterance_stays_uncoded() -> None:
    assert not draw_codes(table(("I", ""), ("C", "")), 3, 0, {})["other"].any()


@pytest.mark.parametrize(
    ("key", "role", "codes"),
    [
        ("question", "I", {"question_open": 0.25, "question_closed": 0.25}),
        ("reflection", "I", {"reflection_simple": 0.25, "reflection_complex": 0.25}),
        ("information", "I", {"information": 0.5}),
        ("client", "C", {"change": 0.25, "sustain": 0.25}),
        ("open", "I", {"question_open": 0.5, "question_closed": 0.5}),
        ("complex", "I", {"reflection_complex": 0.5, "reflection_simple": 0.5}),
        ("change", "C", {"change": 0.5, "sustain": 0.5}),
    ],
)
def test_errors_that_a_session_shares_widen_its_intervals(key: str, role: str, codes: dict[str, float]) -> None:
    code = next(iter(codes))
    alone, shared = (counts(rows(60, role, **codes), code, **spread) for spread in ({}, {key: 1.0}))
    assert shared.std() > 1.5 * alone.std()
    assert shared.mean() == pytest.approx(alone.mean(), abs=1.5)


def test_an_unknown_decision_is_refused() -> None:
    assert SESSION_EFFECTS == ("question", "open", "reflection", "complex", "information", "client", "change")
    decisions = "question, open, reflection, complex, information, client, change"
    with pytest.raises(ValueError, match=f"^session_effect_sd has 'questions'; the decisions are {decisions}$"):
        draw_codes(coded(), 10, 0, {"questions": 1.0})


def test_the_same_seed_draws_the_same() -> None:
    first, again, other = (draw_codes(coded(), 20, seed, {"open": 0.5}) for seed in (3, 3, 4))
    assert all((first[code] == again[code]).all() for code in first)
    assert any((first[code] != other[code]).any() for code in first)


def test_an_interval_by_hand() -> None:
    # 21 draws 0..20: the middle 90 % leaves one out on each side.
    assert ratio_interval(np.arange(21), np.ones(21), 0.9, np.inf) == Interval(1, 19, 10, 1.0)


def test_something_over_nothing_leaves_the_upper_end_open() -> None:
    over, under = np.full(10, 5), np.array([0, 0, 0, 0, 1, 1, 1, 1, 1, 1])
    assert ratio_interval(over, under, 0.9, np.inf) == Interval(5, None, 5, 0.6)


def test_nothing_over_nothing_widens_a_share_to_both_sides() -> None:
    over, under = np.array([0, 0, 50, 50, 50, 50, 50, 50, 50, 50]), np.array([0, 0, 1, 1, 1, 1, 1, 1, 1, 1])
    assert ratio_interval(over, under, 0.9, 100) == Interval(0, 100, 50, 0.8)


def test_hardly_a_denominator_gives_the_largest_known_ratio_and_no_median() -> None:
    assert ratio_interval(np.full(100, 3), np.array([1] + [0] * 99), 0.9, np.inf) == Interval(3, None, None, 0.01)
    assert ratio_interval(np.full(100, 3), np.zeros(100), 0.9, np.inf) == Interval(0, None, None, 0.0)


@given(
    st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), min_size=1, max_size=60),
    st.floats(0.05, 0.99),
)
@settings(deadline=None)
def test_an_interval_holds_its_median_and_at_least_its_share_of_draws(
    draws: list[tuple[int, int]], width: float
) -> None:
    over, under = (np.array(column) for column in zip(*draws, strict=True))
    interval = ratio_interval(over, under, width, np.inf)
    high = np.inf if interval.high is None else interval.high
    assert interval.low <= high
    if interval.median is not None:
        assert interval.low <= interval.median <= high
    if interval.defined == 1:
        ratio = over / under
        assert ((ratio >= interval.low) & (ratio <= high)).mean() >= width - 1e-9


def test_a_row_whose_probability_is_not_known_is_drawn_all_the_same() -> None:
    given = rows(2, codes="question_open", question_open=0.5).assign(probability=[None, 1.0])
    drawn = draw_codes(given, 2000, 0, {})["question_open"]
    assert drawn[:, 0].mean() == pytest.approx(0.5, abs=0.05)
    assert drawn[:, 1].all()


@pytest.mark.parametrize(("p", "drawn_as"), [(-0.5, 0), (None, 0), (1.5, 1)])
def test_a_probability_lies_between_nothing_and_one(p: float | None, drawn_as: float) -> None:
    given = table(("I", "information"), p_information=[p])
    assert draw_codes(given, 50, 0, {})["information"].mean() == drawn_as
    pair = table(("I", "question_open"), p_question_open=[p], p_question_closed=[0.0])
    assert draw_codes(pair, 50, 0, {})["question_open"].mean() == drawn_as


def test_a_negative_probability_takes_nothing_from_its_rival() -> None:
    given = table(("I", "question_closed"), p_question_open=[-0.5], p_question_closed=[0.5])
    assert draw_codes(given, 4000, 0, {})["question_closed"].mean() == pytest.approx(0.5, abs=0.03)


@pytest.mark.parametrize(
    ("draws", "median"), [([1], 1), ([1, 2], 1), ([1, 2, 3], 2), ([4, 3, 2, 1], 2), ([6, 1, 2, 3, 5, 4], 3)]
)
def test_the_median_of_an_even_number_of_draws_is_the_lower_middle(draws: list[int], median: int) -> None:
    assert ratio_interval(np.array(draws), np.ones(len(draws)), 0.9, np.inf).median == median


def test_a_median_needs_half_of_the_draws() -> None:
    """0 over 0 says nothing: two of four draws are enough, two of five are not."""
    assert ratio_interval(np.array([0, 0, 4, 6]), np.array([0, 0, 1, 1]), 0.9, np.inf).median == 4
    assert ratio_interval(np.array([0, 0, 0, 4, 6]), np.array([0, 0, 0, 1, 1]), 0.9, np.inf).median is None


def test_codes_of_a_codebook_are_drawn_each_for_itself() -> None:
    given = table(("I", "scaling|support"), p_scaling=[0.5], p_support=[0.5])
    drawn = draw_codes(given, 4000, 0, {})
    assert (drawn["scaling"] & drawn["support"]).mean() == pytest.approx(0.25, abs=0.03)


def test_where_no_other_code_is_drawn_the_rest_is() -> None:
    drawn = draw_codes(
        table(("I", "question_open"), ("C", "change"), p_question_open=[0.3, 0], p_change=[0, 0.6]), 500, 0, {}
    )
    assert (drawn["other"][:, 0] == ~drawn["question_open"][:, 0]).all()
    assert (drawn["neutral"][:, 1] == ~drawn["change"][:, 1]).all()
    assert not drawn["other"][:, 1].any()
    assert not drawn["neutral"][:, 0].any()


def test_the_shift_of_a_draw_is_the_same_for_all_of_a_tape() -> None:
    """With a shift far larger than the odds, all utterances of a draw go one way."""
    result = counts(rows(20, information=0.5), "information", draws=500, information=50.0)
    assert np.isin(result, [0, 20]).mean() > 0.9
    assert result.mean() == pytest.approx(10, abs=1)
