"""The role-plays that come with the program, as calibration tapes: what is said, the scripted codes, and why.

``gold/NAME.csv`` has a row per utterance: its times, its role, the codes in each codebook that we ship, several codes
parted by ``|``, and a sentence with the codebook's rule behind them. Nobody was recorded: the stories are invented.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import Path

import numpy as np

from pipeline.review.coding.corrections import CorrectedUtterance, CorrectedWord
from pipeline.review.coding.sound import WavSound
from pipeline.settings import project_folder
from pipeline.timeline import to_ms

CODEBOOKS = ("pretags", "miti-4.2", "oars")
"""The codebooks that have gold."""

PEAKS_PER_SECOND = 20
"""Chosen as the player draws tapes: a bar per 50 ms."""


@dataclass(frozen=True)
class RolePlay:
    """A role-play that can be coded: its name in addresses and files, and what a page says of it."""

    name: str
    title: str
    target_behavior: str
    recording: str


ROLE_PLAYS = {
    role_play.name: role_play
    for role_play in (
        RolePlay("roleplay-alcohol", "Mark, who drives a delivery truck", "drinking less alcohol", ".ogg"),
        RolePlay("roleplay-swapped", "Carol, on the telephone with a nurse", "stopping smoking", ".flac"),
    )
}
"""Name -> role-play."""


@dataclass(frozen=True)
class GoldLine:
    """The scripted codes of one utterance in one codebook, and why they are these."""

    codes: tuple[str, ...]
    why: str


@cache
def utterances(name: str) -> tuple[CorrectedUtterance, ...]:
    """Return what is said in a role-play; a word's times are its share of the utterance's, by letters."""
    spoken = []
    for row in _rows(name):
        start, end = to_ms(float(row["start"])), to_ms(float(row["end"]))
        texts = row["text"].split()
        bounds = start + np.cumsum([0, *map(len, texts)]) * (end - start) // max(1, sum(map(len, texts)))
        words = tuple(
            CorrectedWord(f"w{row['utterance_id']}-{number}", text, int(bounds[number]), int(bounds[number + 1]))
            for number, text in enumerate(texts)
        )
        utterance_id = f"u{int(row['utterance_id']):04d}"
        turn = f"t{int(row['utterance_id']):04d}"
        spoken.append(CorrectedUtterance(utterance_id, turn, row["role"], row["speaker"], start, end, words))
    return tuple(spoken)


@cache
def gold(name: str, codebook: str) -> Mapping[str, GoldLine]:
    """Return utterance -> its scripted codes in a codebook of `CODEBOOKS`. Only for who has locked a pass."""
    return {
        f"u{int(row['utterance_id']):04d}": GoldLine(
            tuple(filter(None, row[codebook].split("|"))),
            " ".join(filter(None, (row["why"], row.get(f"why_{codebook}", "")))),
        )
        for row in _rows(name)
    }


@contextmanager
def sound(name: str) -> Iterator[WavSound]:
    """Open the sound of a role-play."""
    with recording(name).open("rb") as file:
        yield WavSound(file)


@cache
def peaks(name: str) -> bytes:
    """Return the largest magnitude per 50 ms of a role-play, one byte each, for drawing."""
    import soundfile

    samples, rate = soundfile.read(recording(name), dtype="float32", always_2d=True)
    step = rate // PEAKS_PER_SECOND
    whole = np.abs(samples[: len(samples) // step * step, 0]).reshape(-1, step).max(axis=1)
    return bytes((np.clip(whole, 0, 1) * 255).astype(np.uint8))


def recording(name: str) -> Path:
    """Return the file of a role-play's sound."""
    packed = project_folder("recordings")  # in a wheel; a checkout has them among the tests
    folder = packed if packed.is_dir() else project_folder("tests") / "recordings"
    return folder / f"{name}{ROLE_PLAYS[name].recording}"


@cache
def _rows(name: str) -> list[dict[str, str]]:
    file = resources.files("pipeline.review.practice") / "gold" / f"{ROLE_PLAYS[name].name}.csv"
    return list(csv.DictReader(io.StringIO(file.read_text(encoding="utf-8"))))
