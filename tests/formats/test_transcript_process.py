"""A stranger's transcript takes so much time and memory, and no more."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.errors import FormatError, TableError
from pipeline.formats import transcript_process
from pipeline.formats.written_transcript import WrittenTurn

pytestmark = pytest.mark.usefixtures("cold_children")


def test_it_is_read_as_elsewhere() -> None:
    written = transcript_process.read("talk.txt", "Therapist: Größe?\nClient: Hi.\n".encode())
    assert written.turns == (WrittenTurn("Therapist", "interviewer", "Größe?"), WrittenTurn("Client", "client", "Hi."))


def test_what_is_refused_there_is_refused_here_in_the_same_words() -> None:
    with pytest.raises(FormatError, match="TR-F09 file talk.exe is of no kind that can be read"):
        transcript_process.read("talk.exe", b"MZ")
    with pytest.raises(TableError, match="TR-T04 transcript talk.csv"):
        transcript_process.read("talk.csv", b"speaker,text\nAnn,\n")


def test_a_reader_that_is_busy_for_too_long_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transcript_process, "PATIENCE", 0.01)
    with pytest.raises(FormatError, match="TR-F02 .* takes too much time"):
        transcript_process.read("talk.txt", b"Ann: hi\nBo: hi\n")


def test_one_long_word_keeps_nobody_busy() -> None:
    assert len(transcript_process.read("talk.txt", b"Ann: " + b"x" * 600_000 + b"\nBo: hi\n").turns) == 2


def test_an_answer_that_is_none_of_ours_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    liar = tmp_path / "liar"
    liar.write_text("#!/bin/sh\necho '{\"turns\": 1}'\n")
    liar.chmod(0o700)
    monkeypatch.setattr(transcript_process.sys, "executable", str(liar))
    with pytest.raises(FormatError, match="TR-F02"):
        transcript_process.read("talk.txt", b"Ann: hi\n")
