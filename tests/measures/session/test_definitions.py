"""The whole way from coders' own units to the figures, against the definitions written out plainly.

Units are brought together as the head of `pipeline.measures.reliability.alignment` says; percent agreement, Cohen's
kappa (1960),
Gwet's AC1 (2008) and Krippendorff's nominal alpha (2011) follow from pairs of codes, one by one. Nothing here is shared
with what is tested.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import combinations, permutations

import numpy as np
import pandas as pd
import pytest

from pipeline.measures.reliability.agreement import coefficient_values
from pipeline.measures.reliability.alignment import align_units
from pipeline.measures.reliability.comparisons import group_comparisons, tape_sums
from pipeline.measures.reliability.rating_matrix import CodingScheme, RatingMatrix, build_rating_matrix

PANELS = 1000
CODES = ("", "change", "sustain", "change|sustain")
SCHEME = CodingScheme({"talk": ("change", "sustain")}, {}, {})

Key = tuple[int, int, str]
Coder = tuple[str, str]


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
    found = []
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
                own = f"{coder[1]}-{name}"
                if kind == "same":
                    found.append(Given(tape, coder, unit, code))
                elif kind == "moved":
                    by = random.integers(-2, 3, 2)
                    first = max(0, begin + int(by[0]))
                    found.append(Given(tape, coder, (first, max(first, finish + int(by[1])), own), code))
                elif kind == "halved":
                    middle = (begin + finish) // 2
                    found.append(Given(tape, coder, (begin, middle, f"{own}a"), code))
                    found.append(Given(tape, coder, (middle, finish, f"{own}b"), str(random.choice(CODES))))
    return found


def table(given: Sequence[Given]) -> pd.DataFrame:
    rows = [(one.tape, one.key[2], one.coder[1], one.coder[0], one.code, *one.key[:2]) for one in given]
    return pd.DataFrame(rows, columns=["tape_id", "utterance_id", "coder", "layer", "codes", "start", "end"])


def common(one: Key, other: Key) -> int:
    return min(one[1], other[1]) - max(one[0], other[0])


def share(one: Key, other: Key) -> Fraction:
    together = max(one[1], other[1]) - min(one[0], other[0])
    return Fraction(max(0, common(one, other)), together) if together else Fraction(1)


def within(one: Key, other: Key) -> bool:
    return 2 * common(one, other) > min(one[1] - one[0], other[1] - other[0]) or share(one, other) == 1


def clusters(coders: dict[Key, set[Coder]]) -> list[set[Key]]:
    """The units of one tape that are the same."""
    rank = {"member": 0, "consensus": 1, "coach": 2, "machine": 3}

    def alike(one: Key, other: Key) -> bool:
        return share(one, other) >= Fraction(1, 2) and not coders[one] & coders[other]

    def order(pair: tuple[Key, Key]) -> tuple[object, ...]:
        first = [min(rank[layer] for layer, _ in coders[key]) for key in pair]
        return max(first), -share(*pair), pair[0][2] != pair[1][2], pair

    found = [{key} for key in coders]
    for one, other in sorted((pair for pair in combinations(sorted(coders), 2) if alike(*pair)), key=order):
        mine, theirs = (next(each for each in found if key in each) for key in (one, other))
        if mine is not theirs and all(alike(a, b) for a in mine for b in theirs):
            mine |= theirs
            found = [each for each in found if each is not theirs]
    return found


def laid(given: Sequence[Given], fill: bool) -> list[dict[Coder, tuple[str, bool]]]:
    """For each unit what each coder said, and whether in a row or, with ``fill``, by leaving it without a code.

    Where boundaries differ on a tape (a unit lies mostly within another coder's), two coders without a row agree on
    nothing on a unit that has time in common with another coder's.
    """
    found = []
    for tape in sorted({one.tape for one in given}):
        here = [one for one in given if one.tape == tape]
        coders: dict[Key, set[Coder]] = {}
        for one in here:
            coders.setdefault(one.key, set()).add(one.coder)
        differ = any(within(a, b) for a, b in combinations(coders, 2) if not coders[a] & coders[b])
        for cluster in clusters(coders):
            said = {one.coder: (one.code, True) for one in here if one.key in cluster}
            others = set(coders) - cluster
            crossed = differ and any(
                not coders[a] & coders[b] and (common(a, b) > 0 or share(a, b) == 1) for a in cluster for b in others
            )
            for coder in {one.coder for one in here} - set(said) if fill else ():
                said[coder] = ("", not crossed)
            found.append(said)
    return found


def of(code: str, level: str) -> str:
    return code if level == "all codes" else "yes" * (level in code.split("|"))


def by_definition(units: list[dict[Coder, tuple[str, bool]]], coders: list[Coder], level: str) -> dict[str, float]:
    """The figures of coders among themselves; kappa for two."""
    kept = []
    for unit in units:
        here = [unit[coder] for coder in coders if coder in unit]
        if any(row for _, row in here):
            kept.append({coder: of(unit[coder][0], level) for coder in coders if coder in unit})
    several = [list(unit.values()) for unit in kept if len(unit) > 1]
    if not several:
        return {}
    # For two coders only what both coded counts.
    chosen = several if len(coders) == 2 else [list(unit.values()) for unit in kept]
    values = sorted({code for unit in chosen for code in unit} | (set() if level == "all codes" else {"", "yes"}))
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
    found = {"units": float(len(several)), "percent": float(np.mean(agree))}
    found["ac1"] = (found["percent"] - pe) / (1 - pe)
    found["alpha"] = 1 - observed / expected if expected > 1e-12 else np.nan
    if len(coders) == 2:
        chance = sum(
            np.prod([np.mean([unit[side] == value for unit in several]) for side in (0, 1)]) for value in values
        )
        found["kappa"] = (found["percent"] - chance) / (1 - chance) if chance < 1 - 1e-12 else np.nan
    return found


def pairs(laid_: RatingMatrix) -> dict[tuple[str, str, str], list[Coder]]:
    """(comparison, a, b) -> the coders that it compares."""
    members = [coder for coder in laid_.coders if coder[0] == "member"]
    coach = [coder for coder in laid_.coders if coder[0] == "coach"]
    found = {("members", "members", "members"): members}
    found |= {("coders", a[1], b[1]): [a, b] for a, b in combinations(members, 2)}
    return found | {("coder and coach", a[1], b[1]): [a, b] for a in members for b in coach}


@pytest.mark.parametrize("fill", [False, True])
def test_figures_of_random_panels_are_those_of_the_definitions(fill: bool) -> None:
    random = np.random.default_rng([20261130, fill])
    brought_together = compared = 0
    for _ in range(PANELS // 2):
        given = invented(random)
        found, tapes = align_units(table(given))
        brought_together += bool(tapes)
        made = build_rating_matrix(found, SCHEME, "not-coded" if fill else "missing")
        units = laid(given, fill)
        comparing = {(each.kind, each.a, each.b): each for each in group_comparisons(made)}
        for level in (level for level in made.levels if level.kind in ("all", "code")):
            cells = level.values_of(made.grid)
            for key, coders in pairs(made).items():
                wanted = by_definition(units, coders, level.name)
                added = tape_sums(made, level, comparing[key], cells) if key in comparing else None
                assert (added is not None) == bool(wanted), (key, level.name)
                if added is not None:
                    got = coefficient_values(added.weighted(np.ones(len(added.units)))) | {"units": added.utterances}
                    assert {name: float(got[name]) for name in wanted} == pytest.approx(wanted, nan_ok=True), key
                    compared += len(wanted)
    assert brought_together > 0.9 * PANELS / 2
    assert compared > 10_000
