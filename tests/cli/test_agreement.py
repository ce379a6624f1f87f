"""``tape-review agreement`` and ``drift`` as a user calls them."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pandas as pd
import pytest

from pipeline.errors import TableError
from pipeline.measures.drift.drift import DRIFT_COLUMNS, POINT_COLUMNS
from pipeline.measures.reliability.agreement import AGREEMENT_COLUMNS, SESSION_ICC_COLUMNS
from pipeline.measures.reliability.confusions import CONFUSION_COLUMNS
from tests.cli.calls import run, write_codes
from tests.cli.codes_files import in_two_codebooks
from tests.measures.coders import group


def test_names_in_square_brackets_are_printed_as_they_are(tmp_path: Path) -> None:
    table = group(3).replace({"coder": {"ann": "[ann]", "bob": "[/b]"}})
    done = run("agreement", str(write_codes(table, tmp_path / "codes.csv")))
    assert done.exit_code == 0
    assert "[ann]" in done.stdout
    assert "[/b]" in done.stdout


def test_a_code_that_is_a_raised_number_is_a_word(tmp_path: Path) -> None:
    table = group(3).assign(codes="²")
    assert run("agreement", str(write_codes(table, tmp_path / "codes.csv"))).exit_code == 0


@pytest.mark.parametrize(
    ("verb", "table", "columns"),
    [
        ("agreement", "agreement", AGREEMENT_COLUMNS),
        ("agreement", "sessions", SESSION_ICC_COLUMNS),
        ("agreement", "confusions", CONFUSION_COLUMNS),
        ("drift", "drift", DRIFT_COLUMNS),
        ("drift", "points", POINT_COLUMNS),
    ],
)
def test_csv_has_the_documented_columns(codes: Path, verb: str, table: str, columns: tuple[str, ...]) -> None:
    done = run(verb, str(codes), "--format", "csv", "--table", table)
    rows = list(csv.reader(io.StringIO(done.stdout)))
    assert tuple(rows[0]) == columns
    assert len(rows) > 3
    assert "nan" not in done.stdout.lower()
    assert "Families of codes after codebook pretags" in done.stderr


def test_json_holds_all_tables_and_no_nan(codes: Path) -> None:
    tables = json.loads(run("agreement", str(codes), "--format", "json").stdout, parse_constant=pytest.fail)
    assert tables["schema"] == 1
    assert list(tables["tables"]) == ["agreement", "sessions", "confusions"]
    drift = json.loads(run("drift", str(codes), "--format", "json").stdout, parse_constant=pytest.fail)
    assert list(drift["tables"]) == ["drift", "points", "automation_bias"]
    spoken = [row for row in drift["tables"]["drift"] if row["state"] == "drift"]
    assert {row["coder"] for row in spoken} >= {"ann"}


def test_pairs_of_few_coders_are_shown_and_a_missing_figure_has_its_reason(
    codes: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "200")  # cells in one line each
    shown = " ".join(run("agreement", str(codes), "--draws", "100").stdout.split())
    assert "ann with bob: 14 tapes" in shown
    assert "undefined" not in shown
    assert "Units are compared by utterance_id" in shown
    many = write_codes(group(3, wrong={f"c{number}": 0.1 for number in range(5)}), tmp_path / "many.csv")
    shown = " ".join(run("agreement", str(many), "--draws", "100").stdout.split())
    assert "c0 with c1" not in shown
    assert "5 coders: --all shows each pair of them." in shown
    assert "more than two" in shown


def test_who_shares_no_utterance_is_named_and_not_given_another_reason(tmp_path: Path) -> None:
    table = group(2, wrong={"ann": 0.1, "bob": 0.1, "eve": 0.1})
    kept = (table["coder"] != "ann") | (table["tape_id"] == "t000")
    kept &= (table["coder"] != "bob") | (table["tape_id"] == "t001")
    done = run("agreement", str(write_codes(table[kept], tmp_path / "codes.csv")), "--format", "csv")
    assert "Not compared, because they coded no utterance in common: ann with bob." in done.stderr
    rows = pd.read_csv(io.StringIO(done.stdout))
    members = rows[(rows["comparison"] == "members") & (rows["level"] == "all")].iloc[0]
    assert members["undefined"] == "kappa: more than two coders (3)"
    with_coach = rows[(rows["comparison"] == "coder and coach") & (rows["a"] == "ann")]
    assert with_coach["undefined"].str.contains("intervals: only one tape").all()
    path = in_two_codebooks(tmp_path / "limits.csv", ann="reflection", bob="affirmation", cora="question")
    people = pd.read_csv(path).query("layer != 'machine'")
    people.to_csv(path, index=False)
    told = run("agreement", str(path)).stdout
    assert "No two coders could give the same codes. There is nothing to compare." in " ".join(told.split())


def test_one_coder_and_one_tape_are_told_apart(tmp_path: Path) -> None:
    table = group(1)
    one_coder = write_codes(table[table["coder"] == "ann"], tmp_path / "one.csv")
    assert "Only one coder (ann) coded. There is nobody to compare with." in run("agreement", str(one_coder)).stdout
    assert "There is no coach and no consensus" in run("drift", str(one_coder)).stdout
    tape = write_codes(table, tmp_path / "tape.csv")
    shown = run("agreement", str(tape)).stdout
    assert "Only one tape: intervals need two or more." in shown
    drift = run("drift", str(tape), "--all").stdout
    assert "5 more tapes must be coded by both" in " ".join(drift.split())


@pytest.mark.parametrize("order", [1, -1])
def test_a_listening_noise_within_a_turn_is_one_more_unit(tmp_path: Path, order: int) -> None:
    """Two members who code alike and a coach who coded half: 20 units, all alike; with a noise in a turn 21."""
    turns = [(f"u{number}", 3.0 * number, 3.0 * number + 2.5) for number in range(20)]
    for units in (turns, [*turns, ("u20", 9.4, 9.8)]):
        coded = [
            ("t", name, coder, layer, "question_open" if position % 3 else "reflection_simple", "", start, end)
            for coder, layer in (("ann", "member"), ("bob", "member"), ("cora", "coach"))
            for position, (name, start, end) in enumerate(units)
            if layer == "member" or start < 30
        ]
        table = pd.DataFrame(
            coded, columns=["tape_id", "utterance_id", "coder", "layer", "code", "coded_at", "start", "end"]
        )
        table[::order].to_csv(tmp_path / "codes.csv", index=False)
        done = run("agreement", str(tmp_path / "codes.csv"), "--format", "csv")
        rows = pd.read_csv(io.StringIO(done.stdout))
        among = rows[(rows["comparison"] == "members") & (rows["level"] == "all")].iloc[0]
        assert (among["units"], among["percent"], among["kappa"]) == (len(units), 1.0, 1.0)
        assert "No coder's units have other boundaries than another's" in done.stderr


def test_nobody_is_compared_on_codes_that_nobody_could_give(tmp_path: Path) -> None:
    done = run("agreement", str(in_two_codebooks(tmp_path / "codes.csv")), "--format", "csv")
    rows = pd.read_csv(io.StringIO(done.stdout))
    assert not rows["name"].isin(["client_talk", "change", "sustain", "neutral", "other"]).any()
    machine = rows[rows["comparison"] == "machine"]
    # A question of the machine, open or closed, is MITI's question; affirmations it cannot give.
    assert set(machine["name"]) == {"question", "reflection", "reflection_simple"}
    assert set(machine["percent"]) == {1.0}
    assert set(rows[rows["comparison"] == "members"]["name"]) >= {"all codes", "question", "affirmation"}
    assert "Families of codes after codebook miti-4.2" in done.stderr
    assert "Codes of pretags: machine." in done.stderr
    assert "Not compared on client_talk, for which they were not asked as far as their codes" in done.stderr
    assert "show: ann, bob, cora." in done.stderr
    drift = pd.read_csv(io.StringIO(run("drift", str(tmp_path / "codes.csv"), "--format", "csv").stdout))
    assert not drift["family"].isin(["client_talk", "other"]).any()


def test_a_speaker_to_whom_only_the_machine_gave_codes_was_not_coded_by_hand(tmp_path: Path) -> None:
    """Codes that MITI and the pre-tags share do not show which codebook it was; that nobody coded the client does."""
    path = in_two_codebooks(tmp_path / "codes.csv")
    shared = pd.read_csv(path, keep_default_na=False)
    shared["code"] = shared["code"].replace({"question": "information", "affirmation": "information"})
    shared.to_csv(path, index=False)
    done = run("agreement", str(path), "--format", "csv")
    rows = pd.read_csv(io.StringIO(done.stdout))
    assert "Families of codes after codebook pretags" in done.stderr
    assert not rows["name"].isin(["client_talk", "change", "sustain", "neutral"]).any()
    assert {"machine", "members", "coder and coach"} <= set(rows.loc[rows["name"] == "all codes", "comparison"])
    # One code for the client by hand, and leaving the others without one is an opinion.
    shared.loc[(shared["coder"] == "ann") & (shared["utterance_id"] == "u1"), "code"] = "change"
    shared.to_csv(path, index=False)
    rows = pd.read_csv(io.StringIO(run("agreement", str(path), "--format", "csv").stdout))
    assert ((rows["name"] == "client_talk") & (rows["comparison"] == "machine")).any()


def test_a_column_says_what_a_pass_could_code(tmp_path: Path) -> None:
    path = in_two_codebooks(tmp_path / "codes.csv", ann="reflection", bob="reflection|affirmation", cora="")
    rows = pd.read_csv(io.StringIO(run("agreement", str(path), "--format", "csv").stdout))
    families = rows[(rows["level"] == "family") & (rows["comparison"].isin(["members", "coder and coach"]))]
    by = {key: set(rows["name"]) for key, rows in families.groupby(["comparison", "a"])}
    assert by == {
        ("members", "members"): {"reflection"},
        ("coder and coach", "ann"): {"reflection"},
        ("coder and coach", "bob"): {"reflection", "affirmation"},
    }
    assert not ((rows["level"] == "all") & rows["comparison"].isin(["members", "coder and coach"])).any()


def test_unknown_codes_are_named_and_counted(tmp_path: Path) -> None:
    table = group(2)
    table["codes"] = table["codes"].replace("question_open", "wondering")
    done = run("agreement", str(write_codes(table, tmp_path / "codes.csv")), "--format", "csv", "--codebook", "oars")
    assert "each counted as a family of its own: question_closed, reflection_complex" in done.stderr
    assert ",code,wondering," in done.stdout


def test_the_codebook_that_fits_best_is_taken(tmp_path: Path) -> None:
    table = group(2)
    table["codes"] = table["codes"].replace({"question_open": "affirmation", "question_closed": "confrontation"})
    done = run("agreement", str(write_codes(table, tmp_path / "codes.csv")), "--format", "csv")
    assert "Families of codes after codebook miti-4.2" in done.stderr


def test_a_wrong_file_ends_with_its_code(tmp_path: Path) -> None:
    (tmp_path / "codes.csv").write_text("tape_id,utterance_id\n1,2\n")
    for verb in ("agreement", "drift"):
        with pytest.raises(TableError, match="TR-T03 table codes.csv lacks the column 'coder'"):
            run(verb, str(tmp_path / "codes.csv"))
