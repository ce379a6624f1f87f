"""Which units are the same: by hand, and as properties of invented tapes."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from itertools import combinations

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from pipeline.measures.reliability import agreement
from pipeline.measures.reliability.alignment import align_units
from pipeline.measures.reliability.comparisons import group_comparisons, tape_sums
from pipeline.measures.reliability.rating_matrix import Absent, build_rating_matrix
from tests.measures.coders import SCHEME, rows

Units = list[tuple[str, int, int, str]]


def cut(coder: str, layer: str, *units: tuple[str, int, int, str], **more: object) -> pd.DataFrame:
    names, starts, ends, codes = zip(*units, strict=True)
    table = rows("t", coder, layer, list(codes), start=list(starts), end=list(ends), **more)
    return table.assign(utterance_id=list(names))


def together(*coders: pd.DataFrame) -> pd.DataFrame:
    return pd.concat(coders, ignore_index=True)


def clusters(table: pd.DataFrame) -> list[list[str]]:
    """Each unit as the names that its coders gave it, "coder:name"."""
    aligned = align_units(table)[0]
    members = table["coder"] + ":" + table["utterance_id"]
    return sorted(sorted(each) for _, each in members.groupby(aligned["utterance_id"].to_numpy()))


def figures(table: pd.DataFrame, kind: str = "members", absent: Absent = "not-coded") -> dict[str, float]:
    """The figures of a comparison on all codes."""
    ratings = build_rating_matrix(align_units(table)[0], SCHEME, absent)
    comparison = next(comparison for comparison in group_comparisons(ratings) if comparison.kind == kind)
    added = tape_sums(ratings, ratings.levels[0], comparison, ratings.levels[0].values_of(ratings.grid))
    assert added is not None
    result = agreement.coefficient_values(added.weighted(np.ones(len(added.units))))
    return {"units": added.utterances} | {name: float(value) for name, value in result.items()}


COACH = cut("cora", "coach", ("1", 0, 1000, "change"), ("2", 1000, 3000, "sustain"), ("3", 3000, 4000, ""))


def test_units_with_the_same_boundaries_stay_as_they_are() -> None:
    table = together(COACH, COACH.assign(coder="ann", layer="member"))
    same, tapes = align_units(table)
    assert same is table
    assert tapes == ()
    assert align_units(table.drop(columns="start"))[1] == ()
    assert align_units(table.assign(end=pd.NA))[1] == ()


def test_a_long_tape_of_the_same_units_stays_as_it_is() -> None:
    """Neither the pauses, nor units that touch, nor crosstalk of a tenth make boundaries differ."""
    ends = (900, 1000, 1090)
    units: Units = [(f"u{n}", 1000 * n, 1000 * n + ends[n % 3], "change") for n in range(400)]
    table = together(
        cut("ann", "member", *units), cut("bob", "member", *units[::2]), cut("cora", "coach", *units[1::2])
    )
    same, tapes = align_units(table)
    assert same is table
    assert tapes == ()


def test_a_listening_noise_within_a_turn_does_not_destroy_agreement() -> None:
    turns: Units = [(f"u{n}", 1000 * n, 1000 * n + 900, ("change", "sustain")[n % 2]) for n in range(20)]
    noise = ("noise", 3300, 3600, "")
    before, after = (
        figures(
            together(
                *(cut(name, "member", *units) for name in ("ann", "bob")),
                cut("cora", "coach", *(unit for unit in units if unit[1] < 10_000)),
            )
        )
        for units in (turns, [*turns, noise])
    )
    assert (before["units"], before["percent"]) == (20, 1.0)
    assert (after["units"], after["percent"]) == (21, 1.0)


def test_units_are_matched_by_time_and_not_by_name() -> None:
    ann = cut("ann", "member", ("a", 100, 1000, "change"), ("b", 1000, 1900, "sustain"), ("c", 1900, 4000, ""))
    result, tapes = align_units(together(COACH, ann))
    assert tapes == ("t",)
    assert list(result["utterance_id"]) == ["1", "2", "3", "1", "b", "c"]


def test_a_name_with_two_pairs_of_boundaries_is_no_unit() -> None:
    ann = cut("ann", "member", ("1", 1000, 2900, "sustain"), ("2", 0, 900, "change"))
    result, tapes = align_units(together(COACH, ann))
    assert tapes == ("t",)
    assert list(result[result["coder"] == "ann"]["utterance_id"]) == ["2", "1"]


def test_one_name_for_units_far_apart_becomes_two_names() -> None:
    table = together(cut("ann", "member", ("1", 0, 1000, "change")), cut("bob", "member", ("1", 5000, 6500, "change")))
    result, tapes = align_units(table)
    assert tapes == ("t",)
    assert list(result["utterance_id"]) == ["1 (0.000-1.000)", "1 (5.000-6.500)"]


def test_a_unit_that_only_one_sees_is_a_disagreement() -> None:
    ann = cut("ann", "member", ("a", 0, 1000, "change"), ("b", 1000, 1900, "sustain"), ("c", 1900, 3000, "sustain"))
    coach = COACH[COACH["codes"] != ""]
    row = figures(together(coach, ann), "coder and coach")
    # c and the coach's 2 share 1100 of 2000 ms; b has no match.
    assert (row["units"], row["percent"]) == (3, pytest.approx(2 / 3))


@pytest.mark.parametrize(
    ("first", "second", "same"),
    [
        ((0, 1000), (500, 1500), False),  # 500 of 1500
        ((0, 1000), (0, 500), True),  # exactly a half
        ((0, 1000), (0, 499), False),
        ((0, 1000), (250, 750), True),  # one within the other
        ((0, 1000), (300, 700), False),
        ((0, 1000), (1000, 2000), False),  # they touch
        ((0, 1000), (2000, 3000), False),
        ((700, 700), (700, 700), True),  # two moments
        ((700, 700), (701, 701), False),
        ((0, 1000), (700, 700), False),
    ],
)
@pytest.mark.parametrize("names", [("a", "b"), ("b", "a")])
def test_half_of_the_time_that_two_units_take_up_together_makes_them_one(
    first: tuple[int, int], second: tuple[int, int], same: bool, names: tuple[str, str]
) -> None:
    table = together(
        cut("ann", "member", (names[0], *first, "change")), cut("bob", "member", (names[1], *second, "change"))
    )
    for shift in (0, 12_345):
        moved = table.assign(start=table["start"] + shift, end=table["end"] + shift)
        assert (len(clusters(moved)) == 1) == same


def test_the_pair_that_shares_most_comes_first_then_equal_names_then_the_earlier() -> None:
    ann = cut("ann", "member", ("a", 0, 1000, ""))
    halves = (("x", 0, 500, ""), ("y", 500, 1000, ""))
    assert clusters(together(ann, cut("bob", "member", *halves))) == [["ann:a", "bob:x"], ["bob:y"]]
    named = (("x", 0, 500, ""), ("a", 500, 1000, ""))
    assert clusters(together(ann, cut("bob", "member", *named))) == [["ann:a", "bob:a"], ["bob:x"]]
    # What counts is the share of the time together, neither the time in common nor what is left over.
    wide = cut("ann", "member", ("a", 0, 1200, ""))
    assert clusters(together(wide, cut("bob", "member", ("x", 0, 2000, ""), ("y", 0, 700, "")))) == [
        ["ann:a", "bob:x"],
        ["bob:y"],
    ]
    assert clusters(together(wide, cut("bob", "member", ("x", 0, 720, ""), ("y", 0, 2100, "")))) == [
        ["ann:a", "bob:x"],
        ["bob:y"],
    ]
    larger = (("x", 0, 501, ""), ("y", 400, 1000, ""))
    assert clusters(together(ann, cut("bob", "member", *larger))) == [["ann:a", "bob:y"], ["bob:x"]]
    twins = (("z", 0, 1000, ""), ("y", 0, 1000, ""))
    assert clusters(together(ann, cut("bob", "member", *twins))) == [["ann:a", "bob:y"], ["bob:z"]]


@given(
    st.integers(500, 1500),
    st.lists(st.tuples(st.integers(0, 700), st.integers(400, 2000)), min_size=2, max_size=5, unique=True),
)
@example(1024, [(0, 1023), (0, 1030)])
def test_the_partner_is_the_one_that_shares_most_of_the_time(end: int, others: list[tuple[int, int]]) -> None:
    """Ann's only unit against all of Bob's, by fractions."""
    shares = {}
    for number, (start, length) in enumerate(others):
        union = max(end, start + length)
        shares[f"bob:{number}"] = Fraction(max(0, min(end, start + length) - start), union)
    assume(len(set(shares.values())) == len(shares))
    best = max(shares, key=lambda name: shares[name])
    bob = [(str(number), start, start + length, "") for number, (start, length) in enumerate(others)]
    table = together(cut("ann", "member", ("a", 0, end, "")), cut("bob", "member", *bob))
    partner = [name for cluster in clusters(table) for name in cluster if "ann:a" in cluster and name != "ann:a"]
    assert partner == ([best] if shares[best] >= Fraction(1, 2) else [])


def test_everybody_is_brought_together_at_once_and_not_with_the_first_coder() -> None:
    """Bob and Eve share what Ann, who comes first and has most units, cut otherwise."""
    table = together(
        cut("ann", "member", ("1", 0, 300, ""), ("2", 300, 600, ""), ("3", 600, 1000, "")),
        cut("bob", "member", ("b", 0, 1000, "change")),
        cut("eve", "member", ("e", 50, 1000, "change")),
    )
    assert clusters(table) == [["ann:1"], ["ann:2"], ["ann:3"], ["bob:b", "eve:e"]]


def test_a_unit_joins_those_that_it_shares_most_with_before_one_that_it_shares_less_with() -> None:
    """Shares: Ann's a and Eve's e .950, Bob's b and e .941, b and Ann's second unit .936, a and b .914."""
    ann = cut("ann", "member", ("a", 0, 1000, ""), ("second", 95, 1060, ""))
    bob, eve = cut("bob", "member", ("b", 40, 1050, "")), cut("eve", "member", ("e", 50, 1000, ""))
    assert clusters(together(ann, bob, eve)) == [["ann:a", "bob:b", "eve:e"], ["ann:second"]]


@pytest.mark.parametrize("layer", ["consensus", "coach", "machine", "else"])
def test_members_come_before_whoever_is_nearer_to_one_of_them(layer: str) -> None:
    """Ann and Bob share 600 of 1000; the other shares 850 with Ann and 450 with Bob."""
    members = (cut("ann", "member", ("a", 0, 1000, "")), cut("bob", "member", ("b", 0, 600, "")))
    result = clusters(together(*members, cut("kim", layer, ("k", 150, 1000, ""))))
    assert result == [["ann:a", "bob:b"], ["kim:k"]]


@pytest.mark.parametrize(
    ("first", "second", "differ"),
    [
        ((0, 10_000), (9_500, 10_500), False),  # half of the shorter one: two that speak at once
        ((0, 10_000), (9_499, 10_499), True),
        ((0, 1_000), (500, 9_000), False),
        ((0, 1_000), (499, 9_000), True),
        ((0, 10_000), (400, 700), True),
    ],
)
def test_boundaries_differ_where_a_unit_lies_mostly_within_another(
    first: tuple[int, int], second: tuple[int, int], differ: bool
) -> None:
    table = together(cut("ann", "member", ("a", *first, "")), cut("bob", "member", ("b", *second, "")))
    for shift in (0, 77_001):
        moved = table.assign(start=table["start"] + shift, end=table["end"] + shift)
        assert (align_units(moved)[1] == ("t",)) == differ


def test_a_unit_is_apart_where_it_lies_upon_another_coders_and_is_not_the_same() -> None:
    """Ann's noise lies upon Bob's turn, which is the same as her own."""
    ann = cut("ann", "member", ("a", 0, 1000, ""), ("noise", 200, 500, ""), ("late", 5000, 6000, ""))
    bob = cut("bob", "member", ("b", 400, 1000, ""), ("soon", 4990, 6000, ""))
    table = together(ann, bob).astype({"utterance_id": object})
    before = table.copy(deep=True)
    result, _ = align_units(table)
    assert dict(zip(result["coder"] + ":" + table["utterance_id"], result["apart"], strict=True)) == {
        "ann:a": True,
        "ann:noise": True,
        "ann:late": False,
        "bob:b": True,
        "bob:soon": False,
    }
    pd.testing.assert_frame_equal(table, before)


def test_all_units_of_a_cluster_share_half_of_their_time() -> None:
    """Ann and Bob share 8 of 12, Bob and Eve 8 of 12, Ann and Eve 6 of 14: no chain links them."""
    chain = [cut(name, "member", (name, start, start + 1000, "")) for name, start in (("ann", 0), ("bob", 200))]
    table = together(*chain, cut("eve", "member", ("eve", 400, 1400, "")))
    assert clusters(table) == [["ann:ann", "bob:bob"], ["eve:eve"]]


def test_a_unit_of_the_other_voice_is_another_unit() -> None:
    ann = cut("ann", "member", ("a", 0, 1000, "change"), role="client")
    for role, number in (("interviewer", 2), ("client", 1), ("unknown", 1)):
        assert len(clusters(together(ann, cut("bob", "member", ("b", 0, 900, ""), role=role)))) == number


def test_what_one_coder_holds_apart_is_not_one_unit() -> None:
    """A machine that has both units shows that they are two, although Ann coded one and Bob the other."""
    ann, bob = cut("ann", "member", ("u1", 0, 1000, "change")), cut("bob", "member", ("u2", 200, 900, "change"))
    assert len(clusters(together(ann, bob))) == 1
    both = cut("machine", "machine", ("u1", 0, 1000, ""), ("u2", 200, 900, ""))
    assert clusters(together(ann, bob, both)) == [["ann:u1", "machine:u1"], ["bob:u2", "machine:u2"]]


def test_names_are_the_coachs_else_those_of_most_coders() -> None:
    ann, bob, eve = (
        cut(name, "member", (unit, start, 1000, ""))
        for name, unit, start in (("ann", "a", 0), ("bob", "b", 10), ("eve", "b", 10))
    )
    assert set(align_units(together(ann, bob, eve))[0]["utterance_id"]) == {"b"}
    assert set(align_units(together(ann, bob))[0]["utterance_id"]) == {"a"}
    coach = cut("cora", "coach", ("c", 30, 1000, ""))
    assert set(align_units(together(ann, bob, eve, coach))[0]["utterance_id"]) == {"c"}


def test_rows_without_times_keep_their_names_and_hide_no_other() -> None:
    ann = cut("ann", "member", ("a", 0, 1000, "change"), ("5", 2000, 3000, ""))
    untimed = rows("t", "ann", "member", ["sustain"]).assign(utterance_id="b", start=pd.NA, end=pd.NA)
    coach = cut("cora", "coach", ("b", 10, 1000, "change"))
    result, _ = align_units(together(ann, untimed, coach))
    assert list(result["utterance_id"]) == ["b (0.010-1.000)", "5", "b", "b (0.010-1.000)"]


def test_tapes_are_brought_together_one_by_one() -> None:
    tape = together(cut("ann", "member", ("a", 0, 1000, "")), cut("bob", "member", ("b", 10, 1000, "")))
    other = tape.assign(tape_id="u", utterance_id="same", start=0)
    result, tapes = align_units(together(other, tape))
    assert tapes == ("t",)
    assert list(result["utterance_id"]) == ["same", "same", "a", "a"]


CODES = st.sampled_from(["change", "sustain", ""])


@st.composite
def tapes(draw: st.DrawFn, layers: tuple[str, ...] = ("member", "member", "member")) -> pd.DataFrame:
    """Coders who share some units, cut others in their own way, and have units within units."""
    shared = draw(st.lists(st.tuples(st.integers(0, 40), st.integers(0, 12)), min_size=1, max_size=8, unique=True))
    passes = []
    for number, layer in enumerate(layers):
        units: Units = []
        for index, (start, length) in enumerate(shared):
            kind = draw(st.sampled_from(["same", "same", "moved", "none"]))
            begin, end = (start, start + length) if kind == "same" else (start + 1, start + 1 + length)
            name = f"u{index}" if kind == "same" else f"{number}-{index}"
            if kind != "none":
                units.append((name, 100 * begin, 100 * end, draw(CODES)))
        if units:
            passes.append(cut(f"c{number}", layer, *units))
    assume(len(passes) > 1)
    return together(*passes)


@settings(max_examples=40, deadline=None)
@given(tapes(), CODES, st.integers(0, 40), st.integers(0, 12))
def test_a_unit_that_all_code_alike_never_lowers_agreement(table: pd.DataFrame, code: str, at: int, long: int) -> None:
    before = figures(table)
    extra = [cut(name, "member", ("new", 100 * at, 100 * (at + long), code)) for name in table["coder"].unique()]
    after = figures(together(table, *extra))
    assert after["percent"] >= before["percent"]
    assert after["units"] == before["units"] + 1


@settings(max_examples=40, deadline=None)
@given(tapes(("member", "coach", "machine", "member")), st.randoms(use_true_random=False))
def test_neither_the_order_of_rows_nor_the_names_of_coders_change_what_is_the_same(
    table: pd.DataFrame, random: object
) -> None:
    order = list(range(len(table)))
    random.shuffle(order)  # type: ignore[attr-defined]
    assert clusters(table.iloc[order].reset_index(drop=True)) == clusters(table)
    other = {"c0": "zoe", "c1": "max", "c2": "bob", "c3": "amy"}
    renamed = align_units(table.assign(coder=table["coder"].map(other)))[0]
    assert list(renamed["utterance_id"]) == list(align_units(table)[0]["utterance_id"])


@settings(max_examples=40, deadline=None)
@given(tapes(("member", "member", "member", "coach")))
def test_whoever_joins_the_members_does_not_change_how_they_compare(table: pd.DataFrame) -> None:
    """A coach with the members' units on a part of the tape, or with units of their own."""
    members = table[table["layer"] == "member"]
    assume(members["coder"].nunique() > 1)
    # A coach who has two units of which each member has one shows that they are two.
    shared = table[table["layer"] == "coach"].merge(members, on=["utterance_id", "start", "end"])
    assume(not shared["utterance_id"].nunique() or _apart(shared))
    assume(figures_exist(members))
    assert figures(table, absent="missing") == pytest.approx(figures(members, absent="missing"), nan_ok=True)


def test_units_that_only_the_coach_cuts_are_none_on_which_members_agree() -> None:
    turns: Units = [(f"u{n}", 1000 * n, 1000 * n + 900, ("change", "sustain")[n % 2]) for n in range(10)]
    other: Units = [*turns[:9], ("u9", 9000, 9900, "change")]
    thirds: Units = [(f"c{n}", 300 * n, 300 * n + 300, "change") for n in range(33)]
    members = together(cut("ann", "member", *turns), cut("bob", "member", *other))
    both = together(members, cut("cora", "coach", *thirds))
    for table in (members, both):
        row = figures(table)
        assert (row["units"], row["percent"]) == (10, 0.9)
    assert figures(both, "group and coach")["units"] == 43


def figures_exist(table: pd.DataFrame) -> bool:
    return bool((align_units(table)[0].groupby("utterance_id")["coder"].nunique() > 1).any())


def _apart(shared: pd.DataFrame) -> bool:
    spans = shared[["start", "end"]].drop_duplicates().to_numpy().tolist()
    return all(a[1] <= b[0] or b[1] <= a[0] for a, b in combinations(spans, 2))


@settings(max_examples=40, deadline=None)
@given(tapes(("member", "coach", "member")))
def test_nobody_has_two_codes_on_one_unit(table: pd.DataFrame) -> None:
    aligned = align_units(table)[0]
    assert not aligned.duplicated(["utterance_id", "coder"]).any()
    key = table["utterance_id"] + table["start"].astype(str) + "-" + table["end"].astype(str)
    assert (aligned["utterance_id"].groupby(key).nunique() == 1).all()


@pytest.mark.parametrize("change", [lambda at: at + 777, lambda at: 3 * at])
def test_neither_the_moment_nor_the_pace_of_a_tape_matters(change: Callable[[int], int]) -> None:
    table = together(
        cut("ann", "member", ("a", 0, 1000, ""), ("b", 1200, 2000, "")),
        cut("bob", "member", ("x", 100, 900, ""), ("y", 1500, 2400, "")),
        cut("cora", "coach", ("p", 0, 400, ""), ("q", 1300, 2100, "")),
    )
    assert clusters(table.assign(start=table["start"].map(change), end=table["end"].map(change))) == clusters(table)
