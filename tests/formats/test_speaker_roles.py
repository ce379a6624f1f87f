"""Who is who, by names."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.errors import TableError
from pipeline.formats import registry, uncoded
from pipeline.formats.speaker_roles import by_name, role_of, with_interviewer


@pytest.mark.parametrize(
    ("name", "role"),
    [
        ("Therapist A.", "interviewer"),
        ("COUNSELLOR", "interviewer"),
        ("motivational interviewer 1", "interviewer"),
        ("Dr. Smith", "interviewer"),
        ("Thérapeute", "interviewer"),
        ("T", "interviewer"),
        ("T1:", "interviewer"),
        ("Client 12", "client"),
        ("interviewee", "client"),
        ("C.", "client"),
        ("unknown", "unknown"),
        ("client's mother", "other"),
        ("Interpreter", "other"),
        ("Unknown Speaker", None),
        ("SPEAKER_00", None),
        ("Ann", None),
        ("patient and therapist", None),
        ("", None),
        ("12", None),
    ],
)
def test_a_name_says_a_role_or_leaves_it_open(name: str, role: str | None) -> None:
    assert role_of(name) == role


@pytest.mark.parametrize(
    ("speakers", "roles"),
    [
        (("T", "C"), ("interviewer", "client")),
        (("T", "Bob"), (None, None)),
        (("Ann", "Client"), ("interviewer", "client")),
        (("Interviewer", "Ann", "Bob", "Observer"), ("interviewer", "client", "client", "other")),
        (("Participant 1", "Participant 2"), (None, None)),
        (("Participant",), (None,)),
        (("Therapist", "Participant 1", "Participant 2"), ("interviewer", "client", "client")),
        (("Client", "Client 2", "Ann"), ("client", "client", "interviewer")),
        (("Client", "Ann", "Bob"), ("client", None, None)),
        (("Client",), ("client",)),
        (("Ann", "Bob"), (None, None)),
    ],
)
def test_the_names_of_a_transcript_settle_each_other(speakers: tuple[str, ...], roles: tuple[str | None, ...]) -> None:
    assert tuple(by_name(speakers).values()) == roles


def test_whoever_is_named_conducts_the_session() -> None:
    assert with_interviewer(["Bob", "Ann Lee", "Interpreter"], "ann lee", "transcript t") == {
        "Bob": "client",
        "Ann Lee": "interviewer",
        "Interpreter": "other",
    }
    assert with_interviewer(["SPEAKER_00", "SPEAKER_01"], "01", "transcript t")["SPEAKER_01"] == "interviewer"
    for nobody in ("Eve", "", "speaker"):
        with pytest.raises(TableError, match="TR-T08 transcript t has no voice .*SPEAKER_00, SPEAKER_01"):
            with_interviewer(["SPEAKER_00", "SPEAKER_01"], nobody, "transcript t")


def test_of_two_participants_in_subtitles_neither_is_the_client_by_name(tmp_path: Path) -> None:
    (tmp_path / "talk.vtt").write_text(
        "WEBVTT\n\n00:00.000 --> 00:01.000\n<v Participant 1>What next?</v>\n\n"
        "00:01.000 --> 00:02.000\n<v Participant 2>A walk.</v>\n"
    )
    assert [utterance.role for utterance in registry.read(tmp_path / "talk.vtt").utterances] == ["unknown", "unknown"]
    assert list(uncoded.read(tmp_path / "talk.vtt").table["role"]) == ["", ""]


def test_roles_that_a_file_tells_settle_those_of_other_voices() -> None:
    assert by_name(["S1", "S2"], {"S1": "interviewer"}) == {"S1": "interviewer", "S2": "client"}
    assert by_name(["S1", "S2"], {"S1": "client"}) == {"S1": "client", "S2": "interviewer"}
