"""A group's names and terms at `tape-review submit`: the tape listens for them besides its own."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from sqlalchemy import select

from pipeline.errors import SettingsError
from pipeline.settings import Settings
from pipeline.tapes import group_terms, people
from pipeline.tapes.db.records import Item, Tape
from pipeline.tapes.home import Home
from tests.tapes.fakes import GROUP, group, submitted


def test_a_submitted_tape_has_the_terms_of_its_group_and_its_own(home: Home, chosen: Settings, recording: Path) -> None:
    group(home)
    with home.database.writing() as session:
        group_terms.store(home.vault, people.find_group(session, GROUP), ("Suboxone", "Presque Isle"), chosen)
    tape_id = submitted(home, chosen, recording, listen_for=("Kowalski", "Suboxone"))
    with home.database.reading() as session:
        asked = session.scalars(select(Item).where(Item.tape_id == tape_id, Item.kind == "asked")).one()
    assert json.loads(home.vault.read(asked))["terms"] == ["Suboxone", "Presque Isle", "Kowalski"]


def test_too_many_together_are_refused_with_the_group_named_and_nothing_is_kept(
    home: Home, chosen: Settings, recording: Path
) -> None:
    group(home)
    with home.database.writing() as session:
        this_group = people.find_group(session, GROUP)
        group_terms.store(home.vault, this_group, [f"term {number}" for number in range(60)], chosen)
    with pytest.raises(SettingsError, match=f"TR-S03.*60 of them those of group '{GROUP}'.*are 61"):
        submitted(home, chosen, recording, listen_for=("Kowalski",))
    with home.database.reading() as session:
        assert session.scalars(select(Tape)).all() == []
