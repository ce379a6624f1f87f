"""Tiers and what they hold: by vocabulary, name, place and labels, or as the user says."""

from __future__ import annotations

import pytest

from pipeline.errors import FormatError
from pipeline.formats import registry
from pipeline.formats.safe_reader import Source
from pipeline.formats.tier_kinds import RawTier, classify, is_nobody, summary
from pipeline.timeline import Span
from tests.formats.test_cases import CASES


def test_a_user_can_say_what_a_tier_holds() -> None:
    path = CASES / "elan_notes.eaf"
    first, second = registry.read(path, tiers={"Notes": "text"}).utterances
    assert (first.text, second.text) == ("I could walk.", "coach was late here")
    (utterance,) = registry.read(path, tiers={"Notes": "codes"}).utterances
    assert [mark.code for mark in utterance.marks] == ["coach was late here"]
    for tiers, value in (({"notes": "text"}, "has no tier 'notes'"), ({"Notes": "nodes"}, "cannot take tier 'Notes'")):
        with pytest.raises(FormatError, match=f"TR-F07 file elan_notes.eaf {value}"):
            registry.read(path, tiers=tiers)


def tier(name: str, *labels: str, **more: object) -> RawTier:
    spans = tuple((Span(1000 * at, 1000 * at + 900), text) for at, text in enumerate(labels))
    return RawTier(name, spans, **more)  # type: ignore[arg-type]


def kinds(*tiers: RawTier, **wanted: str) -> dict[str, str]:
    return dict(classify(Source("t.eaf", b""), tiers, wanted))


TALK = tier("Ann", "What is next?", "So you walk.", root="Ann")


@pytest.mark.parametrize(
    ("other", "kind"),
    [
        (tier("x", "a", "b", vocabulary=True), "codes"),
        (tier("MITI Bo", "yes it is", "no it is not"), "codes"),
        (tier("Notes", "coach was late", "door"), "skip"),
        (tier("Words Ann", "What", "is"), "words"),
        (tier("BO [v]", "I walk a lot.", "Yes I do."), "text"),
        (tier("BO [nv]", "nods at her", "smiles a bit"), "skip"),
        (tier("Bo", "OQ", "SR"), "codes"),  # short labels at the times of what is said
        (tier("Bo", "I do.", "Yes I do."), "text"),
        (tier("Ann-de", "Was nun?", "So.", root="Ann"), "skip"),  # a translation
        (tier("cut", "What is", "next?", "So you", "walk.", root="Ann"), "words"),
        (tier("tag1", "OQ", "SR", root="Ann", aligned=False), "codes"),
    ],
)
def test_a_tier_is_judged_by_vocabulary_name_place_and_labels(other: RawTier, kind: str) -> None:
    assert kinds(TALK, other) == {"Ann": "text", other.name: kind}


def test_what_the_user_says_wins() -> None:
    notes = tier("Notes", "coach was late", "door")
    assert kinds(TALK, notes, Notes="text", Ann="skip") == {"Ann": "skip", "Notes": "text"}


def test_a_name_of_what_a_tier_holds_is_nobody() -> None:
    assert is_nobody("Transcription")
    assert is_nobody("default-lt")
    assert not is_nobody("Ann")


def test_a_sentence_says_what_was_taken_for_what() -> None:
    assert summary({"a": "text", "b": "codes", "c": "skip", "d": "text"}) == (
        "Tiers read as text: a, d; as codes: b; skipped: c. --tier NAME=codes, text, words or skip changes that."
    )
