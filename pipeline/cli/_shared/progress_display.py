"""The progress of a run in the terminal, and the main figures at its end."""

from __future__ import annotations

import json
from collections.abc import Collection
from types import TracebackType
from typing import Any

from rich.console import Console, Group
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

from pipeline.measures.session import measures as figures
from pipeline.report import number_format
from pipeline.run.output import PROVENANCE
from pipeline.stages import LABELS, ProcessedTape


class ProgressDisplay:
    """One live line per stage on a terminal; elsewhere a plain line when a stage ends. An `Observer` of a run."""

    def __init__(self, console: Console, stages: Collection[str] = LABELS.keys()) -> None:
        self._console, self._stages = console, stages
        self._tasks: dict[str, TaskID] = {}
        self._progress = Progress(
            TextColumn("{task.description:<34}"),
            BarColumn(),
            TextColumn("{task.percentage:>3.0f} %"),
            TimeElapsedColumn(),
            TextColumn("left"),
            TimeRemainingColumn(),
            console=console,
            disable=not console.is_terminal,
        )

    def __enter__(self) -> ProgressDisplay:
        self._progress.start()
        for stage in self._stages:
            self._tasks[stage] = self._progress.add_task(LABELS[stage], total=1.0, start=False)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._progress.stop()

    def started(self, stage: str) -> None:
        """Start the stage's clock."""
        self._progress.start_task(self._tasks[stage])

    def progressed(self, stage: str, fraction: float) -> None:
        """Move the stage's bar."""
        self._progress.update(self._tasks[stage], completed=fraction)

    def finished(self, stage: str, reused: bool) -> None:
        """Fill the stage's bar."""
        done = f"{LABELS[stage]} (kept)" if reused else LABELS[stage]
        self._progress.update(self._tasks[stage], completed=1.0, description=done)
        if not self._console.is_terminal:
            self._console.print(f"{done}: done")


def read_warnings(tape: ProcessedTape) -> list[str]:
    """Return what to be careful about with this recording, in sentences."""
    provenance = json.loads((tape.folder / PROVENANCE).read_text(encoding="utf-8"))
    return [str(warning) for warning in provenance.get("warnings", [])]


def summarize(tape: ProcessedTape) -> Group:
    """Return the main measures with their intervals, how much to check, and where the report lies."""
    measures: dict[str, Any] = json.loads((tape.folder / "measures.json").read_text(encoding="utf-8"))
    table = Table(title="Machine suggestions, to be checked by hand", title_justify="left")
    table.add_column("measure")
    table.add_column("value", justify="right")
    table.add_column(f"{measures['width']:.0%} interval", justify="right")
    for measure in figures.headline_measures(measures):
        table.add_row(measure["label"], *_cells(measure))
    lines = [Text(f"Report: {tape.folder / 'report.html'}", overflow="fold")]
    if tape.unchanged:
        lines.insert(0, Text("These results already exist. Nothing was repeated."))
    return Group(table, *lines)


def _cells(measure: dict[str, Any]) -> tuple[str, str]:
    if measure["value"] is None:
        return str(measure["undefined"]), ""
    value, low, high, unit = (measure[name] for name in ("value", "low", "high", "unit"))
    return number_format.format_value(value, unit), number_format.format_interval(low, high, unit)
