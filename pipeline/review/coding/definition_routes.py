"""A codebook's definitions as a sheet to print."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import Response
from starlette.exceptions import HTTPException

from pipeline.coding.codebook import Codebook
from pipeline.formats import codebook_files
from pipeline.review.auth.current_user import SignedIn
from pipeline.review.authorization import admit
from pipeline.review.coding import codebooks, passes
from pipeline.review.context import context_of
from pipeline.review.form_fields import CodebookQuery
from pipeline.review.templating import render

router = APIRouter()


@router.get("/codebooks/{codebook_name}")
def shipped_sheet(request: Request, _: SignedIn, codebook_name: str) -> Response:
    """The sheet of a codebook that comes with the project."""
    if codebook_name not in codebook_files.shipped():
        raise HTTPException(404)
    return _sheet(request, codebook_files.read(codebook_name))


@router.get("/tapes/{tape_id}/definitions")
def sheet(request: Request, viewer: SignedIn, tape_id: str, codebook: CodebookQuery = "") -> Response:
    """The sheet of a codebook that the viewer can choose for this tape, or uses in an own pass."""
    with context_of(request).home.database.reading() as session:
        admitted = admit(request, session, viewer, tape_id, "show", "code")
        in_own_passes = {coding_pass.codebook for coding_pass in passes.own_passes(admitted)}
        if codebook not in in_own_passes and codebook not in codebooks.codebook_labels(admitted):
            raise HTTPException(404)
        book = codebooks.read(admitted, codebook)
    return _sheet(request, book)


def _sheet(request: Request, book: Codebook) -> Response:
    return render(request, "coding/definitions.html", book=book, defined=any(code.definition for code in book.codes))
