"""A transcript that a member brings to a draft: read in words for a member, kept encrypted, one at a time."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.errors import ReviewError
from pipeline.formats.written_transcript import WrittenTranscript, WrittenTurn
from pipeline.review.upload import transcripts
from pipeline.tapes.db.records import Tape
from tests.review.conftest import Room

TALK = WrittenTranscript((WrittenTurn("Ann", "interviewer", "ZEBRA?"), WrittenTurn("Robin", "client", "Yes.")))


@pytest.fixture
def draft(room: Room) -> str:
    group = room.group()
    return room.tape(group, room.person("Ada", group), state="draft")


def test_it_comes_back_takes_the_place_of_an_earlier_one_and_lies_nowhere_in_the_clear(room: Room, draft: str) -> None:
    assert transcripts.stored(room.home, draft) is None
    before = len(room.home.vault.files(draft))
    for written in (WrittenTranscript(TALK.turns[:1]), TALK):
        transcripts.keep(room.home, draft, written, room.clock(), 10**6)
    assert transcripts.stored(room.home, draft) == TALK
    assert len(room.home.vault.files(draft)) == before + 1
    for path in Path(room.home.folder).rglob("*"):
        assert path.is_dir() or b"ZEBRA" not in path.read_bytes()
    transcripts.discard(room.home, draft)
    assert transcripts.stored(room.home, draft) is None
    assert len(room.home.vault.files(draft)) == before


def test_what_comes_too_late_or_is_too_much_leaves_nothing(room: Room, draft: str) -> None:
    before = room.home.vault.files(draft)
    with pytest.raises(ReviewError, match="TR-R09"):
        transcripts.keep(room.home, draft, TALK, room.clock(), 1)
    with room.home.database.writing() as database:
        database.get_one(Tape, draft).state = "queued"
    with pytest.raises(ReviewError, match="TR-R02"):
        transcripts.keep(room.home, draft, TALK, room.clock(), 10**6)
    assert room.home.vault.files(draft) == before


def test_what_cannot_be_read_is_said_without_commands() -> None:
    with pytest.raises(ReviewError) as refused:
        transcripts.read("talk.txt", b"We talked about walking.\n")
    assert refused.value.code == "TR-R10"
    assert "`" not in str(refused.value)
    assert "--" not in str(refused.value)


def test_without_sound_it_must_be_known_who_speaks() -> None:
    transcripts.require_speakers(TALK)
    with pytest.raises(ReviewError, match="TR-R10 .*without the sound"):
        transcripts.require_speakers(WrittenTranscript((WrittenTurn("Ann", None, "So?"),)))
