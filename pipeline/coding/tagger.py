"""Pre-tags: codes for every utterance of a transcript, with calibrated probabilities.

Each decision is made by itself: is it a question, and if so an open one; is it a reflection, and if so a complex one;
does it inform; for the client, is it change or sustain talk, and which. A decision is a yes where its probability
reaches its threshold.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from pipeline.coding import weights
from pipeline.coding.calibration import Calibration
from pipeline.coding.classifier import DECISIONS, Inputs, Scorer
from pipeline.coding.encoder import Encoder
from pipeline.errors import CodingError
from pipeline.models import checksum, folder
from pipeline.progress import Progress, ignore
from pipeline.settings import Settings, project_folder


@dataclass(frozen=True)
class Tagger:
    """A fitted classifier with its calibration and the sentence encoder that it was fitted with."""

    classifier: Scorer
    calibration: Calibration
    encoder: Encoder
    about: Mapping[str, Any]

    @property
    def spread(self) -> Mapping[str, float]:
        """Decision -> standard deviation of the shift that a session's log-odds share."""
        return self.calibration.spread

    @classmethod
    def load(cls, place: Path, encoder: Path) -> Tagger:
        """Load the weights in a folder; nothing in them is executed.

        Raises
        ------
        CodingError: C04 a file is missing, altered or of another kind. ModelError: M07 as `Encoder`.
        """
        stored = weights.read(place)
        return cls(stored.classifier, stored.calibration, Encoder(encoder), stored.about)

    def tag(self, table: pd.DataFrame, progress: Progress = ignore) -> pd.DataFrame:
        """Code every row of one or several transcripts.

        Parameters
        ----------
        table: ``tape_id, utterance_id, role, text`` and, where known, ``target_behavior``; the rows of a tape are in
            speaking order. A missing text counts as empty.

        Returns
        -------
        The same rows with ``codes`` (joined by ``|``), ``probability`` (of the least certain decision), ``needs_check``
        and ``p_<code>``. A row of unknown role has no codes, probability 0, and is to be checked.
        """
        given = table[["tape_id", "role"]].copy()
        given["text"] = _texts(table, "text")
        given["target_behavior"] = _texts(table, "target_behavior")
        if given.empty:
            found = np.zeros((0, len(DECISIONS)))
        else:
            found = self.calibration.probabilities(self.classifier(Inputs.of(given, self.encoder, progress)))
        return table.assign(**self.calibration.coded(given["role"].to_numpy(dtype=object), found))


def load(settings: Settings) -> Tagger:
    """The tagger that the settings name: a folder in `models/`, or a path.

    Raises
    ------
    CodingError: C04 as `Tagger.load`. ModelError: M01 or M02 the sentence encoder is not there, M07 it is none.
    """
    loaded = Tagger.load(place(settings), folder(settings.coding.encoder, settings.models))
    known = loaded.about["encoder"]
    if checksum(folder(settings.coding.encoder, settings.models)) != known["checksum"]:
        value = f"was trained with another sentence encoder than {settings.coding.encoder}"
        raise CodingError("C04", f"tagger {settings.coding.tagger}", value, f"set coding.encoder to {known['name']}")
    return loaded


def place(settings: Settings) -> Path:
    """The folder of the tagger's weights."""
    shipped = project_folder("models") / settings.coding.tagger
    return shipped if shipped.is_dir() else Path(settings.coding.tagger).expanduser()


def _texts(table: pd.DataFrame, column: str) -> list[str]:
    """A column as text, empty where it or a cell is missing."""
    if column not in table:
        return [""] * len(table)
    return ["" if pd.isna(value) else str(value) for value in table[column]]
