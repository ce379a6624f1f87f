"""Evaluates the pre-tags: metrics from fold predictions, each with a 90 % interval over families.

A prediction of a fold comes from a classifier, a calibration and thresholds that were fitted to none of that fold's
families. The intervals are a bootstrap over families, as errors within one (a series, the same actors) correlate.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pipeline.coding.calibration import Calibration
from pipeline.measures.session.draws import Interval, draw_codes, ratio_interval

BOOTSTRAP_DRAWS, SEED, WIDTH = 1000, 0, 0.9
"""Draws of the bootstrap, their seed, and the share that an interval covers, as the intervals of reports do."""

EXPERT_F1: Mapping[str, float] = {
    "main behavior, 4 classes": 0.856,
    "question yes/no": 0.958,
    "reflection yes/no": 0.883,
    "OQ, CQ, SR, CR, other": 0.67,
    "client talk": 0.725,
}
"""One expert against the majority of the other nine on AnnoMI's ten-annotator sessions, macro-F1."""

_QUESTIONS, _REFLECTIONS = ("question_open", "question_closed"), ("reflection_simple", "reflection_complex")


@dataclass(frozen=True)
class Metric:
    """A value with its interval over families and, where known, the value of a human expert."""

    name: str
    value: float
    low: float
    high: float
    number: int  # rows or sessions that it is computed from
    human: float | None = None
    seeds: tuple[float, ...] = ()  # the value of each, where there are several


def mean_over_seeds(table: pd.DataFrame, folds: pd.DataFrame, by_fold: Mapping[int, Calibration]) -> tuple[Metric, ...]:
    """Return the metrics as means over all seeds of the fold predictions (`checkpoint.read_folds`).

    The ends of the intervals are means over the seeds, too, so several seeds do not narrow them: seeds vary by the
    randomness of training, intervals by the sample of families.
    """
    of_seeds = [metrics(join_predictions(table, rows), by_fold) for _, rows in folds.groupby("seed", sort=False)]
    return tuple(_mean_metric(metric) for metric in zip(*of_seeds, strict=True))


def _mean_metric(of_seeds: Sequence[Metric]) -> Metric:
    first, *others = of_seeds
    if not others:
        return first
    value, low, high = (
        float(np.mean([getattr(metric, name) for metric in of_seeds])) for name in ("value", "low", "high")
    )
    return replace(first, value=value, low=low, high=high, seeds=tuple(metric.value for metric in of_seeds))


def metrics(table: pd.DataFrame, by_fold: Mapping[int, Calibration]) -> tuple[Metric, ...]:
    """Return all metrics of the model card, of one seed.

    Parameters
    ----------
    table: AnnoMI's columns (`pipeline.coding.training.data`) and the coded columns of the fold predictions.
    by_fold: fold -> the calibration that was fitted to the other folds.
    """
    result = [*utterance_metrics(table)]
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
        known = truth[name].notna()
        rows = pd.DataFrame({"p": sums[name], "y": truth[name], "family": table["family"]})[known]
        result.append(_bootstrapped(f"calibration error, {name}", rows, _calibration_error))
    checks = pd.DataFrame({"family": table["family"], "check": table["needs_check"], "wrong": has_error(table)})
    result.append(_bootstrapped("share of utterances to check", checks, lambda rows: float(rows["check"].mean())))
    result.append(_bootstrapped("share of errors among them", checks, _share_of_errors_checked))
    return (*result, *_session_metrics(session_table(table, by_fold)))


def join_predictions(table: pd.DataFrame, folds: pd.DataFrame) -> pd.DataFrame:
    """Return AnnoMI's rows joined with one seed's fold predictions, as `checkpoint.read_folds` returns them."""
    keys = ["tape_id", "utterance_id"]
    return table.merge(folds[[*keys, *(name for name in folds if name not in table)]], on=keys)


def utterance_metrics(table: pd.DataFrame) -> tuple[Metric, ...]:
    """Return the metrics of utterances: macro-F1 of each decision."""
    table = table.assign(tagged_main=main_behavior(table))
    interviewer, client = table[table["role"] == "interviewer"], table[table["role"] == "client"]
    return (
        _f1("main behavior, 4 classes", interviewer, interviewer["main"], interviewer["tagged_main"]),
        _f1("question yes/no", interviewer, interviewer["question"] == 1, _has(interviewer, _QUESTIONS)),
        _f1("reflection yes/no", interviewer, interviewer["reflection"] == 1, _has(interviewer, _REFLECTIONS)),
        _f1("information yes/no", interviewer, interviewer["information"] == 1, _has(interviewer, ("information",))),
        _five_class_f1(interviewer),
        _f1("client talk", client, _talk(client), client["codes"]),
    )


def metrics_by_slice(table: pd.DataFrame) -> dict[str, tuple[Metric, ...]]:
    """Return slice -> its utterance metrics, by session quality, utterance length and topic, without empty slices."""
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
    return {name: utterance_metrics(table[chosen]) for name, chosen in parts.items() if chosen.any()}


def has_error(table: pd.DataFrame) -> NDArray[np.bool_]:
    """Return per row whether its codes differ from the hand codes; open or closed is ignored where it is masked."""
    result = np.zeros(len(table), dtype=bool)
    interviewer, client = (table["role"] == "interviewer").to_numpy(), (table["role"] == "client").to_numpy()
    for name, codes in (("question", _QUESTIONS), ("reflection", _REFLECTIONS), ("information", ("information",))):
        result |= interviewer & ((table[name] == 1).to_numpy() != _has(table, codes))
    for name, code in (("open", "question_open"), ("complex", "reflection_complex")):
        known = table[name].notna().to_numpy()
        result |= interviewer & known & ((table[name] == 1).to_numpy() != _has(table, (code,)))
    return np.asarray(result | (client & (_talk(table) != table["codes"]).to_numpy()))


def session_table(table: pd.DataFrame, by_fold: Mapping[int, Calibration]) -> pd.DataFrame:
    """Return a row per session: R:Q by hand and by tags, and whether the 90 % intervals cover R:Q and %CR by hand."""
    rows = []
    for tape_id, tape in table.groupby("tape_id", sort=False):
        presence = draw_codes(tape, BOOTSTRAP_DRAWS, SEED, by_fold[int(tape["fold"].iloc[0])].session_effect_sd)
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
                "rq_held": _covers(of_questions, hand["reflection"], hand["question"]),
                "cr_held": _covers(of_reflections, hand["complex"], hand["reflection"]),
            }
        )
    return pd.DataFrame(rows)


def _session_metrics(sessions: pd.DataFrame) -> tuple[Metric, ...]:
    return (
        _bootstrapped("session R:Q, Spearman", sessions[sessions["questions"] >= 3], _spearman),
        _bootstrapped(
            "90 % intervals that hold R:Q", sessions[sessions["questions"] > 0], lambda rows: rows["rq_held"].mean()
        ),
        _bootstrapped(
            "90 % intervals that hold %CR", sessions[sessions["reflections"] > 0], lambda rows: rows["cr_held"].mean()
        ),
    )


def _covers(interval: Interval, over: float, under: float) -> bool:
    """Whether the interval of the drawn ratio covers the hand-coded one."""
    if not under:
        return False
    return bool(interval.low - 1e-9 <= over / under <= (np.inf if interval.high is None else interval.high) + 1e-9)


def _has(table: pd.DataFrame, codes: tuple[str, ...]) -> NDArray[np.bool_]:
    return np.array([bool(set(cell.split("|")) & set(codes)) for cell in table["codes"]], dtype=bool)


def _talk(table: pd.DataFrame) -> pd.Series:
    """Return the hand-coded client talk as codes."""
    return pd.Series(
        np.select([table["change"] == 1, table["change"] == 0], ["change", "sustain"], "neutral"), index=table.index
    )


def main_behavior(table: pd.DataFrame) -> NDArray[np.str_]:
    """Return the main behavior of each row's tags, which is that of the first code."""
    first = table["codes"].str.split("|").str[0]
    return np.asarray(first.str.partition("_")[0], dtype=str)


def _five_class_f1(interviewer: pd.DataFrame) -> Metric:
    """Return the F1 of main behaviors with their kind; all else is "other", and masked questions are left out."""
    rows = interviewer[~((interviewer["main"] == "question") & interviewer["open"].isna())]
    return _f1(
        "OQ, CQ, SR, CR, other",
        rows,
        _five_classes(rows["main"].to_numpy(), (rows["open"] == 1).to_numpy(), (rows["complex"] == 1).to_numpy()),
        _five_classes(
            rows["tagged_main"].to_numpy(), _has(rows, ("question_open",)), _has(rows, ("reflection_complex",))
        ),
    )


def _five_classes(
    main: NDArray[np.str_], is_open: NDArray[np.bool_], is_complex: NDArray[np.bool_]
) -> NDArray[np.str_]:
    question, reflection = main == "question", main == "reflection"
    kinds = [question & is_open, question & ~is_open, reflection & ~is_complex, reflection & is_complex]
    return np.select(kinds, ["OQ", "CQ", "SR", "CR"], "other")


def _f1(name: str, rows: pd.DataFrame, truth: object, tags: object) -> Metric:
    """Return macro-F1 with its interval, from a confusion matrix per family; NaN if there are no rows."""
    if rows.empty:
        return Metric(name, np.nan, np.nan, np.nan, 0, EXPERT_F1.get(name))
    truth, tags = np.asarray(truth).astype(str), np.asarray(tags).astype(str)
    classes = np.unique(np.concatenate([truth, tags]))
    families = {
        family: np.array([[((truth[at] == row) & (tags[at] == column)).sum() for column in classes] for row in classes])
        for family, at in rows.reset_index(drop=True).groupby("family").indices.items()
    }
    matrices = np.array(list(families.values()))
    low, high = np.quantile([_macro_f1(matrices[draw].sum(axis=0)) for draw in _draws(len(matrices))], _TAILS)
    return Metric(name, _macro_f1(matrices.sum(axis=0)), float(low), float(high), len(rows), EXPERT_F1.get(name))


def _macro_f1(matrix: NDArray[np.int64]) -> float:
    """Return macro-F1 of a confusion matrix; a class that occurs in neither truth nor tags is left out."""
    both = matrix.sum(axis=0) + matrix.sum(axis=1)
    return float(np.mean(2 * np.diag(matrix)[both > 0] / both[both > 0]))


def _bootstrapped(name: str, rows: pd.DataFrame, metric: Callable[[pd.DataFrame], float]) -> Metric:
    """Return a metric of rows with its bootstrap interval over their families."""
    parts = list(rows.groupby("family").indices.values())
    resampled = [
        metric(rows.iloc[np.concatenate([parts[at] for at in draw])])
        for draw in _draws(len(parts), BOOTSTRAP_DRAWS // 5)
    ]
    low, high = np.nanquantile(resampled, _TAILS)
    return Metric(name, float(metric(rows)), float(low), float(high), len(rows))


_TAILS = ((1 - WIDTH) / 2, (1 + WIDTH) / 2)
"""The quantiles that end an interval."""


def _draws(number: int, draws: int = BOOTSTRAP_DRAWS) -> NDArray[np.int64]:
    return np.random.default_rng(SEED).integers(number, size=(draws, number))


def _calibration_error(rows: pd.DataFrame, bins: int = 10) -> float:
    """Return the expected calibration error in ten bins of equal width."""
    bin_of_row = np.minimum((rows["p"].to_numpy() * bins).astype(int), bins - 1)
    gap = np.bincount(bin_of_row, rows["p"].to_numpy() - rows["y"].to_numpy(dtype=float), minlength=bins)
    return float(np.abs(gap).sum() / len(rows))


def _share_of_errors_checked(rows: pd.DataFrame) -> float:
    return float(rows.loc[rows["wrong"], "check"].mean())


def _spearman(rows: pd.DataFrame) -> float:
    """Return the rank correlation, NaN where all sessions have the same value."""
    if min(rows["rq"].nunique(), rows["tagged_rq"].nunique()) < 2:
        return np.nan
    return float(rows["rq"].corr(rows["tagged_rq"], method="spearman"))
