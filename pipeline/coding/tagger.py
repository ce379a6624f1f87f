"""Pre-tags: codes for every utterance of a transcript, with calibrated probabilities.

Each decision is made by itself: is it a question, and if so an open one; is it a reflection, and if so a complex one;
does it inform; for the client, is it change or sustain talk, and which. A decision is a yes where its probability
reaches its threshold.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from pipeline import model_catalog
from pipeline.coding.adaptation import Adaptation
from pipeline.coding.calibration import Calibration
from pipeline.coding.inference import checkpoint
from pipeline.coding.inference.classifier import DECISIONS, Classifier
from pipeline.errors import CodingError
from pipeline.files import sha256
from pipeline.run.progress import Progress, ignore
from pipeline.settings import Settings
from pipeline.timeline import UNKNOWN


@dataclass(frozen=True)
class Tagger:
    """A fitted classifier with its calibration."""

    classifier: Classifier
    calibration: Calibration
    about: Mapping[str, Any]

    @property
    def spread(self) -> Mapping[str, float]:
        """Decision -> standard deviation of the shift that a session's log-odds share."""
        return self.calibration.spread

    @classmethod
    def load(cls, place: Path) -> Tagger:
        """Load the weights in a folder; nothing in them is executed.

        Raises
        ------
        CodingError: C04 a file is missing, altered or of another kind.
        """
        stored = checkpoint.read(place)
        return cls(stored.classifier, stored.calibration, stored.about)

    def tag(self, table: pd.DataFrame, progress: Progress = ignore) -> pd.DataFrame:
        """Code every row of one or several transcripts.

        Parameters
        ----------
        table: ``tape_id, utterance_id, role, text`` and, where known, ``target_behavior``; the rows of a tape are in
            speaking order. A tape's target behavior is the first that one of its rows names.

        Returns
        -------
        The same rows with ``codes`` (joined by ``|``, the main behavior first), ``probability`` (of the least certain
        decision), ``needs_check``
        and ``p_<code>``. A row of unknown role or without words has no codes, probability 0, and is to be checked.
        """
        given = table[["tape_id", "role"]].copy()
        for column in ("text", "target_behavior"):
            given[column] = pd.Series(_texts(table, column), index=given.index, dtype=str)
        named = given["target_behavior"].where(given["target_behavior"].str.strip() != "")
        given["target_behavior"] = named.groupby(given["tape_id"]).transform("first").fillna("")
        if given.empty:
            found = np.zeros((0, len(DECISIONS)))
        else:
            found = self.calibration.probabilities(self.classifier(given, progress))
        spoken = given["text"].str.contains(r"\w")
        return table.assign(
            **self.calibration.coded(given["role"].where(spoken, UNKNOWN).to_numpy(dtype=object), found)
        )


def load(settings: Settings) -> Tagger:
    """The tagger that the settings name: a folder in `models/`, or a path.

    Raises
    ------
    ModelError: M02 there is no such folder.
    CodingError: C04 as `Tagger.load`, C07 the adaptation is damaged or made for another tagger.
    """
    loaded = Tagger.load(place(settings))
    if not settings.coding.adaptation:
        return loaded
    layer = Adaptation.read(Path(settings.coding.adaptation).expanduser())
    if layer.tagger != checkpoint.identity(loaded.about):
        remedy = "make it again with `tape-review adapt`"
        raise CodingError("C07", f"adaptation {settings.coding.adaptation}", "was made for another tagger", remedy)
    return replace(loaded, calibration=layer(loaded.calibration))


def adaptation_provenance(settings: Settings) -> dict[str, dict[str, str]]:
    """What results say of a group's adaptation; nothing where there is none.

    Raises
    ------
    CodingError: C07 it cannot be read.
    """
    if not settings.coding.adaptation:
        return {}
    path = Path(settings.coding.adaptation).expanduser()
    Adaptation.read(path)
    return {"adaptation": {"model": path.name, "checksum": sha256(path)}}


def place(settings: Settings) -> Path:
    """The folder of the tagger's weights.

    Raises
    ------
    ModelError: M02 there is no such folder.
    """
    return model_catalog.trained(settings.coding.tagger)


def _texts(table: pd.DataFrame, column: str) -> list[str]:
    """A column as text, empty where it or a cell is missing."""
    if column not in table:
        return [""] * len(table)
    return ["" if pd.isna(value) else str(value) for value in table[column]]
