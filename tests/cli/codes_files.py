"""A table of codes in which people and the machine used different codebooks."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

MITI_CODES = {"I": ("question", "reflection_simple", "affirmation"), "C": ("", "", "")}


PRETAG_CODES = {"I": ("question_open", "reflection_simple", "other"), "C": ("change", "sustain", "neutral")}


def in_two_codebooks(path: Path, **codable: str) -> Path:
    """Members and coach with MITI, the machine with the pre-tags; all alike where both can say it."""
    rows = []
    for tape in range(3):
        for position in range(60):
            role = "IC"[position % 2]
            for layer, coder in (("member", "ann"), ("member", "bob"), ("coach", "cora"), ("machine", "")):
                code = (PRETAG_CODES if layer == "machine" else MITI_CODES)[role][position % 3]
                words = {"I": "interviewer", "C": "client"}[role]
                rows.append((f"t{tape}", f"u{position}", coder, layer, code, f"2026-03-0{tape + 1}", words))
    columns = ["tape_id", "utterance_id", "coder", "layer", "code", "coded_at", "role"]
    table = pd.DataFrame(rows, columns=columns)
    if codable:
        table = table.assign(codable=table["coder"].map(codable))
    table.to_csv(path, index=False)
    return path
