"""The part of the transcript, as shown, that a split, a merge or a swap of the speakers changes.

A page sends it with the change. `frontend/src/base.js` derives it in the same way; a test holds the two together.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import Any

from pipeline.review.coding.change_requests import TranscriptBase
from pipeline.review.coding.corrections import CorrectedUtterance


def base_of(
    shown: Sequence[CorrectedUtterance], kind: str, utterance_id: str, payload: Mapping[str, Any]
) -> TranscriptBase:
    """Return what a split, a merge or a swap rests on in the transcript as shown; empty without its utterance."""
    index = next((index for index, utterance in enumerate(shown) if utterance.id == utterance_id), None)
    if index is None:
        return TranscriptBase(words=(), roles=())
    alone = kind != "speaker" or payload.get("only")
    swapped = () if kind != "speaker" else shown[index : index + 1] if alone else shown[index:]
    whole = shown[max(0, index - 1) if kind == "merge" else index : index + 1] if alone else ()
    runs = groupby(swapped, lambda utterance: utterance.role)
    return TranscriptBase(
        words=tuple(tuple(word.id for word in utterance.words) for utterance in whole),
        roles=tuple((next(utterances).id, role) for role, utterances in runs),
    )
