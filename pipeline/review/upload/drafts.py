"""A tape before its job: the client's consent and the target behavior first, then the recording, then the part of it.

Nothing of a recording is taken before its consent is written down.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Form, Query, Request
from fastapi.responses import JSONResponse, Response
from sqlalchemy.orm import Session
from starlette.exceptions import HTTPException

from pipeline import languages
from pipeline.audio import sniff
from pipeline.errors import AudioError, ConsentError, ReviewError, SettingsError
from pipeline.formats import registry
from pipeline.review import authorization, errors
from pipeline.review.auth.current_user import SignedIn, Viewer
from pipeline.review.context import context_of
from pipeline.review.form_fields import FormId, Id, LineOfText, OptionalLineOfText, OptionalText
from pipeline.review.tapes import titles
from pipeline.review.templating import render, seeing
from pipeline.review.upload import (
    chunked_uploads,
    permission_form,
    queueing,
    quotas,
    source_sound,
    suggested_parts,
    transcripts,
)
from pipeline.review.upload.permission_form import Allowed
from pipeline.settings import MOST_TERMS, listed_terms
from pipeline.tapes import audit_log, group_terms, people
from pipeline.tapes.clock import today
from pipeline.tapes.db.records import Group, Person, Tape, new_id
from pipeline.tapes.intake import submission
from pipeline.tapes.intake.submission import Submission
from pipeline.tapes.jobs.steps import JobOptions
from pipeline.timeline import typed

router = APIRouter()

Time = Annotated[str, Query(max_length=12)]
"""Minutes and seconds, as the fields for the part take them."""

KEPT_DAYS = 90
"""How long a tape is kept where the form is not changed."""


@router.get("/tapes/new")
def page(request: Request, viewer: SignedIn) -> Response:
    """The form for consent and target behavior."""
    return _page(request, viewer, {})


@router.post("/tapes")
def begin(
    request: Request, viewer: SignedIn, group_id: FormId, typed: Allowed, target_behavior: OptionalLineOfText = ""
) -> Response:
    """Write down the consent and the target behavior; the recording comes next."""
    typed = typed | {"group_id": group_id, "target_behavior": target_behavior}
    home, now = context_of(request).home, context_of(request).clock()
    try:
        tape_id = _begun(home, viewer, typed, now, context_of(request).settings.review.drafts_limit)
    except (ConsentError, ReviewError) as error:
        status = 409 if error.code == "TR-R08" else 422
        return _page(request, viewer, typed, permission_form.error_message(error), error.code, status)
    return seeing(f"/tapes/{tape_id}/recording")


def _begun(home: Any, viewer: Viewer, typed: dict[str, Any], now: int, most: int) -> str:
    if not typed["target_behavior"]:
        remedy = "change talk cannot be coded without a target behavior"
        raise ReviewError("R03", "form", "name the target behavior", remedy)
    people_named = permission_form.named(typed["people_named"])
    consented = permission_form.given(typed, people_named, now)
    tape_id = new_id()
    home.vault.create_key(tape_id)
    try:
        with home.database.writing() as database:
            quotas.require_draft(database, viewer.person_id, most)
            mine = groups(database, viewer, now)
            if typed["group_id"] not in mine or not set(typed["group_ids"]) <= set(mine):
                raise HTTPException(404)
            if typed["group_id"] not in consented.groups and not people_named:
                value = "the group that reviews the tape is not among the groups that may hear it"
                remedy = "check it under 'Who may hear it', or choose another group"
                raise ConsentError("D11", "consent form", value, remedy)
            permission_form.require_accounts(database, people_named)
            submitted = Submission(
                recordings=(),
                terms=consented,
                target_behavior=typed["target_behavior"],
                group=typed["group_id"],
                interviewer=viewer.person_id,
            )
            submission.begin(database, home, tape_id, submitted, now, viewer.person_id)
            audit_log.record(database, now, viewer.person_id, "tape.draft", tape_id)
    except BaseException:
        home.vault.destroy_key(tape_id)
        raise
    return tape_id


@router.get("/tapes/{tape_id}/recording")
def recording_page(request: Request, viewer: SignedIn, tape_id: Id) -> Response:
    """The page that sends the recording."""
    with context_of(request).home.database.reading() as database:
        draft(database, viewer, tape_id, context_of(request).clock())
    home = context_of(request).home
    if chunked_uploads.recordings(home, tape_id):
        return seeing(f"/tapes/{tape_id}/{'part' if chunked_uploads.survey(home, tape_id) else 'files'}")
    return recording(request, viewer, tape_id)


@router.post("/tapes/{tape_id}/recording/discard")
def discard(request: Request, viewer: SignedIn, tape_id: Id) -> Response:
    """Take the recording back, to send another."""
    home = context_of(request).home
    with home.database.reading() as database:
        draft(database, viewer, tape_id, context_of(request).clock())
    chunked_uploads.discard(home, tape_id)
    return seeing(f"/tapes/{tape_id}/recording")


@router.get("/tapes/{tape_id}/part")
def part_page(request: Request, viewer: SignedIn, tape_id: Id, start: Time = "", end: Time = "") -> Response:
    """The page that chooses the part of the recording; with two times, as if somebody had typed them."""
    home = context_of(request).home
    with home.database.reading() as database:
        tape = draft(database, viewer, tape_id, context_of(request).clock())
    return _part(request, tape, {"start": start, "end": end} if start and end else {})


@router.get("/tapes/{tape_id}/part/peaks")
def part_peaks(request: Request, viewer: SignedIn, tape_id: Id) -> Response:
    """Return the peaks that the waveform shows, and the pauses that its handles snap to."""
    home = context_of(request).home
    with home.database.reading() as database:
        draft(database, viewer, tape_id, context_of(request).clock())
    seen = chunked_uploads.survey(home, tape_id)
    if seen is None:
        raise HTTPException(404)
    whole = seen.duration is not None
    return JSONResponse({"duration": seen.shown, "whole": whole, "peaks": seen.peaks, "pauses": seen.pauses})


@router.api_route("/tapes/{tape_id}/part/sound", methods=["GET", "HEAD"])
def part_sound(request: Request, viewer: SignedIn, tape_id: Id) -> Response:
    """The recording as it was sent, piece by piece, to hear where the part should begin and end."""
    home, now = context_of(request).home, context_of(request).clock()
    with home.database.reading() as database:
        draft(database, viewer, tape_id, now)
        authorization.own_tape(database, viewer, tape_id, "play", now)
    sound, seen = chunked_uploads.sound(home, tape_id), chunked_uploads.survey(home, tape_id)
    if sound is None or seen is None:
        raise HTTPException(404)
    answer = source_sound.answer(request, sound, seen.shown)
    with home.database.writing() as database:
        audit_log.record(database, now, viewer.person_id, "tape.play", tape_id, "recording")
    return answer


@router.post("/tapes/{tape_id}/part")
def choose(
    request: Request,
    viewer: SignedIn,
    tape_id: Id,
    start: LineOfText,
    end: LineOfText,
    speakers: Annotated[int, Form(ge=0, le=6)] = 2,
    terms: OptionalText = "",
    language: Annotated[str, Form(max_length=40)] = languages.AUTO,
) -> Response:
    """Take the part, and queue the job."""
    room = context_of(request)
    spoken = languages.AUTO if language == languages.AUTO else languages.code(language)
    now = room.clock()
    with room.home.database.reading() as database:
        tape = draft(database, viewer, tape_id, now)
        group = database.get_one(Group, tape.group_id)
    seen = chunked_uploads.survey(room.home, tape_id)
    if seen is None:
        raise HTTPException(404)
    first, last = typed(start), typed(end)
    limit = suggested_parts.longest_part(room.settings.audio)
    error = ""
    if first is None or last is None:
        error = "Write times as minutes and seconds, for example 2:30."
    elif last - first < 1000:
        error = "The part ends before it begins."
    elif last - first > limit + 1000:
        error = f"The part is longer than {limit // 60_000} minutes."
    elif seen.duration is not None and last > seen.duration + 1000:
        error = "The recording ends before the part does."
    elif spoken is None:
        error = "Choose a language from the list."
    listen_for: tuple[str, ...] = ()
    try:
        listen_for = group_terms.joined(room.home.vault, group, listed_terms(terms), room.settings)
    except SettingsError:
        others = len(group_terms.read(room.home.vault, group)) + len(room.settings.transcription.terms)
        with_others = f" with the {others} that are listened for on every tape" if others else ""
        error = f"List at most {MOST_TERMS} names and terms{with_others}, each of at most 60 characters."
    if error or first is None or last is None:
        given = {"start": start, "end": end, "speakers": speakers, "terms": terms, "language": spoken}
        return _part(request, tape, given, error)
    job_options = JobOptions(
        source=seen.sha256,
        start=first,
        end=last,
        speakers=speakers or None,
        interviewer=seen.voice,
        diarizer="channels" if seen.voice else "auto",
        layout=seen.layout,
        order=seen.order,
        terms=listen_for,
        language=spoken,
    )
    queueing.queue(room.home, tape_id, viewer.person_id, job_options, now)
    return seeing(f"/tapes/{tape_id}")


def recording(
    request: Request, viewer: Viewer, tape_id: str, refused: AudioError | ReviewError | None = None, file: int = 1
) -> Response:
    """The page that sends a file of the recording, and says why the last one was refused."""
    room = context_of(request)
    with room.home.database.reading() as database:
        tape = draft(database, viewer, tape_id, room.clock())
        name = titles.title(database, tape)
    given = errors.member_text(refused) if refused else None
    return render(
        request,
        "upload/recording.html" if file == 1 else "upload/another.html",
        given.status if given else 200,
        tape=tape,
        title=name,
        limit=room.settings.review.upload_limit_mb,
        file=file,
        here=chunked_uploads.offset(room.home, tape_id, file),
        whole=chunked_uploads.survey(room.home, tape_id) is not None,
        scanned=chunked_uploads.has_scan(room.home, tape_id),
        written=transcripts.stored(room.home, tape_id) is not None,
        transcript_limit=transcripts.MOST_MB,
        kinds=",".join(sorted(registry.ENDINGS)),
        sounds=sniff.picker(),
        containers=sniff.names(),
        error=given.words if given else "",
        code=refused.code if refused else "",
    )


def draft(database: Session, viewer: Viewer, tape_id: str, now: int) -> Tape:
    """A tape of the viewer's that is still being handed in; else 404."""
    return authorization.in_state(authorization.own_tape(database, viewer, tape_id, "store", now), "draft")


def groups(database: Session, viewer: Viewer, now: int) -> dict[str, Group]:
    """The groups that the viewer may bring a tape to."""
    person = database.get_one(Person, viewer.person_id)
    return {group.id: group for group, role in people.groups_of(database, person, now) if role != "coach"}


def _page(
    request: Request, viewer: Viewer, typed: dict[str, Any], error: str = "", code: str = "", status: int = 200
) -> Response:
    room = context_of(request)
    now = room.clock()
    with room.home.database.reading() as database:
        mine = groups(database, viewer, now)
    first = next(iter(mine), "")
    filled = {
        "group_id": first,
        "target_behavior": "",
        "pseudonym": "",
        "destroy_by": str(today(now) + timedelta(days=KEPT_DAYS)),
        "signed_on": str(today(now)),
        "signed_form": "written",
        "method": "key",
        "method_told": "",
        "people_named": "",
        "uses": ["group_review"],
        "group_ids": [first],
    } | typed
    return render(
        request,
        "upload/consent.html",
        status,
        groups=mine,
        typed=filled,
        methods=permission_form.METHODS,
        limit=room.settings.review.upload_limit_mb,
        sounds=sniff.picker(),
        error=error,
        code=code,
    )


def _part(request: Request, tape: Tape, typed: dict[str, Any], error: str = "") -> Response:
    room = context_of(request)
    seen = chunked_uploads.survey(room.home, tape.id)
    if seen is None:
        return seeing(f"/tapes/{tape.id}/recording")  # which knows what is missing
    limit = suggested_parts.longest_part(room.settings.audio)
    last = min(limit, seen.shown)
    filled = {"start": "0:00", "end": f"{last // 60_000}:{last // 1000 % 60:02d}", "speakers": 2, "terms": ""}
    filled |= {"language": room.settings.transcription.language} | typed
    files = len(chunked_uploads.recordings(room.home, tape.id))
    with room.home.database.reading() as database:
        of_group = group_terms.read(room.home.vault, database.get_one(Group, tape.group_id))
    names = sorted(languages.NAMES.items(), key=lambda entry: entry[1])
    notes = [errors.without_options(note) for note in seen.notes]
    context = {"seen": seen, "notes": notes, "files": files, "limit": limit, "typed": filled, "languages": names}
    context |= {"of_group": of_group, "suggestion": suggested_parts.shown(room.home, tape.id, seen, limit)}
    return tape_form(request, "upload/part.html", tape, error, **context)


def tape_form(request: Request, template: str, tape: Tape, error: str, **context: Any) -> Response:
    """The page of a form on a tape, under the tape's title: 422 with what is wrong in it, 200 where nothing is."""
    with context_of(request).home.database.reading() as database:
        title = titles.title(database, tape)
    return render(request, template, 422 if error else 200, tape=tape, title=title, error=error, **context)
