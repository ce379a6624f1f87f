import pytest

from pipeline.formats import codebook_files
from pipeline.formats.code_mapping import translated
from pipeline.formats.transcript import CodedUtterance, Mark, ordered_transcript
from pipeline.timeline import Role, Span


def names(book: str, role: Role, *codes: str) -> tuple[list[str], tuple[str, ...]]:
    utterance = CodedUtterance("", Span(0, 1), role=role, marks=tuple(Mark(code, "cora", "coach") for code in codes))
    transcript, unknown = translated(ordered_transcript("t", [utterance]), codebook_files.read(book))
    return [mark.code for mark in transcript.utterances[0].marks], unknown


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [
        ("SR", "reflection_simple"),
        ("sr", "reflection_simple"),
        ("CR+/-", "reflection_complex"),
        ("OQ0", "question"),
        ("Q", "question"),
        ("Seek", "seeking_collaboration"),
        ("Persuade with permission", "persuasion_with_permission"),
        ("Confront", "confrontation"),
        ("information", "information"),
        ("GI", "information"),
    ],
)
def test_names_of_miti_and_misc_become_ours(theirs: str, ours: str) -> None:
    assert names("miti-4.2", "interviewer", theirs) == ([ours], ())


def test_client_talk_becomes_change_and_sustain() -> None:
    assert names("pretags", "client", "D+", "C-", "FN") == (["change", "sustain", "neutral"], ())


def test_what_could_be_two_codes_or_none_stays() -> None:
    assert names("pretags", "interviewer", "Q", "Waves") == (["Q", "Waves"], ("Q", "Waves"))
    assert names("miti-4.2", "unknown", "OQ") == (["OQ"], ("OQ",))


def test_two_names_of_one_code_are_one_and_no_code_stays_none() -> None:
    assert names("miti-4.2", "interviewer", "OQ", "CQ", "") == (["question", ""], ())
