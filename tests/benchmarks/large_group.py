"""``python -m tests.benchmarks.large_group``: how long the tables of a large group take, beside those of a small one.

Eight invented coders, 60 utterances a tape; processor time of this machine.
"""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

from rich.console import Console
from rich.table import Table
from typer.testing import CliRunner

from pipeline.cli.main import app
from tests.cli.calls import write_codes
from tests.measures.coders import group

TAPES = (50, 500)


def main() -> None:
    """Print a line a command."""
    shown = Table(title="Processor seconds")
    for column in ("command", *(f"{tapes} tapes" for tapes in TAPES), "times as long"):
        shown.add_column(column, justify="left" if column == "command" else "right")
    with tempfile.TemporaryDirectory() as name:
        spent: dict[str, list[float]] = {"agreement": [], "drift": []}
        for tapes in TAPES:
            table = group(tapes, units=60, wrong={f"c{number}": 0.1 for number in range(8)})
            path = write_codes(table, Path(name) / "codes.csv")
            for verb, seconds in spent.items():
                start = time.process_time()
                CliRunner().invoke(app, [verb, str(path), "--format", "json"], catch_exceptions=False)
                seconds.append(time.process_time() - start)
    for verb, (small, large) in spent.items():
        shown.add_row(verb, f"{small:.1f}", f"{large:.1f}", f"{large / small:.1f}")
    Console(width=100).print(shown)


if __name__ == "__main__":
    main()
