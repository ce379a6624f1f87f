"""MITI's global ratings: kept sealed, on the scale, and side by side once the passes are locked."""

from __future__ import annotations

from tests.review.coding.conftest import Table

ANSWERS = {"cultivating_change_talk": 3, "softening_sustain_talk": 4, "partnership": 5, "empathy": 2}


def test_the_four_ratings_are_kept_sealed(table: Table) -> None:
    ada = table.ada.begin()
    assert ada.browser.post(f"{ada.path}/ratings", dict(ANSWERS)).status_code == 303
    page = ada.browser.get(f"{ada.path}/ratings").text
    assert page.count(" checked") == 4
    assert 'Technical: <strong class="num">3.5</strong>' in page
    database = table.room.home.folder / "tapes.sqlite3"
    log = database.with_name(f"{database.name}-wal")
    assert not any(b"cultivating" in file.read_bytes() for file in (database, log) if file.exists())


def test_the_ratings_of_ended_passes_stand_side_by_side(table: Table) -> None:
    ada, ben = table.ada.begin(), table.ben.begin()
    ada.browser.post(f"{ada.path}/ratings", dict(ANSWERS))
    ben.browser.post(f"{ben.path}/ratings", {"empathy": 4})
    ada.lock()
    page = ada.browser.get(f"/tapes/{ada.tape_id}/together").text
    assert 'Empathy</th><td class="num">2</td></tr>' in page  # Ben is still at it
    ben.lock()
    page = ben.browser.get(f"/tapes/{ada.tape_id}/together").text
    assert 'name">Ada</th><th scope="col" class="num name">Ben</th>' in page
    assert 'Empathy</th><td class="num">2</td><td class="num">4</td></tr>' in page
    assert 'Partnership</th><td class="num">5</td><td class="num">–</td></tr>' in page
