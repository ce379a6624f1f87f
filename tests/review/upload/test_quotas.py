"""How much one member may keep of what is not handed in yet."""

from __future__ import annotations

import pytest

from pipeline.errors import ReviewError
from pipeline.review.upload import quotas
from pipeline.tapes.db.records import Item, TapeState
from tests.review.conftest import Room

HELD: tuple[tuple[TapeState, int], ...] = (("draft", 600), ("draft", 300), ("ready", 5000))


def test_drafts_count_for_their_own_interviewer_until_they_are_handed_in(room: Room) -> None:
    group = room.group()
    ada, ben = room.person("Ada", group), room.person("Ben", group)
    for _ in range(2):
        room.tape(group, ada, state="draft")
    room.tape(group, ada)
    with room.home.database.reading() as database:
        quotas.require_draft(database, ada, 3)
        quotas.require_draft(database, ben, 1)
        with pytest.raises(ReviewError, match="TR-R08 .*you have 2 unfinished tapes, which is the limit"):
            quotas.require_draft(database, ada, 2)


def test_bytes_of_all_drafts_count_together_to_the_last(room: Room) -> None:
    group = room.group()
    ada = room.person("Ada", group)
    sizes = {room.tape(group, ada, state=state): size for state, size in HELD}
    with room.home.database.writing() as database:
        for item in database.query(Item):
            item.size = sizes[item.tape_id]
    with room.home.database.reading() as database:
        quotas.require_space(database, ada, 100, 1000)
        quotas.require_space(database, room.person("Eve", group), 1000, 1000)
        with pytest.raises(ReviewError, match="TR-R09"):
            quotas.require_space(database, ada, 101, 1000)


def test_an_upload_of_crumbs_ends() -> None:
    quotas.require_pieces(quotas.MOST_PIECES)
    with pytest.raises(ReviewError, match="TR-R09 .*too many small pieces"):
        quotas.require_pieces(quotas.MOST_PIECES + 1)
