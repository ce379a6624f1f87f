"""The page on which names are reviewed and masked."""

from __future__ import annotations

import secrets
from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import Response
from starlette.exceptions import HTTPException

from pipeline.review.auth.current_user import SignedIn
from pipeline.review.authorization import admit, note
from pipeline.review.coding import correction_store, name_detection, transcripts
from pipeline.review.coding.change_requests import ChangeRequest
from pipeline.review.context import context_of
from pipeline.review.tapes.stored_measures import FROM_TEXT
from pipeline.review.templating import render, seeing

router = APIRouter(prefix="/tapes/{tape_id}/names")


@router.get("")
def names_page(request: Request, viewer: SignedIn, tape_id: str) -> Response:
    """The page with the detected and masked names."""
    with context_of(request).home.database.reading() as session:
        admitted = admit(request, session, viewer, tape_id, "show", "code")
        utterances, sees_names = transcripts.visible_transcript(admitted), admitted.is_interviewer
        from_text = admitted.tape.from_text
    note(request, viewer, tape_id, "tape.show", "names")
    names = name_detection.detect_names(utterances, context_of(request).settings)
    no_sound = FROM_TEXT if from_text else ""
    return render(request, "coding/names.html", tape_id=tape_id, mentions=names, sees=sees_names, no_sound=no_sound)


@router.post("")
def mask_name(
    request: Request,
    viewer: SignedIn,
    tape_id: str,
    word: Annotated[list[str], Form(max_length=200)],
    on: Annotated[str, Form(pattern="^[01]$")],
) -> Response:
    """Mask a name, or (the interviewer) show it again."""
    with context_of(request).home.database.writing() as session:
        admitted = admit(request, session, viewer, tape_id, "show", "code")
        utterance_of_word = {
            name_word.id: utterance.id
            for utterance in transcripts.visible_transcript(admitted)
            for name_word in utterance.words
        }
        if not set(word) <= set(utterance_of_word):
            raise HTTPException(404)
        change = ChangeRequest(
            id=secrets.token_hex(16),
            kind="mask",
            utterance_id=utterance_of_word[word[0]],
            payload={"words": word, "on": on == "1"},
        )
        refused = correction_store.store_corrections(admitted, [change])
        if refused:
            raise HTTPException(422, f"{refused[0]['reason'].capitalize()}.")
    return seeing(f"/tapes/{tape_id}/names", "saved")
