"""Pre-tags: codes for every utterance of a transcript, with calibrated probabilities.

Each decision is made separately. For the interviewer: is it a question, and if so an open one; is it a reflection, and
if so a complex one; does it inform. For the client: is it change or sustain talk, and which. A decision is a yes where
its probability reaches its threshold.
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
from pipeline.languages import is_foreign
from pipeline.run.progress import Progress, ignore
from pipeline.settings import Settings
from pipeline.timeline import UNKNOWN


@dataclass(frozen=True)
class Tagger:
    """A fitted classifier with its calibration."""

    classifier: Classifier
    calibration: Calibration
    metadata: Mapping[str, Any]

    @property
    def session_effect_sd(self) -> Mapping[str, float]:
        """Decision -> standard deviation of the shift that the log-odds of a session share."""
        return self.calibration.session_effect_sd

    @classmethod
    def load(cls, folder: Path) -> Tagger:
        """Load the weights in a folder; none of their content is executed as code.

        Raises
        ------
        CodingError: C04 a file is missing, altered or of another kind.
        """
        stored = checkpoint.read(folder)
        return cls(stored.classifier, stored.calibration, stored.metadata)

    def tag(self, table: pd.DataFrame, progress: Progress = ignore) -> pd.DataFrame:
        """Code every row of one or several transcripts.

        Parameters
        ----------
        table: ``tape_id, utterance_id, role, text`` and, where known, ``target_behavior``; the rows of a tape are in
            speaking order. A tape's target behavior is the first that one of its rows names.

        Returns
        -------
        The same rows with ``codes`` (joined by ``|``, the main behavior first), ``probability`` (of the least certain
        decision), ``needs_check`` and ``p_<code>``. A row of unknown role or without words has no codes, probability 0,
        and is to be checked. A row in another language than English (``language``, if there is such a column) has no
        codes and probability 0; there is no tag to check.
        """
        rows = table[["tape_id", "role"]].copy()
        for column in ("text", "target_behavior"):
            rows[column] = pd.Series(_texts(table, column), index=rows.index, dtype=str)
        foreign = np.array([is_foreign(language) for language in _texts(table, "language")], dtype=bool)
        rows["text"] = rows["text"].mask(foreign, "")  # nor is it context of what is coded
        targets = rows["target_behavior"].where(rows["target_behavior"].str.strip() != "")
        rows["target_behavior"] = targets.groupby(rows["tape_id"]).transform("first").fillna("")
        if rows.empty:
            probabilities = np.zeros((0, len(DECISIONS)))
        else:
            probabilities = self.calibration.probabilities(self.classifier(rows, progress))
        has_words = rows["text"].str.contains(r"\w")
        roles = rows["role"].where(has_words, UNKNOWN).to_numpy(dtype=object)
        columns = self.calibration.pretag_columns(roles, probabilities)
        return table.assign(**columns | {"needs_check": columns["needs_check"] & ~foreign})


def load(settings: Settings) -> Tagger:
    """Load the tagger that the settings name: a folder in `models/`, or a path.

    Raises
    ------
    ModelError: M02 there is no such folder.
    CodingError: C04 as `Tagger.load`, C07 the adaptation is damaged or made for another tagger.
    """
    loaded = Tagger.load(weights_folder(settings))
    if not settings.coding.adaptation:
        return loaded
    layer = Adaptation.read(Path(settings.coding.adaptation).expanduser())
    if layer.tagger != checkpoint.identity(loaded.metadata):
        remedy = "make it again with `tape-review adapt`"
        raise CodingError("C07", f"adaptation {settings.coding.adaptation}", "was made for another tagger", remedy)
    return replace(loaded, calibration=layer(loaded.calibration))


def adaptation_provenance(settings: Settings) -> dict[str, dict[str, str]]:
    """Return the provenance of a group's adaptation for the results; empty where there is none.

    Raises
    ------
    CodingError: C07 it cannot be read.
    """
    if not settings.coding.adaptation:
        return {}
    path = Path(settings.coding.adaptation).expanduser()
    Adaptation.read(path)
    return {"adaptation": {"model": path.name, "checksum": sha256(path)}}


def weights_folder(settings: Settings) -> Path:
    """Return the folder of the tagger's weights.

    Raises
    ------
    ModelError: M02 there is no such folder.
    """
    return model_catalog.trained(settings.coding.tagger)


def _texts(table: pd.DataFrame, column: str) -> list[str]:
    """Return a column as text, empty where the column or a cell is missing."""
    if column not in table:
        return [""] * len(table)
    return ["" if pd.isna(value) else str(value) for value in table[column]]
