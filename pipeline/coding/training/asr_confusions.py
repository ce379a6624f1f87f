"""What a recognizer makes of words in a noisy room, as it was counted: learned from in training, never used in tagging.

Counts are kept by the fold of the session that was spoken, so that a network that is measured on a fold has learned
from none of its words.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from pipeline.coding.inference.features import bare
from pipeline.errors import CodingError

COLUMNS = ("fold", "phrase", "heard", "times")
LONGEST = 3
"""Most words that are misheard as one."""
UNSURE = 3
"""How many times more than it was each phrase is taken to have been heard well."""


@dataclass(frozen=True)
class Mishearings:
    """Phrase -> what it is taken for (may be empty) -> how often, as a share of the times that it is said."""

    shares: Mapping[str, Mapping[str, float]]

    @classmethod
    def of(cls, counts: pd.DataFrame, without: int | None = None) -> Mishearings:
        """From counts as `read` gives them, leaving out those of a fold."""
        given = counts[counts["fold"] != without]
        said = given.groupby("phrase")["times"].sum() + UNSURE
        wrong = given[given["phrase"] != given["heard"]].groupby(["phrase", "heard"])["times"].sum()
        shares: dict[str, dict[str, float]] = {}
        for phrase, heard, times in wrong.reset_index().itertuples(index=False):
            shares.setdefault(phrase, {})[heard] = float(times / said[phrase])
        return cls(shares)

    def __call__(self, text: str, generator: np.random.Generator) -> str:
        """A text with words misheard at random; where the text ended in a mark, it still does."""
        words = text.split()
        found: list[str] = []
        at = 0
        while at < len(words):
            for length in range(min(LONGEST, len(words) - at), 0, -1):
                last = words[at + length - 1]
                shares = self.shares.get(bare(" ".join(words[at : at + length])), {})
                chance = generator.random() if shares else 1.0
                if chance < sum(shares.values()):
                    reached = np.searchsorted(np.cumsum(list(shares.values())), chance, side="right")
                    other = list(shares)[int(reached)]
                    found += [other + last[len(last.rstrip(".?!,")) :]] if other else []
                    at += length
                    break
            else:
                found.append(words[at])
                at += 1
        return " ".join(found) or text


def read(path: Path) -> pd.DataFrame:
    """Counts: in sessions of which ``fold`` a ``phrase`` was ``heard`` as what how many ``times`` (itself: well).

    Raises
    ------
    CodingError: C05 the file is missing or not of this kind.
    """
    remedy = "restore it from the repository, or make it with `python -m tests.benchmarks.misheard`"
    try:
        counts = pd.read_csv(path, dtype={"phrase": str, "heard": str}, keep_default_na=False)
    except (OSError, ValueError) as error:
        raise CodingError("C05", f"mishearings {path}", f"cannot be read ({type(error).__name__})", remedy) from error
    if tuple(counts.columns) != COLUMNS:
        raise CodingError("C05", f"mishearings {path}", f"has the columns {', '.join(counts.columns)}", remedy)
    return counts
