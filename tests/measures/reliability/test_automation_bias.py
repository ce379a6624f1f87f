from __future__ import annotations

import numpy as np
import pandas as pd

from pipeline.measures.reliability.automation_bias import automation_bias
from pipeline.measures.reliability.rating_matrix import build_rating_matrix
from tests.measures.coders import SCHEME, rows


def swayed(difference: float, tapes: int = 12) -> pd.DataFrame:
    random = np.random.default_rng(1)
    result = []
    for tape in range(tapes):
        machine = random.choice(["change", "sustain", ""], 60)
        shown = random.random(60) < 0.6
        same = random.random(60) < np.where(shown, 0.7 + difference, 0.7)
        ann = np.where(same, machine, random.choice(["change", "sustain", ""], 60))
        result.append(
            rows(f"t{tape}", "m", "machine", list(machine), pretag_shown=pd.array([pd.NA] * 60, dtype="boolean"))
        )
        result.append(rows(f"t{tape}", "ann", "member", list(ann), pretag_shown=pd.array(shown, dtype="boolean")))
    return pd.concat(result, ignore_index=True)


def test_automation_bias_shows_where_the_pretag_was_shown() -> None:
    bias = automation_bias(build_rating_matrix(swayed(0.25), SCHEME))
    row = bias[(bias["coder"] == "ann") & (bias["level"] == "all")].iloc[0]
    assert row["difference_low"] > 0
    assert row["verdict"] == "sways"
    none = automation_bias(build_rating_matrix(swayed(0.0), SCHEME))
    row = none[(none["coder"] == "ann") & (none["level"] == "all")].iloc[0]
    assert row["difference_low"] < 0 < row["difference_high"]
    assert row["verdict"] != "sways"


def test_automation_bias_needs_both() -> None:
    table = swayed(0.1, 3)
    table["pretag_shown"] = table["pretag_shown"].where(table["pretag_shown"].isna(), True)
    bias = automation_bias(build_rating_matrix(table, SCHEME))
    assert set(bias["undefined"]) == {"never hidden"}
    assert automation_bias(build_rating_matrix(table.drop(columns="pretag_shown"), SCHEME)).empty
