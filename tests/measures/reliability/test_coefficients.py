"""Published worked examples, and a thousand random tables against scikit-learn, statsmodels and the definitions."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.metrics import cohen_kappa_score
from statsmodels.stats.contingency_tables import SquareTable
from statsmodels.stats.inter_rater import cohens_kappa

from pipeline.measures.reliability import coefficients as by

TABLES = 1000

RELIABILITY = np.array(
    [
        [1, 2, 3, 3, 2, 1, 4, 1, 2, 0, 0, 0],
        [1, 2, 3, 3, 2, 2, 4, 1, 2, 5, 0, 3],
        [0, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, 0],
        [1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, 0],
    ]
)
"""Krippendorff 2011, "Computing Krippendorff's Alpha-Reliability", C: four observers, twelve units; 0 is missing."""


def coincidences(data: NDArray[np.int64], values: int) -> NDArray[np.float64]:
    """By the definition, pair by pair; 0 is missing."""
    result = np.zeros((values, values))
    for unit in data.T:
        given = [value for value in unit if value]
        for first, second in permutations(range(len(given)), 2):
            result[given[first] - 1, given[second] - 1] += 1 / (len(given) - 1)
    return result


def alpha_by_definition(data: NDArray[np.int64], values: int, ordinal: bool = False) -> float:
    """1 - D_o / D_e with the metric's differences, summed pair by pair."""
    result = coincidences(data, values)
    number = result.sum(axis=1)
    total = number.sum()
    observed = expected = 0.0
    for c in range(values):
        for k in range(values):
            low, high = min(c, k), max(c, k)
            rank = number[low : high + 1].sum() - (number[c] + number[k]) / 2
            metric = rank**2 if ordinal else float(c != k)
            observed += result[c, k] * metric / total
            expected += number[c] * number[k] * metric / (total * (total - 1))
    return 1 - observed / expected


def ac1_by_definition(data: NDArray[np.int64], values: int) -> float:
    """Gwet 2008, unit by unit; 0 is missing."""
    agree, shares = [], []
    for unit in data.T:
        given = [value for value in unit if value]
        if given:
            shares.append([given.count(value) / len(given) for value in range(1, values + 1)])
        if len(given) > 1:
            pairs = list(permutations(given, 2))
            agree.append(sum(a == b for a, b in pairs) / len(pairs))
    pa, pi = np.mean(agree), np.mean(shares, axis=0)
    pe = sum(share * (1 - share) for share in pi) / (values - 1)
    return float((pa - pe) / (1 - pe))


def sums(data: NDArray[np.int64], values: int) -> dict[str, object]:
    """The sums behind the coefficients."""
    counts = np.stack([(data == value).sum(axis=0) for value in range(1, values + 1)], axis=1).astype(float)
    coders = counts.sum(axis=1)
    several, some = coders > 1, coders > 0
    inside, number = counts[several], coders[several]
    return {
        "agree": ((inside * (inside - 1)).sum(axis=1) / (number * (number - 1))).sum(),
        "units": several.sum(),
        "same": ((inside * (inside - 1)).sum(axis=1) / (number - 1)).sum(),
        "given": inside.sum(axis=0),
        "shares": (counts[some] / coders[some][:, None]).sum(axis=0),
        "coded": some.sum(),
    }


def test_krippendorffs_example_with_missing_cells() -> None:
    result = sums(RELIABILITY, 5)
    assert float(by.alpha_of(result["same"], result["given"])) == pytest.approx(0.743, abs=5e-4)
    assert float(by.ordinal_alpha_of(coincidences(RELIABILITY, 5))) == pytest.approx(0.815, abs=5e-4)


def test_gwets_example_with_four_coders_and_missing_cells() -> None:
    """Handbook of Inter-Rater Reliability, the same table: AC1 .775, observed .818."""
    result = sums(RELIABILITY, 5)
    assert float(by.percent(result["agree"], result["units"])) == pytest.approx(0.81818, abs=1e-5)
    assert float(by.ac1_of(*(result[name] for name in ("agree", "units", "shares", "coded")))) == pytest.approx(
        0.77544, abs=1e-5
    )


def test_gwets_example_of_the_paradox() -> None:
    """Gwet 2002: 118, 5, 2, 0 of 125: kappa -.0234, AC1 .9408."""
    table = np.array([[118, 5], [2, 0]])
    shares = (table.sum(axis=0) + table.sum(axis=1)) / 2
    assert float(by.kappa(table)) == pytest.approx(-0.0234, abs=5e-5)
    assert float(by.ac1_of(118, 125, shares, 125)) == pytest.approx(0.9408, abs=5e-5)


def test_fleiss_example_of_kappa() -> None:
    """Fleiss 1981, table 13.1: two raters, a hundred subjects, kappa .68 (.676)."""
    assert float(by.kappa([[75, 1, 4], [5, 4, 1], [0, 0, 10]])) == pytest.approx(0.676, abs=5e-4)


@pytest.mark.parametrize(
    ("table", "kappa", "pabak", "prevalence", "bias"),
    [([[45, 6], [9, 40]], 0.70, 0.70, -0.05, 0.03), ([[5, 5], [10, 80]], 0.32, 0.70, 0.75, 0.05)],
)
def test_byrt_bishop_and_carlin(
    table: list[list[int]], kappa: float, pabak: float, prevalence: float, bias: float
) -> None:
    """Feinstein and Cicchetti's pair of tables (1990) with the same agreement, as Byrt and others read them (1993)."""
    cells = np.array(table, dtype=float)
    rows, columns = cells.sum(axis=1), cells.sum(axis=0)
    assert float(by.kappa(cells)) == pytest.approx(kappa, abs=5e-3)
    assert float(by.pabak(np.trace(cells), cells.sum(), 2)) == pytest.approx(pabak)
    assert float(by.prevalence_index(rows, columns)) == pytest.approx(prevalence)
    assert float(by.bias_index(rows, columns)) == pytest.approx(bias)


def test_shrout_and_fleiss() -> None:
    """Shrout and Fleiss 1979, table 2: ICC(2,1) .29, ICC(3,1) .71."""
    table = np.array([[9, 2, 5, 8], [6, 1, 3, 2], [8, 4, 6, 8], [7, 1, 2, 6], [10, 5, 6, 9], [6, 2, 4, 7]], dtype=float)
    agreement, consistency = by.icc_of(table.sum(axis=0), (table**2).sum(), (table.sum(axis=1) ** 2).sum(), 6)
    assert float(agreement) == pytest.approx(0.29, abs=5e-3)
    assert float(consistency) == pytest.approx(0.71, abs=6e-3)


def test_stuarts_example_of_unaided_vision() -> None:
    """Stuart 1955: grades of the right and left eyes of 7477 women, chi-square 11.96 with 3 degrees of freedom."""
    table = [[1520, 266, 124, 66], [234, 1512, 432, 78], [117, 362, 1772, 205], [36, 82, 179, 492]]
    statistic, free = by.homogeneity(table)
    assert float(statistic) == pytest.approx(11.96, abs=5e-3)
    assert int(free) == 3


def test_a_long_chain_of_single_confusions_has_a_degree_of_freedom_for_each() -> None:
    """Only the marginals of the first and the last differ, by 1 each; between them lie five steps of variance 1."""
    table = np.diag([9.0] * 6) + np.diag([1.0] * 5, k=1)
    statistic, free = by.homogeneity(table)
    assert int(free) == 5
    assert float(statistic) == pytest.approx(5)


def test_a_rare_confusion_counts_beside_one_that_is_a_million_times_as_common() -> None:
    """(b - c)^2 / (b + c) of each pair: (2 000 000 - 0)^2 / 2 000 000, and (3 - 1)^2 / 4."""
    table = [[5, 2_000_000, 0, 0], [0, 5, 0, 0], [0, 0, 5, 3], [0, 0, 1, 5]]
    statistic, free = by.homogeneity(table)
    assert int(free) == 2
    assert float(statistic) - 2_000_000 == pytest.approx(1, abs=1e-3)


def test_fagerlands_example_of_mcnemar() -> None:
    """Fagerland, Lydersen and Laake 2013: 1 against 7, exact p .070, mid-p .039."""
    assert float(by.mcnemar(1, 7)) == pytest.approx(0.039, abs=5e-4)
    assert float(by.mcnemar(0, 0)) == 1.0
    assert float(by.mcnemar(4, 4)) == 1.0


def test_mcnemar_of_several_pairs_at_once_by_hand() -> None:
    """1 against 0: 2 · (½) - ½; 2 against 0: 2 · ¼ - ¼; 3 against 1: 2 · 5/16 - 4/16; none against none is no sign."""
    p_values = by.mcnemar([0, 1, 0, 2, 3, 1], [0, 0, 1, 0, 1, 3])
    assert p_values.tolist() == pytest.approx([1.0, 0.5, 0.5, 0.25, 0.375, 0.375])
    assert by.mcnemar([0, 1], [0, 0]).tolist() == pytest.approx([1.0, 0.5])
    square = np.array([[9, 3, 0], [1, 9, 2], [0, 0, 9]])
    assert by.mcnemar(square, square.T) == pytest.approx(np.array([[1, 0.375, 1], [0.375, 1, 0.25], [1, 0.25, 1]]))


def random_tables() -> list[NDArray[np.int64]]:
    random = np.random.default_rng(20261124)
    result = []
    for _ in range(TABLES):
        values = int(random.integers(2, 7))
        chances = random.dirichlet(np.ones(values * values) * random.choice([0.3, 1, 5]))
        result.append(random.multinomial(int(random.integers(5, 300)), chances).reshape(values, values))
    return result


@pytest.mark.filterwarnings("ignore::RuntimeWarning", "ignore::UserWarning", "ignore::FutureWarning")
def test_kappa_of_random_tables_is_that_of_the_libraries() -> None:
    for table in random_tables():
        ours = float(by.kappa(table))
        first, second = np.repeat(np.stack(np.indices(table.shape), axis=-1).reshape(-1, 2), table.ravel(), axis=0).T
        assert ours == pytest.approx(cohen_kappa_score(first, second), nan_ok=True)
        assert ours == pytest.approx(float(cohens_kappa(table, return_results=False)), nan_ok=True)


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_marginal_homogeneity_of_random_tables_is_that_of_statsmodels() -> None:
    compared = 0
    for table in random_tables():
        seen = (table + table.T - 2 * np.diag(np.diag(table))).sum(axis=1) > 0
        statistic, free = by.homogeneity(table)
        inner = table[np.ix_(seen, seen)]
        if free == len(inner) - 1 and free > 0:  # statsmodels takes no table that falls into parts
            theirs = SquareTable(inner, shift_zeros=False).homogeneity()
            assert float(statistic) == pytest.approx(theirs.statistic, rel=1e-6, abs=1e-9)
            compared += 1
        sides = by.mcnemar(table, table.T)
        assert ((sides > 0) & (sides <= 1)).all()
    assert compared > 0.8 * TABLES


def test_alpha_and_ac1_of_random_data_are_those_of_the_definitions() -> None:
    random = np.random.default_rng(7)
    for _ in range(TABLES):
        values, coders, units = (int(random.integers(low, high)) for low, high in ((2, 6), (2, 6), (3, 25)))
        data = random.choice(values + 1, size=(coders, units), p=[0.2, *[0.8 / values] * values])
        data = np.where(random.random(data.shape) < 0.6, data[:1], data)
        result = sums(data, values)
        if result["units"] == 0 or (np.asarray(result["given"]) > 0).sum() < 2:
            continue
        alpha = float(by.alpha_of(result["same"], result["given"]))
        assert alpha == pytest.approx(alpha_by_definition(data, values))
        ordinal = float(by.ordinal_alpha_of(coincidences(data, values)))
        assert ordinal == pytest.approx(alpha_by_definition(data, values, ordinal=True))
        ac1 = float(by.ac1_of(*(result[name] for name in ("agree", "units", "shares", "coded"))))
        assert ac1 == pytest.approx(ac1_by_definition(data, values))


def test_intraclass_correlations_of_random_counts_are_those_of_an_analysis_of_variance() -> None:
    random = np.random.default_rng(8)
    for _ in range(TABLES):
        tapes, coders = int(random.integers(3, 30)), int(random.integers(2, 5))
        counts = random.poisson(random.uniform(1, 20, (tapes, 1)), (tapes, coders)).astype(float)
        mean, rows, columns = counts.mean(), counts.mean(axis=1), counts.mean(axis=0)
        msr = coders * ((rows - mean) ** 2).sum() / (tapes - 1)
        msc = tapes * ((columns - mean) ** 2).sum() / (coders - 1)
        mse = ((counts - rows[:, None] - columns + mean) ** 2).sum() / ((tapes - 1) * (coders - 1))
        agreement, consistency = by.icc_of(
            counts.sum(axis=0), (counts**2).sum(), (counts.sum(axis=1) ** 2).sum(), tapes
        )
        bottom = msr + (coders - 1) * mse
        assert float(consistency) == pytest.approx((msr - mse) / bottom)
        assert float(agreement) == pytest.approx((msr - mse) / (bottom + coders * (msc - mse) / tapes))


def test_undefined_is_nan_without_a_warning() -> None:
    assert np.isnan(by.kappa([[9, 0], [0, 0]]))
    assert np.isnan(by.alpha_of(18, np.array([18.0, 0.0])))
    assert np.isnan(by.percent(0, 0))
    assert np.isnan(by.ac1_of(3, 3, np.array([3.0]), 3))
    assert all(np.isnan(value) for value in by.icc_of([8.0, 8.0], 32.0, 64.0, 4))
    statistic, free = by.homogeneity([[5, 0], [0, 3]])
    assert (float(statistic), int(free)) == (0.0, 0)


def test_a_stack_of_tables_gives_what_each_table_gives() -> None:
    tables = np.array([[[9, 2, 0], [1, 7, 3], [4, 0, 5]], [[3, 6, 1], [0, 8, 2], [5, 1, 4]]], dtype=float)
    for stack in (tables, np.stack([tables, tables[::-1], tables])):
        single = [(by.kappa(tables), *by.homogeneity(tables)) for tables in stack.reshape(-1, 3, 3)]
        kappa, (chi2, degrees) = by.kappa(stack), by.homogeneity(stack)
        np.testing.assert_allclose(kappa.ravel(), [values[0] for values in single])
        np.testing.assert_allclose(chi2.ravel(), [values[1] for values in single])
        assert degrees.ravel().tolist() == [values[2] for values in single] == [2] * len(single)


@pytest.mark.parametrize("leading", [(4,), (3, 4), (2, 3, 4)])
def test_each_coefficient_of_a_stack_is_that_of_each_of_its_parts(leading: tuple[int, ...]) -> None:
    """Leading axes as for bootstrap draws; neither their number nor their length is that of values or coders."""
    random = np.random.default_rng(5)
    values, coders = 5, 6
    rows, columns = (random.integers(1, 20, (*leading, values)).astype(float) for _ in range(2))
    agree, units = random.integers(1, 10, leading).astype(float), random.integers(10, 20, leading).astype(float)
    matrices = random.integers(1, 20, (*leading, values, values)).astype(float)
    totals = random.integers(50, 90, (*leading, coders)).astype(float)
    squares, by_tape, tapes = (random.integers(low, low + 900, leading).astype(float) for low in (9000, 20_000, 10))
    figures = {
        "kappa": (by.kappa_of, (agree, rows, columns)),
        "kappa of tables": (by.kappa, (matrices,)),
        "pabak": (lambda agreed, of: by.pabak(agreed, of, values), (agree, units)),
        "prevalence": (by.prevalence_index, (rows[..., :2], columns[..., :2])),
        "bias": (by.bias_index, (rows[..., :2], columns[..., :2])),
        "ac1": (by.ac1_of, (agree, units, rows, rows.sum(axis=-1))),
        "alpha": (by.alpha_of, (agree, rows)),
        "ordinal alpha": (by.ordinal_alpha_of, (matrices + np.swapaxes(matrices, -1, -2),)),
        "icc": (lambda *sums: np.stack(by.icc_of(*sums), axis=-1), (totals, squares, by_tape, tapes)),
    }
    for name, (figure, arguments) in figures.items():
        stacked = figure(*arguments)
        assert np.isfinite(stacked).all(), name
        for index in np.ndindex(leading):
            np.testing.assert_allclose(
                stacked[index], figure(*(argument[index] for argument in arguments)), err_msg=name
            )
