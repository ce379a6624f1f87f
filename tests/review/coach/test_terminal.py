"""A year of tapes gives the same charts, figures and sentences on the coach's page as in the terminal."""

from __future__ import annotations

import html
import json
import re
from datetime import UTC, datetime
from pathlib import Path

import pandas as pd
from typer.testing import CliRunner

from pipeline.cli.main import app as commands
from pipeline.review.coach.group_codes import gather_group_codes
from pipeline.tapes.db.records import Group, Person
from tests.review.coach.year import Year


def codes_file(group: Year, path: Path) -> Path:
    """The codes of all whose passes are locked, a row each, as the tables of the command line are written."""
    home, now = group.room.home, group.room.clock()
    with home.database.reading() as database:
        coach, its_group = database.get_one(Person, group.people["Coco"]), database.get_one(Group, group.group)
        gathered = gather_group_codes(home, database, coach, its_group, now)
        table = gathered.table[gathered.table["tape_id"].isin(list(gathered.tapes))]
    moments = [datetime.fromtimestamp(ms / 1000, UTC).isoformat() for ms in table["coded_at"]]
    shown = table["pretag_shown"].map({True: "true", False: "false"}).fillna("")
    times = {end: table[end] / 1000 for end in ("start", "end")}
    rows = table.assign(code=table["codes"], coded_at=moments, pretag_shown=shown, **times).drop(columns="codes")
    rows.to_csv(path, index=False)
    return path


def test_a_year_says_in_the_terminal_what_it_says_on_the_coach_s_page(group: Year, tmp_path: Path) -> None:
    path = codes_file(group, tmp_path / "codes.csv")
    tables = {}
    for verb in ("agreement", "drift"):
        done = CliRunner().invoke(commands, [verb, str(path), "--codebook", "pretags", "--format", "json"])
        assert done.exit_code == 0, done.output
        tables |= {name: pd.DataFrame(rows) for name, rows in json.loads(done.stdout)["tables"].items()}
    page = group.room.signed_in(group.people["Coco"]).get(f"/groups/{group.group}/visit").text
    text = " ".join(html.unescape(re.sub(r"<[^>]+>", " ", page)).split())
    charts = tables["drift"]
    spoken = charts[charts["state"].isin(["drift", "noise"])]
    assert "Ben" in set(spoken["coder"])
    assert all(sentence in text for sentence in spoken["sentence"])
    assert page.count('<svg viewBox="0 0 ') == len(charts)
    for tape_id in spoken["tapes_to_discuss"].iloc[0].split("|"):
        assert f'href="/tapes/{tape_id}"' in page
    # Who follows the machine: shown, hidden, each of how many utterances.
    bias = tables["automation_bias"].query("level == 'all'")
    for row in bias.to_dict("records"):
        for side in ("shown", "hidden"):
            assert f"{100 * row[f'agree_{side}']:.0f} % of {row[f'units_{side}']}" in text, (row["coder"], side)
    # The figures of group, coach and machine.
    agreement = tables["agreement"].query("comparison in ('members', 'group and coach', 'machine')")
    shown = agreement[agreement["level"].isin(["all", "family"])]
    assert len(shown) >= 12
    cells = [
        [html.unescape(re.sub(r"<[^>]+>", "", cell)).strip() for cell in re.findall(r"<td[^>]*>(.*?)</td>", row)]
        for row in re.findall(r"<tr>(.*?)</tr>", page, flags=re.DOTALL)
    ]
    printed = {tuple(row[1:7]) for row in cells if len(row) > 6}
    for row in shown.to_dict("records"):
        low, high = (f"{100 * row[f'percent_{end}']:.0f} %" for end in ("low", "high"))
        figures = (str(row["units"]), f"{100 * row['percent']:.0f} %", f"{low} to {high}")
        assert any(figures == row_shown[:3] for row_shown in printed), (row["a"], row["b"], row["name"], figures)
        # The same seed draws the same tapes, so that ends of intervals are equal, too.
        alpha = f"{row['alpha']:.2f}"
        assert any((*figures, alpha) == (*row_shown[:3], row_shown[5]) for row_shown in printed), (row, printed)
