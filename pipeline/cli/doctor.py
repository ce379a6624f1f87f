"""`tape-review doctor`: is this installation whole?"""

from __future__ import annotations

import typer

from pipeline.cli._shared.options import Config, Home, Profile
from pipeline.cli._shared.tables import console


def doctor(profile: Profile = None, config: Config = None, home: Home = None) -> None:
    """Check this installation and the home of the tapes, and say how to fix what is wrong.

    It checks packages, models, weights and disk space. If there is a home, it also checks records, vault, audit and
    jobs.
    """
    from rich.table import Table

    from pipeline.cli._shared.home_access import settings_with_home
    from pipeline.tapes.checks import home as tapes
    from pipeline.tapes.checks import installation
    from pipeline.tapes.clock import now

    settings = settings_with_home(profile, config, home)
    findings: list[installation.Finding] = []
    for title, checked in (
        ("Installation", installation.check(settings)),
        ("Tapes", tapes.check(settings.tapes, now())),
    ):
        table = Table("check", "result", "remedy", title=title)
        for finding in checked:
            table.add_row(finding.what, ("ok: " if finding.fine else "WRONG: ") + finding.state, finding.remedy)
        console().print(table)
        findings += checked
    if not all(finding.fine for finding in findings):
        raise typer.Exit(1)
