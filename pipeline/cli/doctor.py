"""`tape-review doctor`: is this installation whole?"""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from pipeline.cli._shared.options import Config, Home, Profile
from pipeline.cli._shared.tables import console

if TYPE_CHECKING:
    from pipeline.settings import Settings
    from pipeline.tapes.checks.installation import Finding


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
        ("Installation", (*installation.check(settings), _recognizer(settings))),
        ("Tapes", tapes.check(settings.tapes, now())),
    ):
        table = Table("check", "result", "remedy", title=title)
        for finding in checked:
            table.add_row(finding.what, ("ok: " if finding.fine else "WRONG: ") + finding.state, finding.remedy)
        console().print(table)
        findings += checked
    if not all(finding.fine for finding in findings):
        raise typer.Exit(1)


def _recognizer(settings: Settings) -> Finding:
    """Which speech recognizer is in use, and which would suit this machine."""
    from pipeline.errors import ModelError
    from pipeline.speech import recommendation
    from pipeline.tapes.checks.installation import Finding

    state = recommendation.in_use(settings)
    try:
        expected = recommendation.expectations(recommendation.known_pace(settings), settings)
    except ModelError:  # the model that is measured is missing; another line says so
        return Finding("speech recognition", True, state)
    best = recommendation.recommended(expected)
    if best is not None and best.name != settings.transcription.model:
        state += f"; {best.name} would suit this machine, see `tape-review models --recommend`"
    return Finding("speech recognition", True, state)
