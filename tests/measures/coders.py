"""Invented coders: tables of codes with known habits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from pipeline.measures.reliability.rating_matrix import Absent, CodingScheme, RatingMatrix, build_rating_matrix

SCHEME = CodingScheme(
    families={
        "question": ("question_open", "question_closed"),
        "reflection": ("reflection_simple", "reflection_complex"),
        "client_talk": ("change", "sustain"),
    },
    roles={
        "question_open": "interviewer",
        "question_closed": "interviewer",
        "reflection_simple": "interviewer",
        "reflection_complex": "interviewer",
        "change": "client",
        "sustain": "client",
    },
    ordered={"reflection": ("reflection_simple", "reflection_complex")},
    ratio=(("reflection_simple", "reflection_complex"), ("question_open", "question_closed")),
)

DAY = 86_400_000
CODES = ("question_open", "question_closed", "reflection_simple", "reflection_complex", "")


def rows(tape: str, coder: str, layer: str, codes: Sequence[str], day: int = 0, **more: object) -> pd.DataFrame:
    """One coder's codes on one tape; "?" stands for an utterance that has no row."""
    table = pd.DataFrame(
        {
            "tape_id": tape,
            "utterance_id": [str(number) for number in range(len(codes))],
            "coder": coder,
            "layer": layer,
            "codes": codes,
            "coded_at": pd.array([day * DAY] * len(codes), dtype="Int64"),
            **more,
        }
    )
    return table[table["codes"] != "?"].reset_index(drop=True)


def group(
    tapes: int,
    seed: int = 0,
    units: int = 80,
    wrong: Mapping[str, float] | None = None,
    planted: Mapping[str, tuple[str, str, float, int]] | None = None,
) -> pd.DataFrame:
    """Members who mistake a share of utterances for a random code, and a coach who does not.

    ``planted`` gives a coder a habit from a tape on: (code, becomes, share, first tape).
    """
    random = np.random.default_rng(seed)
    passes, chosen = [], []
    for tape in range(tapes):
        truth = random.choice(5, units, p=[0.2, 0.1, 0.25, 0.15, 0.3])
        for coder, share in {"coach": 0.0, **(wrong or {"ann": 0.06, "bob": 0.06})}.items():
            mistaken = random.random(units) < share
            codes = np.array(CODES, dtype=object)[np.where(mistaken, random.integers(0, 5, units), truth)]
            if planted and coder in planted:
                code, becomes, often, first = planted[coder]
                if tape >= first:
                    codes[(codes == code) & (random.random(units) < often)] = becomes
            passes.append((f"t{tape:03}", coder, "coach" if coder == "coach" else "member", tape * DAY))
            chosen.append(codes)
    table = pd.DataFrame(passes, columns=["tape_id", "coder", "layer", "coded_at"])
    table = table.loc[table.index.repeat(units)].reset_index(drop=True).astype({"coded_at": "Int64"})
    numbers = np.tile([str(number) for number in range(units)], len(passes))
    table = table.assign(utterance_id=numbers, codes=np.concatenate(chosen))
    return table[["tape_id", "utterance_id", "coder", "layer", "codes", "coded_at"]]


def balanced_tables(agree: list[int], units: int = 80) -> np.ndarray:
    """Tables of two values with so many agreements, whose disagreements lean to neither side; shape (tapes, 2, 2)."""
    tables = []
    for number in agree:
        off = (units - number) // 2
        tables.append([[number // 2, off], [units - number - off, number - number // 2]])
    return np.array(tables, dtype=float)


def member_and_coach(member: list[str], coach: list[str], tape: str = "t", **more: object) -> pd.DataFrame:
    """The codes of one member and of a coach on one tape."""
    return pd.concat(
        [rows(tape, "ann", "member", member, **more), rows(tape, "cora", "coach", coach, **more)], ignore_index=True
    )


def only_row(table: pd.DataFrame, **wanted: str) -> pd.Series:
    """The one row of a table with these values."""
    for column, value in wanted.items():
        table = table[table[column] == value]
    assert len(table) == 1
    return table.iloc[0]


def rating_matrix_of(*tables: pd.DataFrame, absent: Absent = "auto") -> RatingMatrix:
    """The rating matrix of some tables of codes together."""
    return build_rating_matrix(pd.concat(tables, ignore_index=True), SCHEME, absent)
