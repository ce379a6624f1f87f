"""Calling verbs as a user does, and the tables of codes that verbs read."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
from typer.testing import CliRunner, Result

from pipeline.cli.main import app
from pipeline.errors import TapesError

ADA = "ada@example.org"


def run(*arguments: str | Path) -> Result:
    """Call a verb; an error of ours is raised."""
    return CliRunner().invoke(app, [*map(str, arguments)], catch_exceptions=False)


def call(folder: Path, *arguments: str, answer: str | None = None) -> Result:
    """Call a verb on the home in a folder."""
    return CliRunner().invoke(app, [*arguments, "--home", str(folder)], input=answer)


def output(folder: Path, *arguments: str, answer: str | None = None) -> str:
    """What a call prints that must not fail."""
    result = call(folder, *arguments, answer=answer)
    assert result.exit_code == 0, (result.output, result.exception)
    return result.output


def refused(folder: Path, *arguments: str) -> str:
    """The message of a call that must be refused."""
    result = call(folder, *arguments)
    assert isinstance(result.exception, TapesError), result.output
    return str(result.exception)


def write_codes(table: pd.DataFrame, path: Path) -> Path:
    """Write a table of codes as a user has it."""
    written = table.rename(columns={"codes": "code"}).assign(
        coded_at=pd.to_datetime(table["coded_at"], unit="ms").dt.strftime("%Y-%m-%dT%H:%M:%SZ")
    )
    written.to_csv(path, index=False)
    return path
