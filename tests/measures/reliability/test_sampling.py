from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from pipeline.measures.reliability.rating_matrix import RatingMatrix, build_rating_matrix
from pipeline.measures.reliability.sampling import SAMPLE_COLUMNS, draw_sample, required_sample_size, tapes_to_recode
from tests.measures.coders import DAY, SCHEME, rows


def uncoached(tapes: int = 40, seed: int = 0) -> tuple[RatingMatrix, pd.DataFrame]:
    """A member a tape in turn, and a machine that is wrong more often on every fourth tape."""
    random = np.random.default_rng(seed)
    result = []
    for tape in range(tapes):
        truth = random.choice(["change", "sustain", ""], 30)
        wrong = random.random(30) < (0.5 if tape % 4 == 0 else 0.05)
        machine = np.where(wrong, "sustain", truth)
        result.append(rows(f"t{tape:02}", f"m{tape % 3}", "member", list(truth), day=tape))
        result.append(rows(f"t{tape:02}", "machine", "machine", list(machine)))
    table = pd.concat(result, ignore_index=True)
    # An utterance a half minute: a tape has three stretches, of which every one holds ten.
    table["start"] = table["utterance_id"].astype(int) * 30_000
    return build_rating_matrix(table, SCHEME), table


def test_a_fifth_of_the_tapes_is_drawn_and_disagreement_draws_more() -> None:
    laid, _ = uncoached()
    sizes, wrong = [], 0
    for seed in range(50):
        drawn = draw_sample(laid, seed=seed)
        assert tuple(drawn.columns) == SAMPLE_COLUMNS
        sizes.append(len(drawn))
        wrong += int((drawn["tape_id"].str[1:].astype(int) % 4 == 0).sum())
        assert set(drawn["part"]) <= {"random", "disagreement"}
    assert set(sizes) == {8}
    assert wrong / sum(sizes) > 0.35  # a quarter of all tapes


@pytest.mark.parametrize("by", ["tapes", "minutes", "utterances"])
def test_weighted_shares_are_unbiased(by: str) -> None:
    laid, _ = uncoached()
    everything = draw_sample(laid, by, share=1.0, random_part=1.0)  # type: ignore[arg-type]
    truth = everything["disagreement"].mean()
    estimates = []
    for seed in range(300):
        drawn = draw_sample(laid, by, seed=seed)  # type: ignore[arg-type]
        estimates.append((drawn["disagreement"] * drawn["weight"]).sum() / len(everything))
    error = np.std(estimates) / np.sqrt(len(estimates))
    assert np.mean(estimates) == pytest.approx(truth, abs=4 * error)


@pytest.mark.parametrize("tapes", [1, 2, 5])
def test_of_few_tapes_one_is_drawn_whatever_the_seed(tapes: int) -> None:
    laid, _ = uncoached(tapes)
    drawn = [draw_sample(laid, seed=seed) for seed in range(60)]
    assert {len(sample) for sample in drawn} == {1}
    assert {name for sample in drawn for name in sample["tape_id"]} == set(laid.tapes)
    assert {part for sample in drawn for part in sample["part"]} == {"random", "disagreement"}


def test_all_are_drawn_where_all_are_wanted() -> None:
    laid, _ = uncoached(7)
    for seed in range(20):
        drawn = draw_sample(laid, share=1.0, random_part=0.3, seed=seed)
        assert list(drawn["tape_id"]) == list(laid.tapes)
        assert drawn["weight"].tolist() == pytest.approx([1.0] * 7)


def test_the_same_seed_draws_the_same() -> None:
    laid, _ = uncoached()
    pd.testing.assert_frame_equal(draw_sample(laid, "utterances", seed=3), draw_sample(laid, "utterances", seed=3))


def test_strata_are_spread() -> None:
    laid, _ = uncoached()
    drawn = draw_sample(laid, "utterances", share=0.3, random_part=1.0)
    shares = drawn["stratum"].value_counts() / draw_sample(laid, "utterances", 1.0, 1.0)["stratum"].value_counts()
    assert shares.between(0.2, 0.4).all()


def test_tapes_of_a_coach_are_left_out() -> None:
    _, table = uncoached(4)
    coach = rows("t00", "cora", "coach", ["change"] * 30)
    drawn = draw_sample(build_rating_matrix(pd.concat([table, coach]), SCHEME), share=1.0)
    assert set(drawn["tape_id"]) <= {"t01", "t02", "t03"}
    every = pd.concat([table, *(rows(f"t{n:02}", "cora", "coach", ["change"] * 30) for n in range(4))])
    assert draw_sample(build_rating_matrix(every, SCHEME)).empty


def test_stretches_of_minutes_are_drawn_and_those_of_a_coach_left_out() -> None:
    laid, table = uncoached(4)
    every = draw_sample(laid, "minutes", share=1.0, random_part=1.0)
    assert list(zip(every["start"], every["end"], strict=True)) == [(0, 300), (300, 600), (600, 900)] * 4
    assert set(every["units"]) == {10}
    assert set(every["weight"]) == {1.0}
    assert len(draw_sample(laid, "minutes", share=0.25, random_part=1.0)) == 3
    coach = rows("t00", "cora", "coach", ["?"] * 10 + ["change"] * 10 + ["?"] * 10)
    coach["start"] = coach["utterance_id"].astype(int) * 30_000
    drawn = draw_sample(
        build_rating_matrix(pd.concat([table, coach]), SCHEME, "missing"), "minutes", share=1.0, random_part=1.0
    )
    left = drawn[drawn["tape_id"] == "t00"]
    assert list(left["start"]) == [0, 600]
    assert draw_sample(build_rating_matrix(table.drop(columns="start"), SCHEME), "minutes").empty


def test_needed_is_stated_beforehand() -> None:
    assert required_sample_size(0.1, 0.8, 1).utterances == 246  # 1.96² · .8 · .2 / .05²
    result = required_sample_size(0.1, 0.8, 80)
    assert result.utterances == pytest.approx(246 * (1 + 79 * 0.02), abs=2)
    assert result.items == -(-result.utterances // 80)
    with pytest.raises(ValueError, match="between 0 and 1"):
        required_sample_size(0, 0.8, 80)


def test_an_old_tape_of_each_member_can_be_coded_again() -> None:
    laid, _ = uncoached(9)
    tapes = tapes_to_recode(laid, now=8.0 * DAY, after=5.0 * DAY)
    assert tapes.to_dict("records") == [
        {"coder": f"m{number}", "tape_id": f"t0{number}", "coded_at": number * DAY} for number in range(3)
    ]
    assert tapes_to_recode(laid, now=8.0 * DAY, after=50.0 * DAY).empty
