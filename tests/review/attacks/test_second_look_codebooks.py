"""Whom a client's permission names beside the group codes the tape, and leaves the group's codebooks alone."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from pipeline.tapes.db.records import AuditRow, Consent
from tests.formats.test_cacti_codebook import FILE
from tests.review.attacks.test_12_client_words import Groups
from tests.review.coding.conftest import Coder
from tests.review.conftest import Browser, Room


@pytest.fixture
def groups(room: Room) -> Groups:
    """Eve, of another group, is named by the client of our tape."""
    made = Groups(room)
    with room.home.database.writing() as database:
        consents = database.scalars(select(Consent).where(Consent.tape_id == made.tape))
        consents.one().person_ids = [made.eve]
    return made


@pytest.fixture
def eve(groups: Groups) -> Browser:
    return groups.room.signed_in(groups.eve)


def test_the_labels_of_the_group_s_codebooks_are_not_shown(groups: Groups, eve: Browser) -> None:
    groups.send(groups.room.signed_in(groups.ada), "Our book")
    page = eve.get(f"/tapes/{groups.tape}/coding")
    assert page.status_code == 200
    assert "Our book" not in page.text
    assert "own codebooks" not in page.text


def test_she_codes_by_what_the_tape_is_coded_by(groups: Groups, eve: Browser) -> None:
    ada = groups.room.signed_in(groups.ada)
    groups.send(ada, "Our book")
    [name] = groups.offered(ada, groups.tape)
    chosen = {"task": "all", "codebook": name}
    assert eve.post(f"/tapes/{groups.tape}/coding", chosen).status_code == 404
    Coder(ada, groups.tape).begin(codebook=name)
    assert groups.offered(eve, groups.tape) == [name]
    assert eve.post(f"/tapes/{groups.tape}/coding", chosen).status_code == 303


def test_she_takes_none_in_and_none_out(groups: Groups, eve: Browser) -> None:
    ada = groups.room.signed_in(groups.ada)
    groups.send(ada)
    [name] = groups.offered(ada, groups.tape)
    upload = {"file": ("a.xml", FILE.encode(), "text/xml")}
    assert eve.post(f"/tapes/{groups.tape}/codebooks", {"label": "Hers"}, files=upload).status_code == 404
    assert eve.post(f"/tapes/{groups.tape}/codebooks/{name}/remove").status_code == 404
    assert groups.offered(ada, groups.tape) == [name]
    assert groups.offered(ada, groups.tape, "Hers") == []
    with groups.room.home.database.reading() as database:
        refused = database.scalars(select(AuditRow).where(AuditRow.action == "refuse")).all()
    assert {(row.actor_id, row.tape_id, row.why) for row in refused[-2:]} == {(groups.eve, groups.tape, "404 group")}
