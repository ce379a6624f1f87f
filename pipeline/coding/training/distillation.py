"""Knowledge distillation: soft labels from a network far too large to ship, for sessions that it was not trained on.

The tagger's network is trained on them beside the hand codes (Hinton et al., 2015), as probabilities carry more
information than a code. Each soft label is from a network that was trained neither on the utterance's fold nor on the
fold on which the tagger is measured.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pipeline.coding.inference.classifier import DECISIONS, MAIN_BEHAVIORS
from pipeline.errors import CodingError

KEYS = ("without", "tape_id", "utterance_id")
COLUMNS = (*KEYS, *DECISIONS, *(f"main_{behavior}" for behavior in MAIN_BEHAVIORS))
"""Columns of the stored soft labels: the fold that was held out beside the utterance's own (empty: none), the
utterance, and scores as the network's, with the offset of the utterance's annotator."""

_TYPES: Any = {"without": "Int64", "tape_id": str, "utterance_id": str}


@dataclass(frozen=True)
class SoftLabels:
    """Soft labels, as `read` returns them."""

    table: pd.DataFrame

    def scores(self, table: pd.DataFrame, without: int | None = None) -> NDArray[np.float64]:
        """Return the soft labels of some sessions' rows, shape (rows, outputs); NaN where there are none.

        Parameters
        ----------
        table: sessions, as `pipeline.coding.training.data.read` returns them.
        without: the fold on which the trained network is measured; None if on none.
        """
        held_out = self.table["without"]
        labels = self.table[held_out.isna() if without is None else held_out == without]
        keys = list(KEYS[1:])
        return table[keys].merge(labels, "left", on=keys)[list(COLUMNS[len(KEYS) :])].to_numpy(dtype=float)


def read(path: Path) -> SoftLabels:
    """Read stored soft labels.

    Raises
    ------
    CodingError: C05 the file is missing or not of this kind.
    """
    remedy = "restore it from the repository, or make it with `python -m tests.benchmarks.distillation`"
    try:
        labels = pd.read_csv(path, dtype=_TYPES)
    except (OSError, ValueError) as error:
        raise CodingError("C05", f"teacher {path}", f"cannot be read ({type(error).__name__})", remedy) from error
    if tuple(labels.columns) != COLUMNS:
        raise CodingError("C05", f"teacher {path}", f"has the columns {', '.join(labels.columns)}", remedy)
    return SoftLabels(labels)
