"""Reads AnnoMI (Wu et al., ICASSP 2022; Future Internet 2023, 15(3), 110) as training data: ``annomi.csv``.

It has the published columns of AnnoMI-full, plus ``family`` (transcripts that share a video, a series or actors) and
``fold``.
Labels become yes-or-no decisions, 1, 0 or NaN where one does not apply:

- ``question``, ``reflection``, ``information`` on every interviewer row, as an utterance may hold several;
- ``open`` on questions, except those of annotator 3, who called 98 % of them open; ``complex`` on reflections;
- ``client`` (change or sustain talk, rather than neutral) on every client row, ``change`` on what is not neutral.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from pipeline.errors import CodingError
from pipeline.files import sha256

NAME = "AnnoMI, 90 transcripts with families and folds"
FILE = "annomi/annomi.csv"

MAIN_BEHAVIOR_LABELS = {
    "question": "question",
    "reflection": "reflection",
    "therapist_input": "information",
    "other": "other",
}
"""The published main behavior -> our name."""

_MASKED_ANNOTATOR = 3  # called 98 % of their questions open: what they say of open and closed teaches nothing
_COLUMNS = (
    *("transcript_id", "utterance_id", "interlocutor", "timestamp", "utterance_text", "topic", "annotator_id"),
    *("mi_quality", "family", "fold", "question_exists", "question_subtype", "reflection_exists", "reflection_subtype"),
    *("therapist_input_exists", "main_therapist_behaviour", "client_talk_type"),
)


def read(folder: Path) -> pd.DataFrame:
    """Return a row per utterance, in speaking order.

    Columns: ``tape_id, utterance_id, role, text, target_behavior, start`` (ms), ``annotator, quality, family, fold``,
    ``main`` (empty on client rows) and a float column per decision.

    Raises
    ------
    CodingError: C05 the file is missing, is no CSV, lacks a column or holds an invalid value.
    """
    path = folder / FILE
    try:
        raw = pd.read_csv(path, keep_default_na=False, dtype=str)
    except (OSError, ValueError) as error:
        remedy = f"give the folder that holds {FILE}"
        raise CodingError("C05", f"data {path}", f"cannot be read ({type(error).__name__})", remedy) from error
    lacking = [column for column in _COLUMNS if column not in raw]
    if lacking:
        raise CodingError(
            "C05", f"data {path}", f"lack the column {lacking[0]!r}", "give AnnoMI with families and folds"
        )
    try:
        return _training_table(raw)
    except ValueError as error:
        raise CodingError("C05", f"data {path}", f"hold a wrong value ({error})", "mend it") from error


def checksum(folder: Path) -> str:
    """Return the SHA-256 of the data file, by which stored weights identify their training data."""
    return sha256(folder / FILE)


def _training_table(raw: pd.DataFrame) -> pd.DataFrame:
    table = pd.DataFrame(
        {
            "tape_id": raw["transcript_id"],
            "utterance_id": raw["utterance_id"],
            "role": raw["interlocutor"].map({"therapist": "interviewer", "client": "client"}).fillna("unknown"),
            "text": raw["utterance_text"],
            "target_behavior": raw["topic"].str.strip(),
            "start": (pd.to_timedelta(raw["timestamp"]).dt.total_seconds() * 1000).round().astype("int64"),
            "annotator": raw["annotator_id"].astype(int),
            "quality": raw["mi_quality"],
            "family": raw["family"],
            "fold": raw["fold"].astype(int),
            "main": raw["main_therapist_behaviour"].map(MAIN_BEHAVIOR_LABELS).fillna(""),
        }
    )
    return table.join(_decision_columns(raw, table))


def _decision_columns(raw: pd.DataFrame, table: pd.DataFrame) -> pd.DataFrame:
    interviewer, client = table["role"] == "interviewer", table["role"] == "client"
    question = interviewer & (raw["question_exists"] == "True")
    reflection = interviewer & (raw["reflection_exists"] == "True")
    talk = client & raw["client_talk_type"].isin(["change", "sustain"])
    answers = {
        "question": (question, interviewer),
        "open": (raw["question_subtype"] == "open", question & (table["annotator"] != _MASKED_ANNOTATOR)),
        "reflection": (reflection, interviewer),
        "complex": (raw["reflection_subtype"] == "complex", reflection),
        "information": (raw["therapist_input_exists"] == "True", interviewer),
        "client": (talk, client),
        "change": (raw["client_talk_type"] == "change", talk),
    }
    return pd.DataFrame({name: np.where(applies, answer, np.nan) for name, (answer, applies) in answers.items()})
