"""Do the records hold together? What a database's own rules do not say, looked up; nothing is changed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from sqlalchemy import exists, func, select, text
from sqlalchemy.orm import Session, aliased

from pipeline.errors import TapeReviewError
from pipeline.tapes.checks.installation import Finding
from pipeline.tapes.db.records import (
    CodeEvent,
    Consent,
    ConsentGroup,
    ConsentPerson,
    Group,
    Item,
    Job,
    Membership,
    Pass,
    Person,
    Pretag,
    Tape,
    Tombstone,
    Transcript,
    Utterance,
)
from pipeline.tapes.home import Home
from pipeline.tapes.jobs import job_state

_RESTORE = "restore the last backup"


def check(home: Home, now: int) -> list[Finding]:
    """Every check of the records; one that cannot be made is a finding too."""
    findings = [_database(home)]
    if not findings[0].fine:
        return findings
    with home.database.reading() as session:
        findings += [Finding.of(what, sorted(set(look(session, now))), remedy) for what, look, remedy in _LOOKS]
    return findings


def _database(home: Home) -> Finding:
    try:
        home.database.require_newest()
        with home.database.reading() as session:
            verdict = session.scalar(text("PRAGMA quick_check")) if home.database.is_sqlite else "ok"
        if verdict != "ok":
            return Finding("records", False, f"damaged: {verdict}", _RESTORE)
        if broken := home.database.broken_references():
            return Finding("records", False, f"{broken} rows refer to rows that are not there", _RESTORE)
        return Finding("records", True, f"{home.database.url.get_backend_name()}, version {home.database.version()}")
    except TapeReviewError as error:
        return Finding("records", False, f"{error.code} {error.thing} {error.value}", error.remedy)


def _people(session: Session, _: int) -> Iterator[str]:
    if not session.scalar(select(func.count()).where(Person.is_admin, Person.disabled_at.is_(None))):
        yield "nobody administers"


def _memberships(session: Session, now: int) -> Iterable[str]:
    earlier, later = aliased(Membership), aliased(Membership)
    return session.scalars(
        select(earlier.person_id).where(
            earlier.group_id == later.group_id,
            earlier.person_id == later.person_id,
            earlier.id < later.id,
            earlier.since < func.coalesce(later.until, now + 1),
            later.since < func.coalesce(earlier.until, now + 1),
        )
    )


def _consents(session: Session, _: int) -> Iterable[str]:
    lost_group = exists().where(ConsentGroup.consent_id == Consent.id, ConsentGroup.group_id.not_in(select(Group.id)))
    lost_person = exists().where(
        ConsentPerson.consent_id == Consent.id, ConsentPerson.person_id.not_in(select(Person.id))
    )
    named = session.execute(select(Consent.tape_id, Consent.uses, lost_group | lost_person).order_by(Consent.id))
    return [tape_id for tape_id, uses, names_nobody in named if names_nobody or not uses]


def _ended(session: Session, _: int) -> Iterable[str]:
    return session.scalars(
        select(Tape.id).where(Tape.id.in_(select(Tombstone.tape_id)), Tape.state != "destroyed").order_by(Tape.id)
    )


def _strangers(session: Session, _: int) -> Iterator[str]:
    """Rows of one tape that refer to another tape's."""
    for row, other, by in ((CodeEvent, Pass, CodeEvent.pass_id), (Transcript, Item, Transcript.item_id)):
        pairs = select(row.tape_id).join(other, other.id == by).where(other.tape_id != row.tape_id)
        yield from session.scalars(pairs.distinct())
    forms = select(Consent.tape_id).join(Item, Item.id == Consent.form_item_id).where(Item.tape_id != Consent.tape_id)
    yield from session.scalars(forms)


def _pretags(session: Session, _: int) -> Iterable[str]:
    known = select(Utterance.id).where(
        Utterance.tape_id == Pretag.tape_id, Utterance.utterance_id == Pretag.utterance_id
    )
    return session.scalars(select(Pretag.tape_id).where(~known.exists()).distinct())


def _jobs(session: Session, _: int) -> Iterable[str]:
    alive = select(Job.tape_id).join(Tape, Tape.id == Job.tape_id).where(Job.state.in_(job_state.LIVE))
    return session.scalars(alive.where(Tape.state.not_in(("queued", "running"))))


_LOOKS: tuple[tuple[str, Callable[[Session, int], Iterable[str]], str], ...] = (
    ("administrators", _people, "run `tape-review person add --admin`, or `person enable`"),
    ("one role per person in a group", _memberships, "run `tape-review group leave` and `group join` for them"),
    ("consents name who is there", _consents, "record the consent of these tapes again"),
    ("destroyed tapes stay destroyed", _ended, "run `tape-review destroy` on each of them"),
    ("rows keep to their tape", _strangers, _RESTORE),
    ("pre-tags have their utterance", _pretags, "run the job again with `tape-review submit`"),
    ("jobs fit their tapes", _jobs, "start a worker: it mends this"),
)
