"""A calibration pass beside the gold: line by line, and the agreement with its interval.

One tape alone gives no interval over tapes. Here the tape is cut into stretches of about ten utterances, and the
bootstrap of `pipeline.measures.reliability` draws these: the interval says how much the figure depends on which
stretches were coded, and nothing of other tapes. A mere sound of listening is left out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from pipeline.coding.codebook import Codebook
from pipeline.formats import codebook_files
from pipeline.lexicon import is_backchannel
from pipeline.measures.reliability.agreement import agreement_table
from pipeline.measures.reliability.comparisons import group_comparisons
from pipeline.measures.reliability.rating_matrix import build_rating_matrix
from pipeline.measures.session.counts import NEUTRAL, OTHER
from pipeline.review.coding.corrections import CorrectedUtterance

STRETCH = 10
"""Utterances of a stretch, about."""

CODER, GOLD = "you", "gold"


@dataclass(frozen=True)
class ComparedLine:
    """One utterance with the coder's codes and the gold.

    ``counted``: the line is part of the agreement; ``why``: the rule behind the gold.
    """

    utterance: CorrectedUtterance
    text: str
    codes: tuple[str, ...]
    gold: tuple[str, ...]
    counted: bool
    why: str

    @property
    def differs(self) -> bool:
        """Whether the coder gave other codes than the gold, where it counts."""
        return self.counted and set(self.codes) != set(self.gold)


@dataclass(frozen=True)
class Agreement:
    """Agreement with the gold on all codes (``family`` is empty) or on one family of them.

    ``percent`` is a share with its 95 % interval, ``kappa`` corrects for chance; None where they are undefined.
    """

    family: str
    units: int
    percent: float | None
    low: float | None
    high: float | None
    kappa: float | None


def compare_lines(
    spoken: Sequence[CorrectedUtterance],
    codes: Mapping[str, tuple[str, ...]],
    gold: Mapping[str, tuple[str, ...]],
    why: Mapping[str, str],
    book: Codebook,
) -> list[ComparedLine]:
    """Return the lines of everybody for whom the codebook has codes."""
    idle = {code.name for code in book.codes if code.meaning in (OTHER, NEUTRAL)}
    lines = []
    for utterance in spoken:
        if not book.of(utterance.role):
            continue
        texts = [word.text for word in utterance.words]
        expected = gold.get(utterance.id, ())
        counted = not (set(expected) <= idle and is_backchannel(texts))
        given = codes.get(utterance.id, ())
        lines.append(ComparedLine(utterance, " ".join(texts), given, expected, counted, why.get(utterance.id, "")))
    return lines


def agreement(lines: Sequence[ComparedLine], book: Codebook) -> list[Agreement]:
    """Return the agreement on all codes, and on each family that either gave."""
    counted = [line for line in lines if line.counted]
    stretches = np.array_split(np.arange(len(counted)), max(1, round(len(counted) / STRETCH)))
    rows = [
        {
            "tape_id": f"stretch {number}",
            "utterance_id": counted[index].utterance.id,
            "coder": coder,
            "layer": layer,
            "codes": "|".join(sorted(codes)),
            "role": counted[index].utterance.role,
        }
        for number, indices in enumerate(stretches)
        for index in indices
        for coder, layer, codes in (
            (CODER, "member", counted[index].codes),
            (GOLD, "consensus", counted[index].gold),
        )
    ]
    if not rows:
        return []
    ratings = build_rating_matrix(pd.DataFrame(rows), codebook_files.scheme(book), "missing")
    compared = [each for each in group_comparisons(ratings) if each.kind == "coder and consensus"]
    table = agreement_table(ratings, compared)
    table = table[table["level"].isin(["all", "family"])].astype(object)
    table = table.where(table.notna(), None)
    # Where no stretch differs from another, no draw does: that is no certainty.
    table.loc[table["percent_low"] == table["percent_high"], ["percent_low", "percent_high"]] = None
    return [
        Agreement(
            "" if row["level"] == "all" else str(row["name"]),
            int(row["units"]),
            *(row[name] for name in ("percent", "percent_low", "percent_high", "kappa")),
        )
        for row in table.to_dict("records")
    ]
