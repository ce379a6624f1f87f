"""The overview of all groups: groups, no person and no tape."""

from __future__ import annotations

from pipeline.tapes.clock import DAY
from tests.review.coach.year import Year


def test_the_program_shows_groups_and_folds_small_ones(group: Year) -> None:
    room = group.room
    admin = room.signed_in(room.person("Root", is_admin=True))
    room.person("Tim", room.group("Two by two"))
    page = admin.get("/program").text
    assert "Tuesday peers" in page
    assert "Two by two" not in page
    assert not {name for name in group.people if f">{name}<" in page}
    assert "82 %" in page  # 14 of 17 tapes
    assert room.signed_in(group.people["Coco"]).get("/program").status_code == 404
    assert room.clock() > 300 * DAY
