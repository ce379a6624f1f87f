"""`tape-review submit`: hand in a tape."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pipeline.cli._shared.options import (
    As,
    Config,
    End,
    Home,
    Language,
    Profile,
    Roles,
    Speakers,
    Start,
    Terms,
    Transcript,
    Voice,
    clock,
    language_code,
    named_terms,
    named_transcript,
    required_target,
    voice_count,
)
from pipeline.cli._shared.options import roles as named_roles
from pipeline.cli._shared.recording_files import (
    Audio,
    Gap,
    Join,
    Names,
    Offset,
    Track,
    interviewer_channel,
    layout,
)

EXAMPLE = """\
# What the client allowed. Write it down as it was signed; the client is known by one made-up word only.
uses = ["group_review", "coach_check"]    # of: group_review, coach_check, adapt_tagger
groups = ["Thursday group"]               # who hears it: groups by name or id,
people = []                               # and single people by e-mail address or id
destroy_by = 2027-03-31                   # the last day on which the tape is kept
method = "the key is deleted, then every file and row"
signed_on = 2026-11-20
signed_form = "written"                   # or spoken_on_tape, electronic
pseudonym = "Robin"                       # never the client's name
# form = "form.pdf"                       # the scanned form, if there is one, beside this file
"""


def _example(wanted: bool) -> None:
    if wanted:
        typer.echo(EXAMPLE, nl=False)
        raise typer.Exit


def submit(
    consent: Annotated[Path, typer.Option(metavar="FILE", help="The file with what the client allowed.")],
    target_behavior: Annotated[
        str, typer.Option(metavar="TEXT", help="The change that the session is about, such as 'drinking less'.")
    ],
    group: Annotated[str, typer.Option(metavar="GROUP", help="The group that reviews the tape: name or id.")],
    interviewer: Annotated[
        str, typer.Option(metavar="PERSON", help="The interviewer on the tape: email address or id.")
    ],
    recordings: Audio = None,
    start: Start = None,
    end: End = None,
    speakers: Speakers = "2",
    voice: Voice = None,
    roles: Roles = None,
    transcript: Transcript = None,
    terms: Terms = None,
    names: Names = None,
    track: Track = None,
    offset: Offset = None,
    join: Join = False,
    gap: Gap = None,
    language: Language = None,
    watch: Annotated[bool, typer.Option("--watch", help="Show progress until the work is done.")] = False,
    example_consent: Annotated[
        bool,
        typer.Option(
            "--example-consent", callback=_example, is_eager=True, help="Print a consent file to start from, and exit."
        ),
    ] = False,
    by: As = None,
    home: Home = None,
    profile: Profile = None,
    config: Config = None,
) -> None:
    """Submit a recorded segment, or a transcript without sound, with the client's consent.

    A worker then transcribes and pre-codes it.
    """
    voices, target_behavior = voice_count(speakers), required_target(target_behavior)
    files = tuple(recordings or ())
    if not files and transcript is None:
        raise typer.BadParameter("name a recording, a --transcript, or both", param_hint="AUDIO")
    if not files and (start or end):
        raise typer.BadParameter("--start and --end need a recording", param_hint="AUDIO")

    file_layout = layout(len(files), track, join, gap, offset)
    channel = interviewer_channel(names, len(files), join, len(track or ()))
    if channel and voice:
        raise typer.BadParameter("goes without --voice", param_hint="--names")

    from pipeline.cli._shared.home_access import open_home, settings_with_home
    from pipeline.cli._shared.job_watching import follow_jobs, warn_without_worker
    from pipeline.tapes import people
    from pipeline.tapes.consent import consent_form
    from pipeline.tapes.intake import submission

    written, named, voice = named_transcript(transcript, named_roles(roles, voice), voice)
    granted = consent_form.read(consent)
    given = submission.Submission(
        recordings=files,
        terms=granted,
        target_behavior=target_behavior,
        group=group,
        interviewer=interviewer,
        start=clock(start),
        end=clock(end),
        speakers=voices,
        voice=channel or voice,
        roles=named,
        form=consent.parent / granted.form if granted.form else None,
        transcript=written,
        layout=file_layout,
        diarizer="channels" if channel else "auto",
        listen_for=named_terms(terms),
        language=language_code(language),
    )
    with open_home(home, config, profile) as tapes_home:
        with tapes_home.database.reading() as session:
            actor = people.actor(session, by) or people.find(session, interviewer).id
        tape_id = submission.submit(tapes_home, settings_with_home(profile, config, home), given, actor)
        typer.echo(f"Tape {tape_id} is queued")
        for note in written.notes if written else ():
            typer.echo(note, err=True)
        warn_without_worker(tapes_home)
        if watch:
            follow_jobs(tapes_home, tape_id)
