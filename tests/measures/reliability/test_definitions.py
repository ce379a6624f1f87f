"""The whole way from coders' own units to the figures, against the definitions written out plainly.

Units are brought together as the head of `pipeline.measures.reliability.alignment` says; percent agreement, Cohen's
kappa (1960),
Gwet's AC1 (2008) and Krippendorff's nominal alpha (2011) follow from pairs of codes, one by one. Nothing here is shared
with what is tested.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import combinations, permutations

import numpy as np
import pandas as pd
import pytest

from pipeline.measures.reliability.agreement import coefficient_values
from pipeline.measures.reliability.alignment import align_units
from pipeline.measures.reliability.comparisons import group_comparisons, tape_sums
from pipeline.measures.reliability.rating_matrix import CodingScheme, RatingMatrix, build_rating_matrix
from tests.conftest import EXAMPLES

PANELS = 10 * EXAMPLES
"""400, and 1000 in CI."""

CODES = ("", "change", "sustain", "change|sustain")
SCHEME = CodingScheme({"talk": ("change", "sustain")}, {}, {})
BOOK = CodingScheme({"talk": ("change", "sustain")}, {}, {}, book=frozenset({"change", "sustain"}))
TASKS = (None, frozenset({"change", "sustain"}), frozenset({"change"}), frozenset({"sustain"}), frozenset[str]())
"""The codes that somebody is asked for on a tape; None where nobody says."""

Key = tuple[int, int, str]
Coder = tuple[str, str]
Tasks = Mapping[tuple[str, Coder], frozenset[str] | None]
"""(tape, coder) -> what was asked for."""


@dataclass(frozen=True)
class Given:
    """One coder's code on a unit of his or her own."""

    tape: str
    coder: Coder
    key: Key
    code: str


def invented(random: np.random.Generator) -> list[Given]:
    """Some tapes of turns with listening noises within them; each coder has most units, moves some, and cuts others."""
    coders = [("member", name) for name in ("ann", "bob", "eve")[: random.integers(2, 4)]]
    coders += [[("coach", "cora")], []][int(random.random() < 0.5)]
    result = []
    for tape in ("t1", "t2")[: random.integers(1, 3)]:
        units: list[Key] = []
        start = 0
        for number in range(random.integers(2, 6)):
            end = start + int(random.integers(4, 12))
            units.append((start, end, f"u{number}"))
            if random.random() < 0.4:
                inside = int(random.integers(start, end))
                units.append((inside, inside + int(random.integers(0, 3)), f"n{number}"))
            start = end + int(random.integers(0, 2))
        truth = {unit: random.choice(CODES) for unit in units}
        for coder in coders:
            for unit in units:
                code = str(truth[unit] if random.random() < 0.6 else random.choice(CODES))
                kind = random.choice(["same", "moved", "halved", "none"], p=[0.6, 0.2, 0.1, 0.1])
                begin, finish, name = unit
                unit_name = f"{coder[1]}-{name}"
                if kind == "same":
                    result.append(Given(tape, coder, unit, code))
                elif kind == "moved":
                    by = random.integers(-2, 3, 2)
                    first = max(0, begin + int(by[0]))
                    result.append(Given(tape, coder, (first, max(first, finish + int(by[1])), unit_name), code))
                elif kind == "halved":
                    middle = (begin + finish) // 2
                    result.append(Given(tape, coder, (begin, middle, f"{unit_name}a"), code))
                    result.append(Given(tape, coder, (middle, finish, f"{unit_name}b"), str(random.choice(CODES))))
    return result


def asked(given: Sequence[Given], random: np.random.Generator) -> tuple[list[Given], Tasks]:
    """The same coders with tasks, each of whom gives only what the task asks for."""
    keys = sorted({(rating.tape, rating.coder) for rating in given})
    tasks = {key: TASKS[int(random.choice(len(TASKS), p=[0.2, 0.4, 0.2, 0.1, 0.1]))] for key in keys}
    result = []
    for rating in given:
        task = tasks[rating.tape, rating.coder]
        codes = [code for code in rating.code.split("|") if code and (task is None or code in task)]
        result.append(replace(rating, code="|".join(codes)))
    return result, tasks


def able(
    units: list[dict[Coder, tuple[str, bool]]],
    tapes: Sequence[str],
    tasks: Tasks,
    needed: set[str],
    coders: Sequence[Coder],
) -> list[dict[Coder, tuple[str, bool]]]:
    """The units with those coders alone who were asked for all that is needed, of tapes on which two share a unit."""
    asked_for = [
        {
            coder: code
            for coder, code in unit.items()
            if coder in coders and ((task := tasks[tape, coder]) is None or needed <= task)
        }
        for tape, unit in zip(tapes, units, strict=True)
    ]
    shared = {
        tape
        for tape, unit in zip(tapes, asked_for, strict=True)
        if len(unit) > 1 and any(row for _, row in unit.values())
    }
    return [unit for tape, unit in zip(tapes, asked_for, strict=True) if tape in shared]


def table(given: Sequence[Given]) -> pd.DataFrame:
    rows = [
        (rating.tape, rating.key[2], rating.coder[1], rating.coder[0], rating.code, *rating.key[:2]) for rating in given
    ]
    return pd.DataFrame(rows, columns=["tape_id", "utterance_id", "coder", "layer", "codes", "start", "end"])


def common(first: Key, second: Key) -> int:
    return min(first[1], second[1]) - max(first[0], second[0])


def share(first: Key, second: Key) -> Fraction:
    together = max(first[1], second[1]) - min(first[0], second[0])
    return Fraction(max(0, common(first, second)), together) if together else Fraction(1)


def within(first: Key, second: Key) -> bool:
    shorter = min(first[1] - first[0], second[1] - second[0])
    return 2 * common(first, second) > shorter or share(first, second) == 1


def clusters(coders: dict[Key, set[Coder]]) -> list[set[Key]]:
    """The units of one tape that are the same."""
    rank = {"member": 0, "consensus": 1, "coach": 2, "machine": 3}

    def alike(first: Key, second: Key) -> bool:
        return share(first, second) >= Fraction(1, 2) and not coders[first] & coders[second]

    def order(pair: tuple[Key, Key]) -> tuple[object, ...]:
        first = [min(rank[layer] for layer, _ in coders[key]) for key in pair]
        return max(first), -share(*pair), pair[0][2] != pair[1][2], pair

    result = [{key} for key in coders]
    for pair in sorted((pair for pair in combinations(sorted(coders), 2) if alike(*pair)), key=order):
        first, second = (next(cluster for cluster in result if key in cluster) for key in pair)
        if first is not second and all(alike(a, b) for a in first for b in second):
            first |= second
            result = [cluster for cluster in result if cluster is not second]
    return result


def laid(given: Sequence[Given], fill: bool) -> list[dict[Coder, tuple[str, bool]]]:
    """For each unit each coder's codes, and whether from a row or, with ``fill``, by leaving it without a code.

    Where boundaries differ on a tape (a unit lies mostly within another coder's), two coders without a row agree on
    nothing on a unit that has time in common with another coder's.
    """
    units = []
    for tape in sorted({rating.tape for rating in given}):
        on_tape = [rating for rating in given if rating.tape == tape]
        coders: dict[Key, set[Coder]] = {}
        for rating in on_tape:
            coders.setdefault(rating.key, set()).add(rating.coder)
        differ = any(within(a, b) for a, b in combinations(coders, 2) if not coders[a] & coders[b])
        for cluster in clusters(coders):
            codes = {rating.coder: (rating.code, True) for rating in on_tape if rating.key in cluster}
            others = set(coders) - cluster
            crossed = differ and any(
                not coders[a] & coders[b] and (common(a, b) > 0 or share(a, b) == 1) for a in cluster for b in others
            )
            for coder in {rating.coder for rating in on_tape} - set(codes) if fill else ():
                codes[coder] = ("", not crossed)
            units.append(codes)
    return units


def tapes_of_units(given: Sequence[Given]) -> list[str]:
    """The tape of each unit that `laid` returns."""
    tapes = []
    for tape in sorted({rating.tape for rating in given}):
        coders: dict[Key, set[Coder]] = {}
        for rating in given:
            if rating.tape == tape:
                coders.setdefault(rating.key, set()).add(rating.coder)
        tapes += [tape] * len(clusters(coders))
    return tapes


def of(code: str, level: str) -> str:
    return code if level in ("all codes", "talk") else "yes" * (level in code.split("|"))


POSSIBLE = {"all codes": set[str](), "talk": {"", "change", "sustain"}}
"""Values that can always be chosen; of a code, yes or no."""


def by_definition(units: list[dict[Coder, tuple[str, bool]]], coders: list[Coder], level: str) -> dict[str, float]:
    """The figures of coders among themselves; kappa for two, also where no other shares a unit with anybody."""
    coded = []
    for unit in units:
        codes = [unit[coder] for coder in coders if coder in unit]
        if any(row for _, row in codes):
            coded.append({coder: of(unit[coder][0], level) for coder in coders if coder in unit})
    several = [list(unit.values()) for unit in coded if len(unit) > 1]
    if not several:
        return {}
    sharing = {coder for unit in coded if len(unit) > 1 for coder in unit}
    coders = coders if len(sharing) > 2 else [coder for coder in coders if coder in sharing]
    # For two coders only what both coded counts.
    chosen = several if len(coders) == 2 else [list(unit.values()) for unit in coded]
    values = sorted({code for unit in chosen for code in unit} | POSSIBLE.get(level, {"", "yes"}))
    agree = [np.mean([a == b for a, b in permutations(unit, 2)]) for unit in several]
    shares = {value: np.mean([unit.count(value) / len(unit) for unit in chosen]) for value in values}
    pe = sum(p * (1 - p) for p in shares.values()) / (len(values) - 1) if len(values) > 1 else np.nan
    coincidence: Counter[tuple[str, str]] = Counter()
    for unit in several:
        for a, b in permutations(unit, 2):
            coincidence[a, b] += 1 / (len(unit) - 1)  # type: ignore[assignment]
    n = {value: sum(coincidence[value, other] for other in values) for value in values}
    total = sum(n.values())
    observed = sum(number for (a, b), number in coincidence.items() if a != b) / total
    expected = sum(n[a] * n[b] for a, b in permutations(values, 2)) / (total * (total - 1))
    result = {"units": float(len(several)), "percent": float(np.mean(agree))}
    result["ac1"] = (result["percent"] - pe) / (1 - pe)
    result["alpha"] = 1 - observed / expected if expected > 1e-12 else np.nan
    if len(coders) == 2:
        chance = sum(
            np.prod([np.mean([unit[side] == value for unit in several]) for side in (0, 1)]) for value in values
        )
        result["kappa"] = (result["percent"] - chance) / (1 - chance) if chance < 1 - 1e-12 else np.nan
    return result


def pairs(laid_: RatingMatrix) -> dict[tuple[str, str, str], list[Coder]]:
    """(comparison, a, b) -> the coders that it compares."""
    members = [coder for coder in laid_.coders if coder[0] == "member"]
    coach = [coder for coder in laid_.coders if coder[0] == "coach"]
    result = {("members", "members", "members"): members}
    result |= {("coders", a[1], b[1]): [a, b] for a, b in combinations(members, 2)}
    return result | {("coder and coach", a[1], b[1]): [a, b] for a in members for b in coach}


@pytest.mark.parametrize("fill", [False, True])
def test_figures_of_coders_with_tasks_of_their_own_are_those_of_the_definitions(fill: bool) -> None:
    """Nobody counts on codes that nobody asked for: neither what was left nor what was given there."""
    random = np.random.default_rng([20261201, fill])
    compared = left_out = 0
    for _ in range(PANELS // 8):
        given, tasks = asked(invented(random), random)
        codable = [tasks[rating.tape, rating.coder] for rating in given]
        cells = [None if task is None else "|".join(sorted(task)) for task in codable]
        result, _ = align_units(table(given).assign(codable=cells))
        ratings = build_rating_matrix(result, BOOK, "not-coded" if fill else "missing")
        units, tapes = laid(given, fill), tapes_of_units(given)
        comparing = {
            (comparison.kind, comparison.a, comparison.b): comparison for comparison in group_comparisons(ratings)
        }
        for level in (level for level in ratings.levels if level.kind in ("all", "code", "family")):
            needed = {level.name} if level.kind == "code" else {"change", "sustain"}
            values = level.values_of(ratings.grid)
            for key, coders in pairs(ratings).items():
                wanted = by_definition(able(units, tapes, tasks, needed, coders), coders, level.name)
                added = tape_sums(ratings, level, comparing[key], values) if key in comparing else None
                assert (added is not None) == bool(wanted), (key, level.name)
                left_out += added is None and key in comparing
                if added is not None:
                    got = coefficient_values(added.weighted(np.ones(len(added.units)))) | {"units": added.utterances}
                    assert {name: float(got[name]) for name in wanted} == pytest.approx(wanted, nan_ok=True), key
                    compared += len(wanted)
    assert compared > 1_000
    assert left_out > 200


@pytest.mark.parametrize("fill", [False, True])
def test_figures_of_random_rating_matrices_are_those_of_the_definitions(fill: bool) -> None:
    random = np.random.default_rng([20261130, fill])
    brought_together = compared = 0
    for _ in range(PANELS // 2):
        given = invented(random)
        result, tapes = align_units(table(given))
        brought_together += bool(tapes)
        ratings = build_rating_matrix(result, SCHEME, "not-coded" if fill else "missing")
        units = laid(given, fill)
        comparing = {
            (comparison.kind, comparison.a, comparison.b): comparison for comparison in group_comparisons(ratings)
        }
        for level in (level for level in ratings.levels if level.kind in ("all", "code")):
            cells = level.values_of(ratings.grid)
            for key, coders in pairs(ratings).items():
                wanted = by_definition(units, coders, level.name)
                added = tape_sums(ratings, level, comparing[key], cells) if key in comparing else None
                assert (added is not None) == bool(wanted), (key, level.name)
                if added is not None:
                    got = coefficient_values(added.weighted(np.ones(len(added.units)))) | {"units": added.utterances}
                    assert {name: float(got[name]) for name in wanted} == pytest.approx(wanted, nan_ok=True), key
                    compared += len(wanted)
    assert brought_together > 0.9 * PANELS / 2
    assert compared > 10_000
