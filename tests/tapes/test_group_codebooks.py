"""Codebooks of a group: sealed, its own, and gone when it takes them out and no pass needs them."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from pipeline.errors import CodingError
from pipeline.formats import codebook_files
from pipeline.tapes import group_codebooks
from pipeline.tapes.db.records import GroupCodebook, KeyChoice, Tape
from pipeline.tapes.home import Home
from tests.tapes.conftest import NOON
from tests.tapes.group import make_tape, sample_group

BOOK = codebook_files.read("oars")


def test_a_codebook_is_its_group_s_alone_and_lies_nowhere_in_the_clear(home: Home) -> None:
    with home.database.writing() as session:
        sample = sample_group(session, NOON)
        name = group_codebooks.add(session, home.vault, sample.group.id, BOOK, "Robin's codes", None, NOON)
        assert group_codebooks.labels(session, home.vault, sample.group.id) == {name: "Robin's codes"}
        book = group_codebooks.read(session, home.vault, sample.group.id, name)
        assert (book.name, book.label, book.codes) == (name, "Robin's codes", BOOK.codes)
        assert group_codebooks.labels(session, home.vault, sample.other_group.id) == {}
        with pytest.raises(CodingError, match="TR-C03"):
            group_codebooks.read(session, home.vault, sample.other_group.id, name)
        sealed = session.scalars(select(GroupCodebook.sealed_text)).one()
    assert b"Robin" not in sealed
    assert b"reflection" not in sealed


def test_what_was_taken_out_stays_while_a_tape_needs_it_and_goes_then_with_its_keys(home: Home) -> None:
    with home.database.writing() as session:
        sample = sample_group(session, NOON)
        name = group_codebooks.add(session, home.vault, sample.group.id, BOOK, "Ours", None, NOON)
        tape = make_tape(session, sample, NOON)
        tape.codebook = name
        session.add(KeyChoice(person_id=sample.member.id, codebook=name, keys={"q": "question"}))
        session.flush()
        group_codebooks.remove(session, sample.group.id, name, NOON + 1)
        assert group_codebooks.labels(session, home.vault, sample.group.id) == {}
        assert group_codebooks.read(session, home.vault, sample.group.id, name).label == "Ours"
        with pytest.raises(CodingError, match="TR-C03"):
            group_codebooks.remove(session, sample.group.id, name, NOON + 2)
        session.get_one(Tape, tape.id).codebook = "oars"
        session.flush()
        group_codebooks.sweep(session)
        assert session.scalars(select(GroupCodebook)).all() == session.scalars(select(KeyChoice)).all() == []


def test_another_group_takes_nothing_out(home: Home) -> None:
    with home.database.writing() as session:
        sample = sample_group(session, NOON)
        name = group_codebooks.add(session, home.vault, sample.group.id, BOOK, "Ours", None, NOON)
        with pytest.raises(CodingError, match="TR-C03"):
            group_codebooks.remove(session, sample.other_group.id, name, NOON)
        assert group_codebooks.labels(session, home.vault, sample.group.id) == {name: "Ours"}
