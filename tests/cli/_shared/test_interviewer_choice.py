"""The interviewer is whom an option names, whom a name shows, or whom the words show; only the last is a guess."""

from __future__ import annotations

import pytest

from pipeline.cli._shared.interviewer_choice import assign_roles, decide_roles
from pipeline.errors import TableError
from pipeline.formats.transcript import CodedTranscript, CodedUtterance
from pipeline.settings import load
from pipeline.timeline import Span

TALK = (
    ("A", "What brings you here today, and what would you like to talk about?"),
    ("B", "My wife says I drink too much, and I guess I do on weekends."),
    ("A", "It sounds like you are worried about your drinking. How would you like things to change?"),
    ("B", "I want to drink less, I really do, because my kids see me like that."),
    ("A", "You want to be there for your kids. What could be a first step?"),
    ("B", "I could leave the beer out of the fridge, I suppose."),
)


def talk(**names: str) -> CodedTranscript:
    utterances = tuple(
        CodedUtterance(f"u{number}", Span(1000 * number, 1000 * number + 900), names.get(speaker, speaker), text=text)
        for number, (speaker, text) in enumerate(TALK)
    )
    return CodedTranscript("session", utterances)


def roles(transcript: CodedTranscript) -> dict[str, str]:
    return {utterance.speaker: utterance.role for utterance in transcript.utterances}


def test_the_words_decide_and_the_probability_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    assigned = assign_roles(talk(), None, load().settings)
    assert roles(assigned) == {"A": "interviewer", "B": "client"}
    printed = capsys.readouterr().err
    assert "The interviewer is A (probability 0." in printed or "The interviewer is A (probability 1.00" in printed
    assert "name the interviewer with --interviewer" in printed


def test_an_option_wins_over_the_words_and_nothing_is_guessed(capsys: pytest.CaptureFixture[str]) -> None:
    assert roles(assign_roles(talk(), "B", load().settings)) == {"A": "client", "B": "interviewer"}
    assert capsys.readouterr().err == ""


def test_a_name_that_shows_the_role_is_believed(capsys: pytest.CaptureFixture[str]) -> None:
    named = assign_roles(talk(A="Client", B="Therapist"), None, load().settings)
    assert roles(named) == {"Client": "client", "Therapist": "interviewer"}
    assert capsys.readouterr().err == ""


def test_a_name_that_the_transcript_lacks_is_refused() -> None:
    with pytest.raises(TableError, match="TR-T08"):
        assign_roles(talk(), "Zoe", load().settings)


def test_what_is_decided_is_told_apart_where_a_file_holds_several_tapes(capsys: pytest.CaptureFixture[str]) -> None:
    decide_roles(TALK, load().settings, " of tape t1")
    assert "The interviewer of tape t1 is A" in capsys.readouterr().err
