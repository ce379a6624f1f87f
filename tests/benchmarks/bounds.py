"""What bounds two figures of the tagger's card: ``python -m tests.benchmarks.bounds --data DATA``

From the stored fold predictions, without training. For the session's R:Q: where its error lies, and other ways to get a
ratio from the tags. For `needs_check`: how many of the errors any fifth of the utterances could hold, and whether a
model of "this tag is wrong" finds more of them. Whatever is fitted for a fold is fitted to the other folds.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table
from scipy.optimize import minimize_scalar
from scipy.special import expit, logit

from pipeline import settings
from pipeline.coding import tagger
from pipeline.coding.adaptation import log_odds
from pipeline.coding.calibration import CHECK_SHARE, Calibration
from pipeline.coding.inference import checkpoint
from pipeline.coding.inference.classifier import DECISIONS
from pipeline.coding.training import cross_validation, data, evaluation
from pipeline.measures.session.draws import draw_codes

BOTH = ("question", "reflection")
MANY = 3
"""Questions that a session has at least, where its R:Q is measured."""
DRAWS = 200
STRENGTHS = (0.01, 1.0, 2.0, 5.0, 10.0)
"""Imagined questions of an average session that are added to each session's own."""
CODERS_SHIFT = 1.0
"""Variance of how far an annotator's log-odds lie off, before anything is known of him."""

Shift = dict[str, NDArray[np.float64]]


def ratios(
    table: pd.DataFrame, by_fold: dict[int, Calibration]
) -> Iterator[tuple[str, float | tuple[float, float, float]]]:
    """Ways to a session's R:Q, with their rank correlation with the hand-coded one."""
    all_logits, shares = log_odds(table), table.groupby("tape_id")[list(BOTH)].sum()
    measured = shares[shares["question"] >= MANY].index
    hand = (shares["reflection"] / shares["question"])[measured]
    logits: Shift = {name: all_logits[:, DECISIONS.index(name)] for name in BOTH}
    limit = {name: table["fold"].map({fold: of.thresholds[name] for fold, of in by_fold.items()}) for name in BOTH}
    interviewer = (table["role"] == "interviewer").to_numpy()

    def counts(odds: Shift, expected: bool) -> pd.DataFrame:
        p = {name: expit(odds[name]) * interviewer for name in BOTH}
        rows = p if expected else {name: p[name] >= limit[name] for name in BOTH}
        return pd.DataFrame(rows).groupby(table["tape_id"].to_numpy()).sum().loc[measured]

    def correlation(values: pd.Series | NDArray[np.float64]) -> float:
        return float(hand.corr(pd.Series(np.asarray(values), index=measured), method="spearman"))

    def ratio(odds: Shift, expected: bool = False) -> float:
        values = counts(odds, expected)
        return correlation(values["reflection"] / values["question"].clip(lower=1))

    tags = pd.DataFrame({name: table["codes"].str.contains(name) for name in BOTH}).groupby(table["tape_id"]).sum()
    tagged, by_hand = tags.loc[measured], shares.loc[measured]
    shipped = tagged["reflection"] / tagged["question"].clip(lower=1)
    yield "tags counted: what ships", correlation(shipped)
    yield "probabilities summed", ratio(logits, expected=True)
    fold = table.groupby("tape_id")["fold"].first()[measured]
    for values, what in ((tagged, "tags"), (counts(logits, expected=True), "probabilities")):
        yield f"{what} drawn toward the average session", correlation(_drawn_in(values, hand, fold))
    yield "tags, the session's base rate estimated from them", ratio(_base_rates(table, logits))
    yield "tags, the annotator's leaning known from other folds", ratio(_leanings(table, logits))
    yield "questions by hand, reflections by tags", correlation(tagged["reflection"] / by_hand["question"])
    yield (
        "questions by tags, reflections by hand",
        correlation(by_hand["reflection"] / tagged["question"].clip(lower=1)),
    )
    yield "each session's leaning known", ratio(_known(table, logits))
    for spread, what in ((False, "sessions alike"), (True, "sessions leaning as they do")):
        imagined = pd.DataFrame({name: _imagined(tape, by_fold, spread) for name, tape in table.groupby("tape_id")})
        values = [float(row.rank().corr(shipped.rank())) for _, row in imagined[measured].iterrows()]
        low, middle, high = np.quantile(values, (0.05, 0.5, 0.95))
        yield f"what to expect were the probabilities true, {what}", (float(middle), float(low), float(high))


def _imagined(tape: pd.DataFrame, by_fold: dict[int, Calibration], spread: bool) -> NDArray[np.float64]:
    """Ratios of a session were it coded by the tags' own probabilities."""
    presence = draw_codes(tape, DRAWS, 0, by_fold[int(tape["fold"].iloc[0])].session_effect_sd if spread else {})
    questions, reflections = (
        sum(presence[code].sum(axis=1) for code in codes)
        for codes in (("question_open", "question_closed"), ("reflection_simple", "reflection_complex"))
    )
    return np.asarray(reflections / np.maximum(questions, 1), dtype=np.float64)


def _drawn_in(counts: pd.DataFrame, hand: pd.Series, fold: pd.Series) -> pd.Series:
    """Ratios drawn toward the average by as much as is best on the other folds."""
    result = pd.Series(0.0, index=counts.index)
    for held_out in fold.unique():
        rest = counts[fold != held_out]
        average = rest["reflection"].sum() / rest["question"].sum()

        def shrunk(rows: pd.DataFrame, strength: float, average: float = average) -> pd.Series:
            return (rows["reflection"] + strength * average) / (rows["question"] + strength)

        best = max(STRENGTHS, key=lambda strength: hand[rest.index].corr(shrunk(rest, strength), method="spearman"))
        result[fold == held_out] = shrunk(counts[fold == held_out], best)
    return result


def _base_rates(table: pd.DataFrame, logits: Shift, firm: float = 10.0) -> Shift:
    """Log-odds under a session's own base rate, estimated from its tags (Saerens et al. 2002) and held a little."""
    result = {name: odds.copy() for name, odds in logits.items()}
    interviewer = np.flatnonzero(table["role"] == "interviewer")
    fold = table["fold"].to_numpy()
    for rows in table.iloc[interviewer].groupby("tape_id").indices.values():
        rows = interviewer[rows]
        for name, odds in logits.items():
            usual = float(table.loc[fold != fold[rows[0]], name].mean())
            rate = usual
            for _ in range(50):
                p = expit(odds[rows] + logit(rate) - logit(usual))
                rate = (p.sum() + firm * usual) / (len(rows) + firm)
            result[name][rows] = odds[rows] + logit(rate) - logit(usual)
    return result


def _leanings(table: pd.DataFrame, logits: Shift) -> Shift:
    """Log-odds moved by how the session's annotator codes the other folds' sessions."""
    result = {name: odds.copy() for name, odds in logits.items()}
    fold, annotators = table["fold"].to_numpy(), table["annotator"].to_numpy()
    for name, odds in logits.items():
        answer = table[name].to_numpy(dtype=float)
        for held_out in np.unique(fold):
            for annotator in np.unique(annotators):
                known = (fold != held_out) & (annotators == annotator) & ~np.isnan(answer)
                sign = np.where(answer[known] == 1, 1.0, -1.0)

                def cost(
                    shift: float, given: NDArray[np.float64] = odds[known], sign: NDArray[np.float64] = sign
                ) -> float:
                    return float(np.logaddexp(0, -sign * (given + shift)).sum() + shift**2 / 2 / CODERS_SHIFT)

                result[name][(fold == held_out) & (annotators == annotator)] += minimize_scalar(
                    cost, bounds=(-4, 4), method="bounded"
                ).x
    return result


def _known(table: pd.DataFrame, logits: Shift) -> Shift:
    """Log-odds moved until each session's sum is the hand-coded count: what knowing its leaning would give."""
    result = {name: odds.copy() for name, odds in logits.items()}
    for rows in table.groupby("tape_id").indices.values():
        for name, odds in logits.items():
            known_rows = rows[table[name].notna().to_numpy()[rows]]
            count = float(table[name].to_numpy(dtype=float)[known_rows].sum())
            if not 0 < count < len(known_rows):
                result[name][rows] += 20.0 if count else -20.0
                continue
            gap: Callable[[float], float] = lambda shift, known_rows=known_rows, odds=odds, count=count: abs(  # noqa: E731
                float(expit(odds[known_rows] + shift).sum()) - count
            )
            result[name][rows] += minimize_scalar(gap, bounds=(-8, 8), method="bounded").x
    return result


def checks(table: pd.DataFrame, by_fold: dict[int, Calibration]) -> Iterator[tuple[str, float, float]]:
    """Ways to choose a fifth of the utterances, with the share that each marked and the share of errors in it."""
    from sklearn.ensemble import HistGradientBoostingClassifier
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    wrong, fold = evaluation.has_error(table), table["fold"].to_numpy()
    yield "all errors, known", CHECK_SHARE, min(1.0, CHECK_SHARE / float(wrong.mean()))
    doubt, features = _doubt(table, by_fold)
    first = np.argsort(-doubt)[: round(CHECK_SHARE * len(table))]
    yield "what to expect were the probabilities true", CHECK_SHARE, float(doubt[first].sum() / doubt.sum())

    def marked(score: NDArray[np.float64]) -> tuple[float, float]:
        check = np.zeros(len(table), dtype=bool)
        for each in np.unique(fold):
            check |= (fold == each) & (score >= np.quantile(score[fold != each], 1 - CHECK_SHARE))
        return float(check.mean()), float(wrong[check].sum() / wrong.sum())

    yield "probability that not all decisions are right: what ships", *marked(doubt)
    linear = make_pipeline(StandardScaler(), LogisticRegression(C=0.1, max_iter=2000))
    trees = HistGradientBoostingClassifier(
        max_iter=80, max_leaf_nodes=8, learning_rate=0.05, min_samples_leaf=60, l2_regularization=5, random_state=0
    )
    for what, model in (("logistic regression", linear), ("boosted trees", trees)):
        score = np.zeros(len(table))
        for each in np.unique(fold):
            score[fold == each] = model.fit(features[fold != each], wrong[fold != each]).predict_proba(
                features[fold == each]
            )[:, 1]
        yield f"{what} on probabilities, margins, code, role and length", *marked(score)


def _doubt(table: pd.DataFrame, by_fold: dict[int, Calibration]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """How probable an error is by the calibration, and what else might tell, shape (rows, features)."""
    p, roles = expit(log_odds(table)), table["role"].to_numpy(dtype=object)
    doubt, limits = np.zeros(len(table)), np.zeros_like(p)
    for fold, _, held in cross_validation.splits(table["fold"].to_numpy()):
        doubt[held] = 1 - by_fold[fold].confidence(roles[held], p[held])[1]
        limits[held] = [by_fold[fold].thresholds[decision] for decision in DECISIONS]
    interviewer, client = roles == "interviewer", roles == "client"
    applies = np.array([client if decision in ("client", "change") else interviewer for decision in DECISIONS]).T
    main = evaluation.main_behavior(table)
    length = np.log1p(table["text"].str.split().str.len().to_numpy(dtype=float))
    odds = logit(np.clip(doubt, 1e-4, 1 - 1e-4))
    alone = [odds * interviewer, odds * client, interviewer, length, length * interviewer]
    uncertain = -(p * np.log(p) + (1 - p) * np.log1p(-p))
    codes = [main == code for code in np.unique(main)]
    return doubt, np.column_stack([*alone, *codes, uncertain * applies, np.abs(p - limits) * applies]).astype(float)


def main() -> None:
    """Print both tables, of the seed that ships."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.bounds", description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    arguments = parser.parse_args()
    folder = tagger.weights_folder(settings.load().settings)
    metadata, folds = checkpoint.read_metadata(folder), checkpoint.read_folds(folder, "written")
    table = evaluation.join_predictions(data.read(arguments.data), folds[folds["seed"] == metadata["seeds"][0]])
    by_fold = checkpoint.fold_calibrations(metadata)
    console = Console(width=110)
    shown = Table(title=f"Session R:Q: rank correlation with the hand codes, sessions with {MANY} questions or more")
    shown.add_column("way")
    shown.add_column("Spearman", justify="right")
    for label, correlation in ratios(table, by_fold):
        values = correlation if isinstance(correlation, tuple) else (correlation,)
        shown.add_row(label, f"{values[0]:.3f}" + (f" ({values[1]:.3f}-{values[2]:.3f})" if len(values) > 1 else ""))
    console.print(shown)
    wrong = pd.Series(evaluation.has_error(table)).groupby(table["role"].to_numpy()).mean()
    of_all = float(evaluation.has_error(table).mean())
    shares = ", ".join(f"{share:.3f} of the {role}'s" for role, share in wrong.items())
    shown = Table(title=f"needs_check: {of_all:.3f} of all utterances are wrong in some decision, {shares}")
    for column in ("the fifth chosen by", "marked", "of all errors"):
        shown.add_column(column, justify="left" if "fifth" in column else "right")
    for label, marked, caught in checks(table, by_fold):
        shown.add_row(label, f"{marked:.3f}", f"{caught:.3f}")
    console.print(shown)


if __name__ == "__main__":
    main()
