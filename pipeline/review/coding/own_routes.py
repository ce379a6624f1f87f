"""What belongs to one's own pass beside the coding page: global ratings, and files for other programs."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import Response
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException

from pipeline.review.access.viewer import SignedIn
from pipeline.review.coding import books, exports, passes, ratings, transcripts
from pipeline.review.coding.admission import admit, note, own_pass
from pipeline.review.pages import render, seeing

router = APIRouter(prefix="/tapes/{tape_id}/passes/{pass_id}")


@router.get("/ratings")
def form(request: Request, viewer: SignedIn, tape_id: str, pass_id: str) -> Response:
    """MITI's four global ratings."""
    with request.app.state.home.database.reading() as session:
        admitted = admit(request, session, viewer, tape_id, "show", "code")
        one = own_pass(admitted, pass_id)
        given, locked = ratings.given(admitted, one), one.locked_at is not None
    return render(
        request,
        "coding/ratings.html",
        place=f"/tapes/{tape_id}/passes/{pass_id}",
        ratings=ratings.RATINGS,
        given=given,
        locked=locked,
        means=ratings.means(given),
        scale=range(ratings.LOWEST, ratings.HIGHEST + 1),
    )


@router.post("/ratings")
async def rate(request: Request, viewer: SignedIn, tape_id: str, pass_id: str) -> Response:
    """Keep the ratings that were given; one may be left open."""
    sent = await request.form()
    answers = {}
    for one in ratings.RATINGS:
        value = sent.get(one.name)
        if value is not None:
            if value not in {str(number) for number in range(ratings.LOWEST, ratings.HIGHEST + 1)}:
                raise HTTPException(422, f"{one.label} is rated from {ratings.LOWEST} to {ratings.HIGHEST}.")
            answers[one.name] = int(str(value))
    return await run_in_threadpool(_rated, request, viewer, tape_id, pass_id, answers)


def _rated(request: Request, viewer: SignedIn, tape_id: str, pass_id: str, answers: dict[str, int]) -> Response:
    with request.app.state.home.database.writing() as session:
        admitted = admit(request, session, viewer, tape_id, "show", "code")
        one_pass = own_pass(admitted, pass_id)
        if one_pass.locked_at is not None:
            raise HTTPException(409, "This pass is locked: its ratings stay as they are.")
        ratings.give(admitted, one_pass, answers)
    return seeing(f"/tapes/{tape_id}/passes/{pass_id}/ratings", "saved")


@router.get("/codes.{kind}")
def codes(request: Request, viewer: SignedIn, tape_id: str, pass_id: str, kind: str) -> Response:
    """One's own codes as ``csv`` or ``vtt``; a copy that leaves the vault stands in the audit."""
    home = request.app.state.home
    with home.database.reading() as session:
        admitted = admit(request, session, viewer, tape_id, "show", "code")
        one = own_pass(admitted, pass_id)
        if kind not in ("csv", "vtt"):
            raise HTTPException(404)
        said, found = transcripts.shown(admitted), passes.folded(admitted, one)
        book = books.read(admitted, one.codebook)
    zero = admitted.tape.start_ms or 0
    text = exports.table(said, found, zero) if kind == "csv" else exports.captions(said, found, book, zero)
    note(request, viewer, tape_id, "codes.export", pass_id)
    headers = {"Content-Disposition": f'attachment; filename="codes.{kind}"'}
    return Response(text, headers=headers, media_type=f"text/{'csv' if kind == 'csv' else 'vtt'}; charset=utf-8")
