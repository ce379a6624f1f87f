"""`tape-review demo`: a sample group with a processed tape, to look around in."""

from __future__ import annotations

import shlex
import sys
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pipeline.cli._shared.options import Config, Profile

if TYPE_CHECKING:
    from pipeline.settings import Settings
    from pipeline.tapes.home import Home

MEMBER = "Ben"
TARGET = "drinking less alcohol"


def demo(
    recording: Annotated[
        Path | None,
        typer.Argument(
            metavar="AUDIO",
            help="A recording that anyone may hear, such as a role-play. Without one: the role-play that comes along.",
        ),
    ] = None,
    target_behavior: Annotated[
        str | None, typer.Option(metavar="TEXT", help="The change that the session is about, such as 'drinking less'.")
    ] = None,
    home: Annotated[Path, typer.Option(metavar="FOLDER", help="The folder for the sample home.")] = Path("demo-home"),
    year: Annotated[
        bool,
        typer.Option(
            "--year",
            help="Simulate a year of coding over the bundled role-plays instead: agreement, a coder who drifts, and a "
            "recalibration. Every page says that it is simulated. No model is needed.",
        ),
    ] = False,
    profile: Profile = None,
    config: Config = None,
) -> None:
    """Create a sample group with this tape, and print how to open the review room with it.

    An existing sample home is kept. Each run prints a new link. It asks before it downloads missing models.
    """
    if year:
        if recording is not None or target_behavior is not None:
            raise typer.BadParameter("--year takes no recording and no --target-behavior: it simulates role-plays")
        _year(home, profile, config)
        return
    if (recording is None) != (target_behavior is None):
        raise typer.BadParameter("give a recording and its --target-behavior, or neither for the bundled role-play")
    from pipeline.cli._shared.home_access import settings_with_home
    from pipeline.cli._shared.job_watching import follow_jobs
    from pipeline.cli.models import offer_missing
    from pipeline.review.auth.invitations import invite
    from pipeline.tapes import people, sample_group
    from pipeline.tapes.clock import now
    from pipeline.tapes.home import Home as Place
    from pipeline.tapes.home import folder_of
    from pipeline.tapes.jobs.worker import Worker

    settings = settings_with_home(profile, config, home)
    offer_missing(settings)
    fresh = not (folder_of(settings.tapes) / "keys" / "audit.key").exists()
    tapes_home = Place.create(settings.tapes) if fresh else Place.open(settings.tapes)
    try:
        if fresh:
            with tapes_home.database.writing() as session:
                sample_group.add_group(session, now())
        _hand_in(tapes_home, settings, recording or _role_play(), target_behavior or TARGET)
        with Worker(tapes_home, settings):
            follow_jobs(tapes_home, None)
        with tapes_home.database.writing() as session:
            link = invite(session, now(), "join", people.find(session, sample_group.address(MEMBER)).id)
    finally:
        tapes_home.close()
    address = _address(settings)
    typer.echo(f"A sample group and {MEMBER}'s tape are ready. Open the review room with\n")
    typer.echo(_serving(home))
    typer.echo(f"and come in on this computer as {MEMBER} by this link, which works once: {address}{link}")


def _year(home: Path, profile: Profile, config: Config) -> None:
    """Simulate a year in an empty home, unless it holds one already, and print how to come in.

    Raises
    ------
    TapesError: K11 the home holds people or tapes, or a simulation that was interrupted.
    """
    from pipeline.cli._shared.home_access import settings_with_home
    from pipeline.errors import TapesError
    from pipeline.review.auth.invitations import invite
    from pipeline.review.demo_year.year import CODERS, TAPES, make_year
    from pipeline.tapes import people, sample_group, simulated
    from pipeline.tapes.clock import now
    from pipeline.tapes.home import Home as Place
    from pipeline.tapes.home import folder_of

    settings = settings_with_home(profile, config, home)
    fresh = not (folder_of(settings.tapes) / "keys" / "audit.key").exists()
    tapes_home = Place.create(settings.tapes) if fresh else Place.open(settings.tapes)
    try:
        with tapes_home.database.reading() as session:
            begun, whole = simulated.is_simulated(session), simulated.is_finished(session)
        if begun and not whole:
            remedy = "remove this folder, and run the command again"
            raise TapesError("K11", f"home {tapes_home.folder}", "holds a simulation that was interrupted", remedy)
        if not begun:
            make_year(tapes_home, settings, now(), progress=lambda number: _count(number, TAPES))
        coder = CODERS[0].name
        with tapes_home.database.writing() as session:
            links = {
                name: invite(session, now(), "join", people.find(session, sample_group.address(name)).id)
                for name in (sample_group.COACH, coder)
            }
    finally:
        tapes_home.close()
    address = _address(settings)
    typer.echo(f"{simulated.BANNER}\n")
    typer.echo("A year of a sample group is ready. Open the review room with\n")
    typer.echo(_serving(home))
    typer.echo("and come in on this computer by one of these links, each of which works once:\n")
    typer.echo(f"    {sample_group.COACH}, the coach (see Coach visit): {address}{links[sample_group.COACH]}")
    typer.echo(f"    {coder}, a coder: {address}{links[coder]}")


def _count(number: int, total: int) -> None:
    """Show on a terminal how far the year is."""
    if sys.stderr.isatty():
        typer.echo(f"\rSimulating tape {number} of {total}", err=True, nl=number == total)


def _address(settings: Settings) -> str:
    return settings.review.address or f"http://127.0.0.1:{settings.review.port}"


def _serving(home: Path) -> str:
    return f"    {shlex.join([sys.argv[0], 'serve', '--home', str(home)])}\n"


def _role_play() -> Path:
    """Return the role-play that comes along: of an installed wheel, or of a checkout."""
    from pipeline.settings import project_folder

    packed = project_folder("recordings")
    folder = packed if packed.is_dir() else packed.parent / "tests" / "recordings"
    return folder / "roleplay-alcohol.ogg"


def _hand_in(home: Home, settings: Settings, recording: Path, target_behavior: str) -> None:
    """Hand the tape in, unless there is one."""
    from sqlalchemy import select

    from pipeline.tapes import sample_group
    from pipeline.tapes.clock import now, today
    from pipeline.tapes.consent import consent_form
    from pipeline.tapes.db.records import Tape
    from pipeline.tapes.intake import submission

    with home.database.reading() as session:
        if session.scalar(select(Tape.id).limit(1)):
            return
    day = today(now())
    given = consent_form.check(
        {
            "uses": ["group_review", "coach_check"],
            "groups": [sample_group.GROUP],
            "destroy_by": str(day + timedelta(days=30)),
            "method": "the tape's key is destroyed, then its files and records",
            "signed_on": str(day),
            "signed_form": "electronic",
            "pseudonym": "Robin",
        }
    )
    submission.submit(
        home,
        settings,
        submission.Submission(
            recordings=(recording,),
            terms=given,
            target_behavior=target_behavior,
            group=sample_group.GROUP,
            interviewer=sample_group.address(MEMBER),
        ),
    )
