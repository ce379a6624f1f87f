"""Tiers: a row of labels for each speaker and each coder, and back."""

from __future__ import annotations

import pytest

from pipeline.errors import FormatError
from pipeline.formats import registry, tiers
from pipeline.formats.safe_reader import Source
from pipeline.formats.transcript import CodedUtterance, Mark, ordered_transcript
from pipeline.timeline import Span
from tests.formats.transcripts import WALK


def eaf(tiers: list[tuple[str, str, list[str]]]) -> Source:
    """An EAF file whose tiers are (name, parent, values), the values of a child one for each of its parent's."""
    slots = "".join(f'<TIME_SLOT TIME_SLOT_ID="t{n}" TIME_VALUE="{n * 1000}"/>' for n in range(5))
    text = ""
    for name, parent, values in tiers:
        of = f' PARENT_REF="{parent}"' if parent else ""
        text += f'<TIER TIER_ID="{name}" LINGUISTIC_TYPE_REF="x"{of}>'
        for n, value in enumerate(values):
            kind, where = ("REF", f'ANNOTATION_REF="{parent}{n}"') if parent else ("ALIGNABLE", f'TIME_SLOT_REF1="t{n}" TIME_SLOT_REF2="t{n + 1}"')  # fmt: skip  # noqa: E501
            text += f'<ANNOTATION><{kind}_ANNOTATION ANNOTATION_ID="{name}{n}" {where}><ANNOTATION_VALUE>{value}</ANNOTATION_VALUE></{kind}_ANNOTATION></ANNOTATION>'  # fmt: skip  # noqa: E501
        text += "</TIER>"
    return Source(
        "t.eaf", f"<ANNOTATION_DOCUMENT><TIME_ORDER>{slots}</TIME_ORDER>{text}</ANNOTATION_DOCUMENT>".encode()
    )


def test_what_is_said_on_numbered_utterances_is_the_text() -> None:
    numbered = eaf([("ref@Ann", "", ["s.001", "s.002"]), ("tx@Ann", "ref@Ann", ["What next?", "So."]), ("ft@Ann", "tx@Ann", ["Was nun?", "So."])])  # fmt: skip  # noqa: E501
    transcript = registry.format_named("elan").read(numbered)
    assert [(utterance.speaker, utterance.text) for utterance in transcript.utterances] == [
        ("Ann", "What next?"),
        ("Ann", "So."),
    ]
    assert transcript.notes[0].startswith("Tiers read as text: tx@Ann; skipped: ref@Ann, ft@Ann.")


def test_each_coder_s_tier_keeps_its_coder() -> None:
    coded = eaf([("T", "", ["What is next?"]), ("MISC_coder1", "", ["OQ"]), ("MISC coder Bo", "", ["CQ"]), ("Affect", "", ["calm"])])  # fmt: skip  # noqa: E501
    (utterance,) = registry.format_named("elan").read(coded).utterances
    assert (utterance.text, [(mark.code, mark.coder) for mark in utterance.marks]) == (
        "What is next?",
        [("OQ", "coder1"), ("CQ", "coder Bo")],
    )


def test_what_overlaps_and_what_is_second_gets_a_tier_of_its_own() -> None:
    marks = (Mark("change", "ana", "coach"), Mark("sustain", "ana", "coach"))
    spoken = [
        CodedUtterance("", Span(0, 900), "S2", "client", "I could.", marks),
        CodedUtterance("", Span(500, 1500), "S2", "client", "But no."),
    ]
    tiers_by_name = {tier.name: tier.labels for tier in tiers.split(ordered_transcript("t", spoken))}
    assert tiers_by_name == {
        "client:S2": ((Span(0, 900), "I could."),),
        "client:S2#2": ((Span(500, 1500), "But no."),),
        "codes:client:S2:coach:ana": ((Span(0, 900), "change"),),
        "codes:client:S2:coach:ana:2": ((Span(0, 900), "sustain"),),
    }


def test_tiers_come_back_as_the_transcript_they_are_of() -> None:
    transcript = tiers.join(WALK.tape_id, tiers.split(WALK))
    assert [(each.span, each.speaker, each.text, set(each.marks)) for each in transcript.utterances] == [
        (each.span, each.speaker, each.text, set(each.marks)) for each in WALK.utterances
    ]
    assert [word.text for word in transcript.utterances[0].words] == ["What", "like?"]


def test_a_code_goes_to_what_it_shares_the_most_time_with() -> None:
    talk = tiers.Tier("T", "T", ((Span(0, 1000), "So?"), (Span(1000, 3000), "Well?")), speaker="T")
    codes = tiers.Tier("MITI", "MITI", ((Span(900, 1600), "OQ"), (Span(9000, 9500), "CQ")), "codes")
    transcript = tiers.join("t", [talk, codes])
    assert [(each.text, [mark.code for mark in each.marks]) for each in transcript.utterances] == [
        ("So?", []),
        ("Well?", ["OQ"]),
        ("", ["CQ"]),  # it finds none, and stands alone
    ]


def test_more_voices_at_once_than_there_are_lanes_are_refused() -> None:
    same = [CodedUtterance("", Span(number, 10_000), "S1", text="x") for number in range(101)]
    with pytest.raises(FormatError, match=r"TR-F08 .*more than 100 lanes"):
        tiers.split(ordered_transcript("t", same))
