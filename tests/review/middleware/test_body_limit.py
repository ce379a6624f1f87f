"""Bodies: how much is read of them, and by when."""

from __future__ import annotations

import pytest
from starlette.formparsers import MultiPartParser

from pipeline.review.middleware import body_limit
from tests.review.conftest import Room


def test_a_form_stays_in_memory() -> None:
    assert MultiPartParser.spool_max_size > body_limit.LIMIT


@pytest.mark.parametrize("kind", ["application/x-www-form-urlencoded", "Application/X-WWW-Form-URLencoded"])
@pytest.mark.parametrize("by_header", [True, False])
def test_a_form_is_one_however_its_type_is_written(room: Room, kind: str, by_header: bool) -> None:
    browser = room.signed_in(room.person("Ada", room.group()))
    token = browser.token("/account")
    headers = {"content-type": kind} | ({"X-CSRF-Token": token} if by_header else {})
    content = f"current=wrong&password=x&again=x{'' if by_header else f'&csrf={token}'}"
    answer = browser.client.post("/account/password", content=content, headers=headers)
    assert (answer.status_code, "The current password is wrong." in answer.text) == (422, True)
