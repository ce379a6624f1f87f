"""Words that a recognizer confuses in a noisy room, as counted on recordings: training data, never used in tagging.

Counts are kept by the fold of the recorded session, so that a network that is measured on a fold has been trained on
none of its words.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from pipeline.coding.inference.features import strip_punctuation
from pipeline.errors import CodingError

COLUMNS = ("fold", "phrase", "heard", "times")
MAX_PHRASE_WORDS = 3
"""Most words that are confused as one phrase."""
PSEUDO_COUNT = 3
"""Number of correct recognitions added to each phrase's counts (additive smoothing)."""


@dataclass(frozen=True)
class AsrConfusions:
    """Phrase -> its misrecognition (may be empty) -> how often, as a share of the times that the phrase is spoken."""

    shares: Mapping[str, Mapping[str, float]]

    @classmethod
    def of(cls, counts: pd.DataFrame, without: int | None = None) -> AsrConfusions:
        """Compute the shares from counts as `read` returns them, leaving out those of fold ``without``."""
        rows = counts[counts["fold"] != without]
        spoken = rows.groupby("phrase")["times"].sum() + PSEUDO_COUNT
        wrong = rows[rows["phrase"] != rows["heard"]].groupby(["phrase", "heard"])["times"].sum()
        shares: dict[str, dict[str, float]] = {}
        for phrase, recognized, times in wrong.reset_index().itertuples(index=False):
            shares.setdefault(phrase, {})[recognized] = float(times / spoken[phrase])
        return cls(shares)

    def __call__(self, text: str, generator: np.random.Generator) -> str:
        """Return a text with words misrecognized at random; a punctuation mark at its end stays."""
        words = text.split()
        recognized: list[str] = []
        at = 0
        while at < len(words):
            for length in range(min(MAX_PHRASE_WORDS, len(words) - at), 0, -1):
                last = words[at + length - 1]
                shares = self.shares.get(strip_punctuation(" ".join(words[at : at + length])), {})
                drawn = generator.random() if shares else 1.0
                if drawn < sum(shares.values()):
                    number = np.searchsorted(np.cumsum(list(shares.values())), drawn, side="right")
                    replacement = list(shares)[int(number)]
                    recognized += [replacement + last[len(last.rstrip(".?!,")) :]] if replacement else []
                    at += length
                    break
            else:
                recognized.append(words[at])
                at += 1
        return " ".join(recognized) or text


def read(path: Path) -> pd.DataFrame:
    """Read the counts: a ``phrase`` in sessions of a ``fold`` was recognized as ``heard`` so many ``times``.

    Raises
    ------
    CodingError: C05 the file is missing or not of this kind.
    """
    remedy = "restore it from the repository, or make it with `python -m tests.benchmarks.asr_confusions`"
    try:
        counts = pd.read_csv(path, dtype={"phrase": str, "heard": str}, keep_default_na=False)
    except (OSError, ValueError) as error:
        raise CodingError("C05", f"mishearings {path}", f"cannot be read ({type(error).__name__})", remedy) from error
    if tuple(counts.columns) != COLUMNS:
        raise CodingError("C05", f"mishearings {path}", f"has the columns {', '.join(counts.columns)}", remedy)
    return counts
