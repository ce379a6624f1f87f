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


SPLIT = {
    "rows of one speaker": ("speaker,text\nAnn,You are torn\nAnn,What helps?\nRobin,Work.\n", True),
    "the speaker's cell left empty": ("speaker,text\nAnn,You are torn.\n,What helps?\nRobin,Work.\n", True),
    "a row each turn": ("speaker,text\nAnn,You are torn. What helps?\nRobin,Work.\nAnn,Yes.\n", False),
    "a recognizer's": ("speaker,start,end,text\nAnn,0,1,You are\nAnn,1,2,torn now\nRobin,2,3,Work.\n", False),
    "split with times": ("speaker,start,end,text\nAnn,0,1,You are torn.\nAnn,1,2,So?\nRobin,2,3,Work.\n", True),
    "nobody named": ("text\nYou are torn.\nWhat helps?\n", False),
}


@pytest.mark.parametrize("case", SPLIT)
def test_rows_of_a_spreadsheet_are_utterances_where_one_voice_has_several_in_a_row(tmp_path: Path, case: str) -> None:
    text, expected = SPLIT[case]
    written = written_transcript.read(given(tmp_path, "talk.csv", text))
    assert written.has_utterances is expected
    assert (written_transcript.ROWS_KEPT in written.notes) is expected
    assert unpacked(written.packed()) == written


def test_lines_of_a_text_are_no_utterances(tmp_path: Path) -> None:
    assert not written_transcript.read(
        given(tmp_path, "talk.txt", "Ann: One.\nAnn: Two.\nRobin: Yes.\n")
    ).has_utterances


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
