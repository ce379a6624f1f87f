"""Changes as a page sends them: only ids that it may generate, and no more than a page sends at once."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from pipeline.review.coding.change_requests import ChangeBatch, ChangeRequest

CODE = {"id": "a1", "kind": "code", "utterance_id": "u0001"}


def test_a_change_sets_codes_unless_it_says_otherwise() -> None:
    assert ChangeRequest.model_validate(CODE).action == "set"


@pytest.mark.parametrize(
    "wrong",
    [
        {"id": "a:1"},  # a colon parts the pass from the id where it is stored
        {"id": ""},
        {"kind": "role"},  # the page that swaps voices stores these, no page sends them
        {"audio_ms": -1},
        {"codes": ["question"] * 41},
        {"person_id": "somebody else"},
    ],
)
def test_a_change_that_no_page_sends_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        ChangeRequest.model_validate(CODE | wrong)


def test_a_page_sends_at_most_two_hundred_changes_at_once() -> None:
    assert len(ChangeBatch.model_validate({"changes": [CODE] * 200}).changes) == 200
    with pytest.raises(ValidationError):
        ChangeBatch.model_validate({"changes": [CODE] * 201})
