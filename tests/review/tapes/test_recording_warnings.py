"""Warnings about a recording stand on its tape's page, not in the report alone."""

from __future__ import annotations

import json

from pipeline.tapes.vault.stage_store import item_row
from tests.review.conftest import Room


def test_what_to_be_careful_about_stands_on_the_tape_s_page(room: Room) -> None:
    group = room.group()
    ann = room.person("Ann", group)
    tape = room.tape(group, ann)
    browser = room.signed_in(ann)
    assert "About the recording" not in browser.get(f"/tapes/{tape}").text
    warnings = ["the voices are quiet & far", "nobody speaks from 2:00 to 4:00; choose another (--start, --end)"]
    stored = room.home.vault.put(tape, "provenance.json", json.dumps({"warnings": warnings}).encode())
    with room.home.database.writing() as database:
        database.add(item_row(stored, room.clock()))
    text = browser.get(f"/tapes/{tape}").text
    assert "About the recording" in text
    assert "<li>The voices are quiet &amp; far.</li>" in text
    assert "<li>Nobody speaks from 2:00 to 4:00; choose another.</li>" in text
