"""How good the pre-tags are: figures from fold predictions, each with a 90 % interval over families.

A prediction of a fold comes from a classifier, a calibration and thresholds that saw none of that fold's families.
Families are drawn with replacement for the intervals: sessions of one family (a series, the same actors) err together.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pipeline.coding.calibration import Calibration
from pipeline.measures.session.draws import Interval, draw_codes, ratio_interval

DRAWS, SEED, WIDTH = 1000, 0, 0.9

HUMAN: Mapping[str, float] = {
    "main behavior, 4 classes": 0.856,
    "question yes/no": 0.958,
    "reflection yes/no": 0.883,
    "OQ, CQ, SR, CR, other": 0.67,
    "client talk": 0.725,
}
"""One expert against the majority of the other nine on AnnoMI's ten-annotator sessions, macro-F1."""

_QUESTIONS, _REFLECTIONS = ("question_open", "question_closed"), ("reflection_simple", "reflection_complex")


@dataclass(frozen=True)
class Figure:
    """One number with its interval over families and, where there is one, the same of a human expert."""

    name: str
    value: float
    low: float
    high: float
    number: int  # rows or sessions that it rests on
    human: float | None = None
    seeds: tuple[float, ...] = ()  # the value of each, where there are several


def of_seeds(table: pd.DataFrame, folds: pd.DataFrame, by_fold: Mapping[int, Calibration]) -> tuple[Figure, ...]:
    """The figures of all seeds of the fold predictions (`weights.read_folds`), means over them.

    Seeds differ by the luck of training, families by whom is listened to: the ends of the intervals are means over the
    seeds' own, so they are no narrower for there being several.
    """
    each = [figures(joined(table, rows), by_fold) for _, rows in folds.groupby("seed", sort=False)]
    return tuple(_mean(of) for of in zip(*each, strict=True))


def _mean(of: Sequence[Figure]) -> Figure:
    first, *others = of
    if not others:
        return first
    value, low, high = (float(np.mean([getattr(figure, name) for figure in of])) for name in ("value", "low", "high"))
    return replace(first, value=value, low=low, high=high, seeds=tuple(figure.value for figure in of))


def figures(table: pd.DataFrame, by_fold: Mapping[int, Calibration]) -> tuple[Figure, ...]:
    """All figures of the model card, of one seed.

    Parameters
    ----------
    table: AnnoMI's columns (`pipeline.coding.training.data`) and the coded columns of the fold predictions.
    by_fold: fold -> the calibration that was fitted to the other folds.
    """
    found = [*figures_of_rows(table)]
    sums = pd.DataFrame(
        {
            "question": table[[f"p_{code}" for code in _QUESTIONS]].sum(axis=1),
            "reflection": table[[f"p_{code}" for code in _REFLECTIONS]].sum(axis=1),
            "information": table["p_information"],
            "change": table["p_change"],
            "sustain": table["p_sustain"],
        }
    )
    truth = pd.DataFrame(
        {
            **{name: table[name] for name in ("question", "reflection", "information")},
            "change": table["client"] * table["change"].fillna(0),
            "sustain": table["client"] * (1 - table["change"].fillna(1)),
        }
    )
    for name in sums:
        asked = truth[name].notna()
        rows = pd.DataFrame({"p": sums[name], "y": truth[name], "family": table["family"]})[asked]
        found.append(_resampled(f"calibration error, {name}", rows, _calibration_error))
    checks = pd.DataFrame({"family": table["family"], "check": table["needs_check"], "wrong": wrong(table)})
    found.append(_resampled("share of utterances to check", checks, lambda rows: float(rows["check"].mean())))
    found.append(_resampled("share of errors among them", checks, _caught))
    return (*found, *_of_sessions(sessions(table, by_fold)))


def joined(table: pd.DataFrame, folds: pd.DataFrame) -> pd.DataFrame:
    """AnnoMI's rows with what one seed's fold predictions say; ``folds`` as `weights.read_folds` reads them."""
    keys = ["tape_id", "utterance_id"]
    return table.merge(folds[[*keys, *(name for name in folds if name not in table)]], on=keys)


def figures_of_rows(table: pd.DataFrame) -> tuple[Figure, ...]:
    """The figures of single utterances: macro-F1 of each decision."""
    table = table.assign(tagged_main=main_behavior(table))
    interviewer, client = table[table["role"] == "interviewer"], table[table["role"] == "client"]
    return (
        _f1("main behavior, 4 classes", interviewer, interviewer["main"], interviewer["tagged_main"]),
        _f1("question yes/no", interviewer, interviewer["question"] == 1, _has(interviewer, _QUESTIONS)),
        _f1("reflection yes/no", interviewer, interviewer["reflection"] == 1, _has(interviewer, _REFLECTIONS)),
        _f1("information yes/no", interviewer, interviewer["information"] == 1, _has(interviewer, ("information",))),
        _five(interviewer),
        _f1("client talk", client, _talk(client), client["codes"]),
    )


def slices(table: pd.DataFrame) -> dict[str, tuple[Figure, ...]]:
    """The same figures of parts of the data: quality of the session, length of the utterance, topics; no empty ones."""
    length = table["text"].map(lambda text: len(text.split()))
    topic = table["target_behavior"]
    common = topic.value_counts().index[:3]
    parts = {
        "high quality": table["quality"] == "high",
        "low quality": table["quality"] == "low",
        "1 to 5 words": length <= 5,
        "6 to 25 words": (length > 5) & (length <= 25),
        "more than 25 words": length > 25,
        **{f"topic: {name}": topic == name for name in common},
        "all other topics": ~topic.isin(common),
    }
    return {name: figures_of_rows(table[chosen]) for name, chosen in parts.items() if chosen.any()}


def wrong(table: pd.DataFrame) -> NDArray[np.bool_]:
    """Whether the codes of a row differ from the hand codes; open or closed does not matter where it is masked."""
    result = np.zeros(len(table), dtype=bool)
    interviewer, client = (table["role"] == "interviewer").to_numpy(), (table["role"] == "client").to_numpy()
    for name, codes in (("question", _QUESTIONS), ("reflection", _REFLECTIONS), ("information", ("information",))):
        result |= interviewer & ((table[name] == 1).to_numpy() != _has(table, codes))
    for name, code in (("open", "question_open"), ("complex", "reflection_complex")):
        asked = table[name].notna().to_numpy()
        result |= interviewer & asked & ((table[name] == 1).to_numpy() != _has(table, (code,)))
    return np.asarray(result | (client & (_talk(table) != table["codes"]).to_numpy()))


def sessions(table: pd.DataFrame, by_fold: Mapping[int, Calibration]) -> pd.DataFrame:
    """One row a session: R:Q by hand and by tags, and whether the tags' 90 % intervals hold R:Q and %CR by hand."""
    rows = []
    for tape_id, tape in table.groupby("tape_id", sort=False):
        presence = draw_codes(tape, DRAWS, SEED, by_fold[int(tape["fold"].iloc[0])].spread)
        counts = {code: presence[code].sum(axis=1) for code in (*_QUESTIONS, *_REFLECTIONS)}
        questions, reflections = (sum(counts[code] for code in codes) for codes in (_QUESTIONS, _REFLECTIONS))
        of_questions = ratio_interval(reflections, questions, WIDTH, np.inf)
        of_reflections = ratio_interval(counts["reflection_complex"], reflections, WIDTH, 1)
        hand = tape[["question", "reflection", "complex"]].sum()
        tagged = {"question": _has(tape, _QUESTIONS).sum(), "reflection": _has(tape, _REFLECTIONS).sum()}
        rows.append(
            {
                "tape_id": tape_id,
                "family": tape["family"].iloc[0],
                "questions": hand["question"],
                "reflections": hand["reflection"],
                "rq": hand["reflection"] / hand["question"] if hand["question"] else np.nan,
                "tagged_rq": tagged["reflection"] / max(1, tagged["question"]),
                "rq_low": of_questions.low,
                "rq_high": np.inf if of_questions.high is None else of_questions.high,
                "rq_held": _holds(of_questions, hand["reflection"], hand["question"]),
                "cr_held": _holds(of_reflections, hand["complex"], hand["reflection"]),
            }
        )
    return pd.DataFrame(rows)


def _of_sessions(found: pd.DataFrame) -> tuple[Figure, ...]:
    return (
        _resampled("session R:Q, Spearman", found[found["questions"] >= 3], _spearman),
        _resampled("90 % intervals that hold R:Q", found[found["questions"] > 0], lambda rows: rows["rq_held"].mean()),
        _resampled(
            "90 % intervals that hold %CR", found[found["reflections"] > 0], lambda rows: rows["cr_held"].mean()
        ),
    )


def _holds(range_: Interval, over: float, under: float) -> bool:
    """Whether the interval of the drawn ratio holds a hand-coded one."""
    if not under:
        return False
    return bool(range_.low - 1e-9 <= over / under <= (np.inf if range_.high is None else range_.high) + 1e-9)


def _has(table: pd.DataFrame, codes: tuple[str, ...]) -> NDArray[np.bool_]:
    return np.array([bool(set(cell.split("|")) & set(codes)) for cell in table["codes"]], dtype=bool)


def _talk(table: pd.DataFrame) -> pd.Series:
    """Hand-coded client talk as a code."""
    return pd.Series(
        np.select([table["change"] == 1, table["change"] == 0], ["change", "sustain"], "neutral"), index=table.index
    )


def main_behavior(table: pd.DataFrame) -> NDArray[np.str_]:
    """The main behavior of the tags: the first code."""
    first = table["codes"].str.split("|").str[0]
    return np.asarray(first.str.partition("_")[0], dtype=str)


def _five(interviewer: pd.DataFrame) -> Figure:
    """The main behavior with its kind of question or reflection, all else other; masked questions are left out."""
    rows = interviewer[~((interviewer["main"] == "question") & interviewer["open"].isna())]
    return _f1(
        "OQ, CQ, SR, CR, other",
        rows,
        _detailed(rows["main"].to_numpy(), (rows["open"] == 1).to_numpy(), (rows["complex"] == 1).to_numpy()),
        _detailed(rows["tagged_main"].to_numpy(), _has(rows, ("question_open",)), _has(rows, ("reflection_complex",))),
    )


def _detailed(main: NDArray[np.str_], is_open: NDArray[np.bool_], is_complex: NDArray[np.bool_]) -> NDArray[np.str_]:
    question, reflection = main == "question", main == "reflection"
    kinds = [question & is_open, question & ~is_open, reflection & ~is_complex, reflection & is_complex]
    return np.select(kinds, ["OQ", "CQ", "SR", "CR"], "other")


def _f1(name: str, rows: pd.DataFrame, truth: object, found: object) -> Figure:
    """Macro-F1 with its interval, from one confusion matrix a family; NaN of no rows."""
    if rows.empty:
        return Figure(name, np.nan, np.nan, np.nan, 0, HUMAN.get(name))
    truth, found = np.asarray(truth).astype(str), np.asarray(found).astype(str)
    classes = np.unique(np.concatenate([truth, found]))
    families = {
        family: np.array([[((truth[at] == one) & (found[at] == two)).sum() for two in classes] for one in classes])
        for family, at in rows.reset_index(drop=True).groupby("family").indices.items()
    }
    matrices = np.array(list(families.values()))
    low, high = np.quantile([_macro(matrices[draw].sum(axis=0)) for draw in _draws(len(matrices))], _TAILS)
    return Figure(name, _macro(matrices.sum(axis=0)), float(low), float(high), len(rows), HUMAN.get(name))


def _macro(matrix: NDArray[np.int64]) -> float:
    """Macro-F1 of a confusion matrix; a class that is neither there nor found is left out."""
    both = matrix.sum(axis=0) + matrix.sum(axis=1)
    return float(np.mean(2 * np.diag(matrix)[both > 0] / both[both > 0]))


def _resampled(name: str, rows: pd.DataFrame, figure: Callable[[pd.DataFrame], float]) -> Figure:
    """A figure of rows with its interval over their families."""
    parts = list(rows.groupby("family").indices.values())
    drawn_ = [figure(rows.iloc[np.concatenate([parts[at] for at in draw])]) for draw in _draws(len(parts), DRAWS // 5)]
    low, high = np.nanquantile(drawn_, _TAILS)
    return Figure(name, float(figure(rows)), float(low), float(high), len(rows))


_TAILS = ((1 - WIDTH) / 2, (1 + WIDTH) / 2)


def _draws(number: int, draws: int = DRAWS) -> NDArray[np.int64]:
    return np.random.default_rng(SEED).integers(number, size=(draws, number))


def _calibration_error(rows: pd.DataFrame, bins: int = 10) -> float:
    """Expected calibration error in ten bins of equal width."""
    place = np.minimum((rows["p"].to_numpy() * bins).astype(int), bins - 1)
    gap = np.bincount(place, rows["p"].to_numpy() - rows["y"].to_numpy(dtype=float), minlength=bins)
    return float(np.abs(gap).sum() / len(rows))


def _caught(rows: pd.DataFrame) -> float:
    return float(rows.loc[rows["wrong"], "check"].mean())


def _spearman(rows: pd.DataFrame) -> float:
    """Rank correlation, NaN where all sessions are alike."""
    if min(rows["rq"].nunique(), rows["tagged_rq"].nunique()) < 2:
        return np.nan
    return float(rows["rq"].corr(rows["tagged_rq"], method="spearman"))
