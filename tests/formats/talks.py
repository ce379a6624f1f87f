"""The talk of two sentences that files of every kind hold, and what was read of it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from pipeline.formats import uncoded

ASKS, WALKS = "What would you like?", "I want to walk."


Row = tuple[str, str, int | None, str]


def rows(path: Path) -> list[Row]:
    """Role, speaker, start in ms and text of each utterance."""
    table = uncoded.read(path).table
    starts = table["start"] if "start" in table else pd.Series([pd.NA] * len(table))
    columns = (table["role"], table["speaker"], [None if pd.isna(at) else int(at) for at in starts], table["text"])
    return list(zip(*columns, strict=True))


def of(
    speakers: Sequence[str], starts: Sequence[int | None] = (None, None), roles: Sequence[str] = ("", "")
) -> list[Row]:
    return list(zip(roles, speakers, starts, (ASKS, WALKS), strict=True))


NAMED = ("interviewer", "client")


def saved(folder: Path, content: str | bytes, name: str = "talk.csv") -> Path:
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def told(path: Path, interviewer: str | None = None) -> list[tuple[str, str, str]]:
    """Role, speaker and text of each row."""
    table = uncoded.read(path, interviewer).table
    speakers = table["speaker"] if "speaker" in table else [""] * len(table)
    return list(zip(table["role"], speakers, table["text"], strict=True))


PAIR = [("interviewer", "Therapist", ASKS), ("client", "Client", WALKS)]
