"""The checks of a home that `tape-review doctor` runs."""

from __future__ import annotations

from pipeline.errors import TapeReviewError
from pipeline.settings import TapesSettings
from pipeline.tapes import home as homes
from pipeline.tapes.checks import jobs, records, storage
from pipeline.tapes.checks.installation import Finding


def check(settings: TapesSettings, now: int) -> list[Finding]:
    """Every check of the home that the settings name; without one, that there is none."""
    folder = homes.folder_of(settings)
    if not folder.exists():
        return [Finding("home", True, "none yet; `tape-review init` makes one")]
    try:
        home = homes.Home(folder, settings)
    except TapeReviewError as error:
        return [Finding("home", False, f"{error.code} {error.thing} {error.value}", error.remedy)]
    try:
        findings = [Finding("home", True, str(folder)), *records.check(home, now), *storage.check(home, now)]
        return findings + _jobs(home, now)
    finally:
        home.close()


def _jobs(home: homes.Home, now: int) -> list[Finding]:
    try:
        return list(jobs.check(home, now))
    except TapeReviewError as error:
        return [Finding("jobs", False, f"{error.code} {error.thing} {error.value}", error.remedy)]
