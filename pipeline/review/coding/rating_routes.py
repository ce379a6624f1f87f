"""The page for MITI's global ratings of a pass."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import Response
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException

from pipeline.measures.session import miti
from pipeline.review.auth.current_user import SignedIn
from pipeline.review.authorization import admit, own_pass
from pipeline.review.coding import codebooks, global_ratings, miti_summary
from pipeline.review.context import context_of
from pipeline.review.tapes import stored_measures
from pipeline.review.templating import render, seeing

router = APIRouter(prefix="/tapes/{tape_id}/passes/{pass_id}")


@router.get("/ratings")
def ratings_form(request: Request, viewer: SignedIn, tape_id: str, pass_id: str) -> Response:
    """MITI's four global ratings."""
    with context_of(request).home.database.reading() as session:
        admitted = admit(request, session, viewer, tape_id, "show", "code")
        coding_pass = own_pass(admitted, pass_id)
        ratings, locked = global_ratings.pass_ratings(admitted, coding_pass), coding_pass.locked_at is not None
        book = codebooks.read(admitted, coding_pass.codebook)
        no_sound = stored_measures.FROM_TEXT if admitted.tape.from_text else ""
    return render(
        request,
        "coding/ratings.html",
        place=f"/tapes/{tape_id}/passes/{pass_id}",
        ratings=global_ratings.RATINGS,
        given=ratings,
        locked=locked,
        scores=[
            (stored_measures.of(score), miti_summary.threshold_text(score)) for score in miti.global_scores(ratings)
        ]
        if ratings
        else [],
        opinion=miti_summary.OPINION,
        book=book,
        no_sound=no_sound,
        scale=global_ratings.SCALE,
    )


@router.post("/ratings")
async def give_ratings(request: Request, viewer: SignedIn, tape_id: str, pass_id: str) -> Response:
    """Keep the ratings that were given; one may be left open."""
    answers = global_ratings.parse_ratings(await request.form())
    return await run_in_threadpool(_store_ratings, request, viewer, tape_id, pass_id, answers)


def _store_ratings(request: Request, viewer: SignedIn, tape_id: str, pass_id: str, answers: dict[str, int]) -> Response:
    with context_of(request).home.database.writing() as session:
        admitted = admit(request, session, viewer, tape_id, "show", "code")
        coding_pass = own_pass(admitted, pass_id)
        if coding_pass.locked_at is not None:
            raise HTTPException(409, "This pass is locked. Its ratings cannot change.")
        global_ratings.store_pass_ratings(admitted, coding_pass, answers)
    return seeing(f"/tapes/{tape_id}/passes/{pass_id}/ratings", "saved")
