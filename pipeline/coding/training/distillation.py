"""What a teacher, a network far too large to ship, answered about training sessions it had not learned from.

Networks learn from it beside the hand codes (Hinton et al., 2015): how sure a good listener is says more than a code.
Each answer is by a teacher that saw neither the utterance's own fold nor the one on which the learner is measured.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pipeline.coding.inference.classifier import DECISIONS, MAIN
from pipeline.errors import CodingError

KEYS = ("without", "tape_id", "utterance_id")
COLUMNS = (*KEYS, *DECISIONS, *(f"main_{behavior}" for behavior in MAIN))
"""Of the stored answers: the fold that the teacher was not shown beside the utterance's own (empty: none), the
utterance, and scores as those of the network, with the offset of the utterance's annotator."""

_KINDS: Any = {"without": "Int64", "tape_id": str, "utterance_id": str}


@dataclass(frozen=True)
class Teacher:
    """A teacher's answers, as `read` gives them."""

    answers: pd.DataFrame

    def scores(self, table: pd.DataFrame, without: int | None = None) -> NDArray[np.float64]:
        """The answers to the rows of some sessions by what did not see a fold, shape (rows, outputs); NaN where none.

        Parameters
        ----------
        table: sessions, as `pipeline.coding.training.data.read` gives them.
        without: the fold on which the learner is measured; None if on none.
        """
        given = self.answers["without"]
        known = self.answers[given.isna() if without is None else given == without]
        keys = list(KEYS[1:])
        return table[keys].merge(known, "left", on=keys)[list(COLUMNS[len(KEYS) :])].to_numpy(dtype=float)


def read(path: Path) -> Teacher:
    """Stored answers.

    Raises
    ------
    CodingError: C05 the file is missing or not of this kind.
    """
    remedy = "restore it from the repository, or make it with `python -m tests.benchmarks.teacher`"
    try:
        answers = pd.read_csv(path, dtype=_KINDS)
    except (OSError, ValueError) as error:
        raise CodingError("C05", f"teacher {path}", f"cannot be read ({type(error).__name__})", remedy) from error
    if tuple(answers.columns) != COLUMNS:
        raise CodingError("C05", f"teacher {path}", f"has the columns {', '.join(answers.columns)}", remedy)
    return Teacher(answers)
