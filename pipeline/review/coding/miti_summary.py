"""MITI 4.2's summary of a tape, as its manual asks for it: of passes with a codebook of MITI's, and of no others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pipeline.coding.codebook import Codebook
from pipeline.measures.session import miti
from pipeline.measures.session.measures import Measure, SessionMeasures
from pipeline.report import number_format
from pipeline.review.authorization import Admitted, sees_codes
from pipeline.review.coding import codebooks, global_ratings, transcripts
from pipeline.review.coding.global_ratings import RATINGS, RatingComparison
from pipeline.review.consensus import consensus
from pipeline.review.tapes import stored_measures
from pipeline.review.tapes.stored_measures import Figure

OPINION = (
    "The thresholds come from the MITI 4.2.1 manual (Moyers, Manuel and Ernst). They are expert opinion without "
    "normative data. Nothing here is a grade."
)
NO_THRESHOLD = "none in the manual"


@dataclass(frozen=True)
class SummaryRow:
    """One line: a label, its value in words, how far that is agreed, and the manual's thresholds."""

    label: str
    text: str
    basis: str = ""
    thresholds: str = ""


@dataclass(frozen=True)
class MitiSummary:
    """The summary of the passes with one codebook; ``basis`` is the basis of its counts in words."""

    label: str
    basis: str
    ratings: tuple[SummaryRow, ...]
    rows: tuple[SummaryRow, ...]


def miti_summaries(admitted: Admitted) -> tuple[MitiSummary, ...]:
    """Return a summary per MITI codebook with a locked pass; none for a viewer who may not see the codes."""
    if not sees_codes(admitted):
        return ()
    books = [codebooks.read(admitted, name) for name in consensus.used_codebooks(admitted)]
    return tuple(summary for book in books if book.is_miti and (summary := _summary(admitted, book)))


def adherence_totals(measures: SessionMeasures, book: Codebook) -> tuple[Measure, ...]:
    """Return MITI's totals besides the ratios of every codebook; none where the codebook is not MITI's."""
    return miti.adherence_totals(measures, book.adherent, book.non_adherent) if book.is_miti else ()


def threshold_text(measure: Measure) -> str:
    """Return the manual's thresholds in words: "fair from 3, good from 4"."""
    phrases = [
        f"{reference.label} from {number_format.format_value(reference.value, measure.unit)}"
        for reference in measure.references
    ]
    return ", ".join(phrases) or NO_THRESHOLD


def rating_rows(compared: RatingComparison) -> tuple[SummaryRow, ...]:
    """Return the four ratings: the number that counts, or the coders' where they differ."""
    rows = []
    for rating in RATINGS:
        numbers, number = compared.numbers(rating.name), compared.counted.get(rating.name)
        if number is not None:
            settled = rating.name in compared.settled
            basis = "settled together" if settled else _raters_text(len(numbers))
            rows.append(SummaryRow(rating.label, str(number), basis))
        else:
            differ = " and ".join(str(rating_number) for rating_number in sorted(set(numbers)))
            rows.append(SummaryRow(rating.label, differ or "not rated", "not settled" if numbers else ""))
    return tuple(rows)


def score_rows(compared: RatingComparison) -> tuple[SummaryRow, ...]:
    """Return the technical and the relational score of the ratings that count."""
    why = "is not settled" if compared.coders else "is not rated"
    return _measure_rows(miti.global_scores(compared.counted, why))


def _summary(admitted: Admitted, book: Codebook) -> MitiSummary | None:
    compared = global_ratings.compare_ratings(admitted, book.name)
    board = consensus.consensus_board(admitted, transcripts.visible_transcript(admitted), book)
    if not board.by_hand and not compared.coders and not compared.settled:
        return None
    counts: tuple[SummaryRow, ...] = ()
    if board.by_hand:
        counts = _measure_rows(
            miti.behavior_measures(consensus.group_measures(board), book.adherent, book.non_adherent)
        )
    basis = f"Codes: {board.basis}" if board.by_hand else "No behavior is coded with this codebook yet"
    return MitiSummary(book.label, basis, rating_rows(compared), (*score_rows(compared), *counts))


def _measure_rows(measures: Sequence[Measure]) -> tuple[SummaryRow, ...]:
    figures: list[tuple[Measure, Figure]] = [(measure, stored_measures.of(measure)) for measure in measures]
    return tuple(
        SummaryRow(figure.label, figure.text, figure.spread, threshold_text(measure)) for measure, figure in figures
    )


def _raters_text(number: int) -> str:
    return "one coder" if number == 1 else f"all {number} coders"
