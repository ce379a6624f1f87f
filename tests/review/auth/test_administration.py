"""The page of people, for administrators."""

from __future__ import annotations

from tests.review.conftest import Room


def test_only_administrators_see_the_people_page(room: Room) -> None:
    member = room.signed_in(room.person("Ben", room.group()))
    assert member.get("/people").status_code == 404
    for path in ("/people", "/groups", f"/people/{'0' * 16}/link", f"/people/{'0' * 16}/disable"):
        assert member.post(path, {"name": "x", "email": "y", "group_id": "0" * 16, "role": "coach"}).status_code == 404
