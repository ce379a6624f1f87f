"""Tables for people and for programs: nothing is cut, nothing is markup, nothing is NaN."""

from __future__ import annotations

import json

import pandas as pd
import pytest

from pipeline.cli._shared import tables

NAN = float("nan")
TABLES = {"people": pd.DataFrame({"who": ["[ann]", "bob"], "kappa": [0.1234567, NAN]})}
SHOWN = {"People": pd.DataFrame({"who": ["[ann]", "[/b]"], "kappa": ["0.12", "too few tapes"]})}


def test_json_has_all_tables_with_null_for_what_is_undefined(capsys: pytest.CaptureFixture[str]) -> None:
    tables.print_tables(TABLES, ["One note."], "json", "people", SHOWN)
    assert json.loads(capsys.readouterr().out, parse_constant=pytest.fail) == {
        "schema": 1,
        "tables": {"people": [{"who": "[ann]", "kappa": 0.1234567}, {"who": "bob", "kappa": None}]},
        "notes": ["One note."],
    }


def test_csv_is_the_chosen_table_alone_and_notes_go_to_the_error_stream(capsys: pytest.CaptureFixture[str]) -> None:
    tables.print_tables(TABLES | {"other": pd.DataFrame({"x": [1]})}, ["One note."], "csv", "people", SHOWN)
    printed = capsys.readouterr()
    assert printed.out == "who,kappa\n[ann],0.123457\nbob,\n"
    assert printed.err == "One note.\n"


def test_names_in_square_brackets_are_no_markup(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    tables.print_tables(TABLES, ["See [b]."], "table", "people", SHOWN)
    printed = capsys.readouterr().out
    assert "[ann]" in printed
    assert "[/b]" in printed
    assert "See [b]." in printed


def test_what_no_screen_shows_is_wide_unless_columns_says_otherwise(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("COLUMNS", raising=False)
    assert tables.console().width == tables.WIDE
    monkeypatch.setenv("COLUMNS", "90")
    assert tables.console().width == 90


@pytest.mark.parametrize(
    ("value", "low", "high", "missing", "text"),
    [
        (0.5, 0.25, 0.75, "", "0.50 (0.25..0.75)"),
        (0.5, NAN, NAN, "", "0.50"),
        (0.5, None, 0.75, "", "0.50"),
        (NAN, 0.1, 0.2, "one tape", "one tape"),
        (None, 0.1, 0.2, "", "undefined"),
    ],
)
def test_an_undefined_figure_is_its_reason(value: object, low: object, high: object, missing: str, text: str) -> None:
    assert tables.format_with_interval(value, low, high, missing=missing) == text


def test_a_figure_has_its_form() -> None:
    assert tables.format_figure(0.256, ".0%") == "26%"
    assert tables.format_figure(NAN, ".0%", "not yet") == "not yet"
