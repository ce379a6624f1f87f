"""A visitor uses the room as a browser does: with a form's token, and what is refused is an error."""

from __future__ import annotations

import httpx
import pytest

from pipeline.review.demo_year.visitor import DirectRoom
from tests.review.conftest import Room, created


def test_a_visitor_sends_forms_and_is_refused_like_anybody(room: Room) -> None:
    group = room.group()
    ada = room.person("Ada", group)
    with DirectRoom(created(room.home, room.clock, address="http://127.0.0.1"), room.clock) as rooms:
        visitor = rooms.visit(ada)
        path = visitor.post("/practice/role-plays/roleplay-swapped", codebook="pretags")
        visitor.code(path, {"u0001": ("neutral",)})
        with pytest.raises(httpx.HTTPStatusError, match="409"):
            visitor.code(path, {"u0001": ("change",)})
        with pytest.raises(httpx.HTTPStatusError, match="404"):
            visitor.post(f"/groups/{group}/recalibrated", person_id=ada)
