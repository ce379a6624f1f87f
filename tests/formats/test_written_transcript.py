"""A transcript that somebody brings to a tape."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.errors import FormatError, TableError
from pipeline.formats import written_transcript
from pipeline.formats.written_transcript import MOST_WORDS, WrittenTurn, unpacked


def given(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def test_a_text_gives_its_turns_with_the_roles_that_its_names_tell(tmp_path: Path) -> None:
    written = written_transcript.read(
        given(tmp_path, "talk.txt", "Therapist: What  brings you?\nRobin: My drinking.\n")
    )
    assert written.turns == (
        WrittenTurn("Therapist", "interviewer", "What brings you?"),
        WrittenTurn("Robin", "client", "My drinking."),
    )
    assert written.is_settled


def test_names_that_tell_nothing_leave_roles_open_until_one_is_named(tmp_path: Path) -> None:
    written = written_transcript.read(given(tmp_path, "talk.csv", "speaker,text\nAnn,Hello.\nRobin,Hi.\nAnn,So?\n"))
    assert written.voices == {"Ann": None, "Robin": None}
    assert not written.is_settled
    assert written.with_interviewer("Ann").voices == {"Ann": "interviewer", "Robin": "client"}
    with pytest.raises(TableError, match="TR-T08"):
        written.with_interviewer("Bo")


def test_roles_without_names_are_voices(tmp_path: Path) -> None:
    written = written_transcript.read(given(tmp_path, "talk.csv", "role,text\ninterviewer,Hello.\nclient,Hi.\n"))
    assert written.voices == {"interviewer": "interviewer", "client": "client"}


def test_a_name_with_two_roles_is_two_voices(tmp_path: Path) -> None:
    table = "speaker,role,text\nSam,interviewer,Hello.\nSam,client,Hi.\n"
    assert written_transcript.read(given(tmp_path, "talk.csv", table)).voices == {
        "Sam (interviewer)": "interviewer",
        "Sam (client)": "client",
    }


def test_it_comes_back_whole_and_its_digest_is_of_who_says_what(tmp_path: Path) -> None:
    text = "Heading without anybody\nTherapist: What brings you?\nClient: Überdruss.\n"
    written = written_transcript.read(given(tmp_path, "talk.txt", text))
    assert written.notes
    assert unpacked(written.packed()) == written
    other = written_transcript.read(given(tmp_path, "other.txt", text.partition("\n")[2]))
    assert (other.notes, other.digest()) == ((), written.digest())
    assert written.with_interviewer("Client").digest() != written.digest()


def test_several_tapes_in_one_file_are_refused(tmp_path: Path) -> None:
    table = "tape_id,role,text\na,client,Hi.\nb,client,Hi.\n"
    with pytest.raises(TableError, match=r"TR-T05 .* holds 2 tapes"):
        written_transcript.read(given(tmp_path, "talk.csv", table))


def test_more_words_than_can_be_aligned_are_refused(tmp_path: Path) -> None:
    with pytest.raises(TableError, match=rf"TR-T05 .* has {MOST_WORDS + 1} words"):
        written_transcript.read(given(tmp_path, "talk.txt", "Client: " + "so " * (MOST_WORDS + 1)))


def test_a_recording_is_no_transcript(tmp_path: Path) -> None:
    with pytest.raises(FormatError, match="TR-F09"):
        written_transcript.read(given(tmp_path, "talk.mp3", "ID3"))
