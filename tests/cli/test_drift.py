"""`tape-review drift` as a user calls it."""

from __future__ import annotations

import io
from pathlib import Path

import pandas as pd
import pytest

from tests.cli.calls import run, write_codes
from tests.measures.coders import group


def test_a_reader_sees_who_drifts_and_what_to_play(codes: Path) -> None:
    shown = " ".join(run("drift", str(codes)).stdout.split())
    assert "ann, reflection, drift: ann codes" in shown
    assert "times as many complex reflections as the coach" in shown
    assert "Play: t0" in shown
    shown = run("agreement", str(codes)).stdout
    assert "ann with coach: 14 tapes" in shown
    assert "Where codes differ" in shown


def test_recalibration_is_taken_from_the_command_line(codes: Path) -> None:
    done = run("drift", str(codes), "--recalibrated", "ann=1970-01-09", "--recalibrated", "eve=1970-01-09", "--all")
    assert "too few tapes" in done.stdout or "steady" in done.stdout
    assert "Recalibrated, but without codes: eve." in done.stdout
    wrong = run("drift", str(codes), "--recalibrated", "ann")
    assert wrong.exit_code == 2
    assert "CODER=DATE" in " ".join(wrong.output.split())


def test_too_few_tapes_are_told_with_their_number(tmp_path: Path) -> None:
    shown = " ".join(run("drift", str(write_codes(group(1), tmp_path / "codes.csv"))).stdout.split())
    assert "Too early: 1 of 6 tapes." in shown
    apart = group(2)
    apart = apart[(apart["coder"] == "coach") == (apart["tape_id"] == "t000")]
    shown = " ".join(run("drift", str(write_codes(apart, tmp_path / "apart.csv"))).stdout.split())
    assert "Nobody else coded an utterance that the coach coded: no chart." in shown


def test_how_often_a_coder_follows_the_machine_is_told_with_its_number(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    table = group(4, units=60, wrong={"ann": 0.1})
    machine = table[table["layer"] == "coach"].assign(coder="machine", layer="machine", pretag_shown="")
    position = table["utterance_id"].astype(int)
    for hidden, told in ((position % 2 == 0, "of 120"), ((position == 0), "too few: 4 of at least 20 utterances")):
        ann = table[table["layer"] == "member"].assign(pretag_shown=(~hidden).map({True: "true", False: "false"}))
        path = write_codes(pd.concat([ann, machine]), tmp_path / "codes.csv")
        shown = " ".join(run("drift", str(path)).stdout.split())
        assert told in shown
        rows = pd.read_csv(io.StringIO(run("drift", str(path), "--format", "csv", "--table", "automation_bias").stdout))
        row = rows[(rows["coder"] == "ann") & (rows["level"] == "all")].iloc[0]
        assert row["units_hidden"] == hidden[table["layer"] == "member"].sum()
        assert row["agree_shown_low"] <= row["agree_shown"] <= row["agree_shown_high"]
        assert row["agree_hidden_low"] <= row["agree_hidden"] <= row["agree_hidden_high"]
        if "too few" in told:
            assert row["verdict"] == "too few utterances: no verdict"
            assert row["undefined"] == "hidden: 4 of at least 20 utterances"
