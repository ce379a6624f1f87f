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
    profile: Profile = None,
    config: Config = None,
) -> None:
    """Create a sample group with this tape, and print how to open the review room with it.

    An existing sample home is kept. Each run prints a new link. It asks before it downloads missing models.
    """
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
    address = settings.review.address or f"http://127.0.0.1:{settings.review.port}"
    typer.echo(f"A sample group and {MEMBER}'s tape are ready. Open the review room with\n")
    typer.echo(f"    {shlex.join([sys.argv[0], 'serve', '--home', str(home)])}\n")
    typer.echo(f"and come in on this computer as {MEMBER} by this link, which works once: {address}{link}")


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
