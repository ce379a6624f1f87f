"""The progress of a run where nobody looks at a screen, and the figures at its end."""

from __future__ import annotations

import io
import json
from pathlib import Path

from rich.console import Console

from pipeline.cli._shared.progress_display import ProgressDisplay, read_warnings, summarize
from pipeline.run.output import PROVENANCE
from pipeline.stages import LABELS, ProcessedTape


def figure(value: float | None, undefined: str | None = None) -> dict[str, object]:
    bounds = (None, None) if value is None else (value - 0.25, value + 0.25)
    return {"unit": "ratio", "value": value, "low": bounds[0], "high": bounds[1], "undefined": undefined}


def processed(folder: Path, unchanged: bool = False) -> ProcessedTape:
    ratios = {"reflections_per_question": {"label": "Reflections per question", **figure(1.5)}}
    for name in ("percent_complex_reflections", "percent_open_questions", "percent_change_talk"):
        ratios[name] = {"label": name, **figure(None, "no question")}
    measures = {"width": 0.9, "ratios": ratios, "counts": {}, "client": {}}
    (folder / "measures.json").write_text(json.dumps(measures))
    (folder / PROVENANCE).write_text(json.dumps({"warnings": ["The sound is clipped."]}))
    return ProcessedTape(folder, unchanged)


def shown(*rows: object) -> str:
    out = io.StringIO()
    console = Console(file=out, width=200)
    for row in rows:
        console.print(row)
    return out.getvalue()


def test_a_stage_has_a_line_when_it_ends_and_none_before() -> None:
    out = io.StringIO()
    first, second = list(LABELS)[:2]
    with ProgressDisplay(Console(file=out)) as display:
        display.started(first)
        display.progressed(first, 0.5)
        assert out.getvalue() == ""
        display.finished(first, reused=False)
        display.started(second)
        display.finished(second, reused=True)
    assert out.getvalue().splitlines() == [f"{LABELS[first]}: done", f"{LABELS[second]} (kept): done"]


def test_warnings_come_from_the_provenance(tmp_path: Path) -> None:
    assert read_warnings(processed(tmp_path)) == ["The sound is clipped."]


def test_a_figure_stands_with_its_interval_and_an_undefined_one_with_its_reason(tmp_path: Path) -> None:
    text = shown(summarize(processed(tmp_path)))
    rows = [[cell.strip() for cell in line.strip("│").split("│")] for line in text.splitlines()]
    by_label = {cells[0]: cells[1:] for cells in rows}
    assert by_label["Reflections per question"][0] == "1.5"
    assert by_label["percent_open_questions"][0] == "no question"
    assert "90% interval" in text
    assert str(tmp_path / "report.html") in text
    assert "Nothing was repeated" not in text


def test_results_that_were_there_are_named_as_such(tmp_path: Path) -> None:
    assert "These results already exist." in shown(summarize(processed(tmp_path, unchanged=True)))
