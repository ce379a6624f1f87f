"""The terms of a consent: read from what the interviewer writes down, checked, recorded, withdrawn.

A consent file is TOML::

    uses = ["group_review", "coach_check"]    # of: group_review, coach_check, adapt_tagger
    groups = ["Thursday group"]               # who hears it: groups by name or id,
    people = ["ada@example.org"]              # and single people by e-mail address or id
    destroy_by = 2027-03-31                   # the last day on which the tape is kept
    method = "the key is deleted, then every file and row"
    signed_on = 2026-11-20
    signed_form = "written"                   # or spoken_on_tape, electronic
    pseudonym = "Robin"                       # one word; never the client's name
    form = "form.pdf"                         # the scanned form, if there is one, beside this file
"""

from __future__ import annotations

import tomllib
from datetime import date
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from sqlalchemy import select
from sqlalchemy.orm import Session

from pipeline.errors import ConsentError
from pipeline.tapes import audit_log, people
from pipeline.tapes.clock import at_end_of, latest_day, today
from pipeline.tapes.db.records import Consent, ConsentUse, Signature, Tape

_REMEDY = "fix it and try again"


class Terms(BaseModel):
    """The client's permission in the terms of the consent file."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    uses: Annotated[tuple[ConsentUse, ...], Field(min_length=1)]
    groups: tuple[str, ...] = ()
    people: tuple[str, ...] = ()
    destroy_by: date
    method: Annotated[str, Field(min_length=1, max_length=500)]
    signed_on: date
    signed_form: Signature
    pseudonym: Annotated[str, Field(pattern=r"^[^\W_][\w-]{0,29}$")]
    form: str | None = None


def read(path: Path) -> Terms:
    """The terms in a consent file.

    Raises
    ------
    ConsentError: D10 it cannot be read, D11 a value is missing or wrong.
    """
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError) as error:
        raise ConsentError("D10", f"consent {path.name}", f"cannot be read ({error})", _REMEDY) from error
    return check(values, path.name)


def check(values: dict[str, object], name: str = "form") -> Terms:
    """The terms in values that a file or a page holds.

    Raises
    ------
    ConsentError: D11.
    """
    try:
        return Terms.model_validate(values)
    except ValidationError as error:
        first = error.errors()[0]
        key = str(first["loc"][0]) if first["loc"] else "it"
        value = f"lacks {key!r}" if first["type"] == "missing" else f"has a wrong {key!r} ({first['msg']})"
        remedy = "use one word for the client, not a name" if key == "pseudonym" else _REMEDY
        raise ConsentError("D11", f"consent {name}", value, remedy) from error


def give(
    session: Session, tape: Tape, terms: Terms, now: int, actor_id: str | None, form_item_id: str | None = None
) -> Consent:
    """Record a consent; it holds from now on, in place of an earlier one.

    Raises
    ------
    ConsentError: D01, D04 the tape is destroyed, or its client withdrew: nothing takes that back; D11 a date is not
        where it must be, or nobody is named.
    TapesError: K07 a group or person is unknown.
    """
    ended = session.execute(select(Tape.state, Tape.withdrawn_at).where(Tape.id == tape.id)).one_or_none()
    if ended is not None and ended.withdrawn_at is not None:
        remedy = "submit the recording as a new tape, if the client wants that"
        raise ConsentError("D04", f"tape {tape.id}", "must not be used: the client withdrew the consent", remedy)
    if ended is None or ended.state == "destroyed":
        raise ConsentError("D01", f"tape {tape.id}", "is destroyed", "nothing can be done with it anymore")
    for wrong, value in (
        (terms.destroy_by < today(now), f"ends on {terms.destroy_by}, which is in the past"),
        (terms.signed_on > latest_day(now), f"is signed on {terms.signed_on}, which is in the future"),
        (not terms.groups and not terms.people, "names neither groups nor people"),
    ):
        if wrong:
            raise ConsentError("D11", f"consent for tape {tape.id}", value, _REMEDY)
    consent = Consent(
        tape_id=tape.id,
        uses=list(dict.fromkeys(terms.uses)),
        group_ids=[people.find_group(session, name).id for name in terms.groups],
        person_ids=[people.find(session, name).id for name in terms.people],
        destroy_by=at_end_of(terms.destroy_by),
        method=terms.method,
        signed_at=at_end_of(terms.signed_on),
        signed_form=terms.signed_form,
        form_item_id=form_item_id,
        pseudonym=terms.pseudonym,
        given_at=now,
    )
    session.add(consent)
    audit_log.record(session, now, actor_id, "consent.give", tape.id, thing=consent.id, why=" ".join(consent.uses))
    return consent


def latest(session: Session, tape_id: str) -> Consent | None:
    """The consent that holds for a tape, be it live, withdrawn or ended."""
    newest = select(Consent).where(Consent.tape_id == tape_id).order_by(Consent.number.desc())
    return session.scalars(newest.limit(1)).one_or_none()


def withdraw(session: Session, tape: Tape, now: int, actor_id: str | None, why: str = "client") -> bool:
    """End every consent of a tape at once and for good; False if that was done before."""
    row = session.get_one(Tape, tape.id)
    if row.withdrawn_at is not None:
        return False
    row.withdrawn_at = now
    audit_log.record(session, now, actor_id, "consent.withdraw", tape.id, why=why)
    return True
