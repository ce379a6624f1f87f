"""`tape-review doctor`: is this installation whole?"""

from __future__ import annotations

import typer

from pipeline.cli.options import Config, Profile


def doctor(profile: Profile = None, config: Config = None) -> None:
    """Check this installation.

    Packages, models, weights and room on the disk; for what is wrong, how to mend it.
    """
    from rich.console import Console
    from rich.table import Table

    from pipeline import health, settings

    chosen = settings.load(profile or (), config or ()).settings
    table = Table("check", "result", "remedy", title="Installation")
    findings = health.check(chosen)
    for finding in findings:
        table.add_row(finding.what, ("ok: " if finding.fine else "WRONG: ") + finding.found, finding.remedy)
    Console().print(table)
    if not all(finding.fine for finding in findings):
        raise typer.Exit(1)
