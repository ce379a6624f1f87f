"""The certificates of one's destroyed tapes, to print or to save: the interviewer owes them to the client.

A certificate names no client. Its day of submission and of destruction tell the interviewer which tape it was.
"""

from __future__ import annotations

import json
from dataclasses import dataclass

from fastapi import APIRouter, Request
from fastapi.responses import Response
from sqlalchemy import exists, select
from sqlalchemy.orm import Session
from starlette.exceptions import HTTPException

from pipeline.review.auth.current_user import SignedIn
from pipeline.review.context import context_of
from pipeline.review.form_fields import Id
from pipeline.review.templating import render
from pipeline.tapes.db.records import Certificate
from pipeline.tapes.retention.certificates import Signed

router = APIRouter()

REASONS = {
    "due": "the last day of the client's permission was over",
    "withdrawn": "the client withdrew the permission",
    "by hand": "the interviewer or the host destroyed it",
    "never consented": "it was never submitted",
    "restored": "a backup had brought it back",
}
"""Why a tape was destroyed, in words."""


@dataclass(frozen=True)
class DestroyedTape:
    """A destroyed tape, as its interviewer sees it: times in ms, how many files and records it had."""

    certificate_id: str
    submitted: int | None  # None: destroyed before certificates said so
    ended: int
    reason: str
    files: int
    signed: bool

    @classmethod
    def of(cls, row: Certificate) -> DestroyedTape:
        """Read a certificate; one without a signature is of a destruction that is still going on."""
        facts = json.loads(row.body)
        why = REASONS.get(facts["why"], facts["why"])
        return cls(row.id, facts.get("submitted"), row.at, why, len(facts.get("files", ())), bool(row.signature))


def has_any(database: Session, person_id: str) -> bool:
    """Whether a tape of this person was destroyed."""
    return bool(database.scalar(select(exists().where(Certificate.interviewer_id == person_id))))


@router.get("/destroyed")
def listing(request: Request, viewer: SignedIn) -> Response:
    """Show the viewer's destroyed tapes, the last one first."""
    with context_of(request).home.database.reading() as database:
        rows = database.scalars(
            select(Certificate).where(Certificate.interviewer_id == viewer.person_id).order_by(Certificate.at.desc())
        )
        tapes = [DestroyedTape.of(row) for row in rows]
    return render(request, "tapes/destroyed.html", tapes=tapes)


@router.get("/destroyed/{certificate_id}")
def page(request: Request, viewer: SignedIn, certificate_id: Id) -> Response:
    """Show one certificate, to read and to print."""
    row = _signed_row(request, viewer.person_id, certificate_id)
    facts = json.loads(row.body)
    return render(
        request,
        "tapes/certificate.html",
        tape=DestroyedTape.of(row),
        facts=facts,
        records=sum(facts.get("records", {}).values()),
    )


@router.get("/destroyed/{certificate_id}/file")
def file(request: Request, viewer: SignedIn, certificate_id: Id) -> Response:
    """Return the signed file, which `tape-review verify-certificate` checks anywhere."""
    row = _signed_row(request, viewer.person_id, certificate_id)
    named = {"Content-Disposition": f'attachment; filename="certificate-of-destruction-{row.tape_id}.json"'}
    return Response(Signed(row.body, row.signature).file(), media_type="application/json", headers=named)


def _signed_row(request: Request, person_id: str, certificate_id: str) -> Certificate:
    """The signed certificate of a tape of this person; to everybody else, and before its end, there is none."""
    with context_of(request).home.database.reading() as database:
        row = database.get(Certificate, certificate_id)
        if row is None or row.interviewer_id != person_id or not row.signature:
            raise HTTPException(404)
        database.expunge(row)
        return row
