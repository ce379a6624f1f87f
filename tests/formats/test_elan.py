import time
from dataclasses import replace
from pathlib import Path

import pympi
import pytest

from pipeline.errors import FormatError
from pipeline.formats import elan, textgrid
from pipeline.formats.safe_reader import Source
from pipeline.formats.transcript import Mark, Media, ordered_transcript
from pipeline.timeline import Span
from tests.formats.transcripts import WALK


@pytest.fixture
def coach(tmp_path: Path) -> Source:
    """A file as a coach may make it in ELAN: tiers of any name, codes from a vocabulary, one tier of them alone."""
    eaf = pympi.Eaf(author="coach")
    eaf.add_language("und", "http://cdb.iso.org/lg/CDB-00130975-001", "undetermined (und)")
    eaf.add_controlled_vocabulary("misc")
    for number, code in enumerate(("OQ", "SR", "C+")):
        eaf.add_cv_entry("misc", f"cve{number}", [(code, "und", None)])
    eaf.add_linguistic_type("coded", "Symbolic_Association", timealignable=False)
    eaf.add_linguistic_type("free")
    for name in ("coded", "free"):
        eaf.linguistic_types[name]["CONTROLLED_VOCABULARY_REF"] = "misc"
    eaf.add_tier("Therapist", part="Dr. <X>")
    eaf.add_tier("MISC", "coded", parent="Therapist", ann="cora")
    eaf.add_tier("client talk", "free", part="Client")
    eaf.add_annotation("Therapist", 100, 900, "What & why?")
    eaf.add_ref_annotation("MISC", "Therapist", 500, "OQ")
    eaf.add_annotation("client talk", 1000, 2000, "C+")
    path = tmp_path / "session 7.eaf"
    eaf.to_file(path)
    return Source.open(path)


def test_reads_what_a_coach_made_in_elan(coach: Source) -> None:
    transcript = elan.read(coach)
    assert transcript.tape_id == "session 7"
    first, second = transcript.utterances
    assert (first.span, first.speaker, first.text) == (Span(100, 900), "Dr. <X>", "What & why?")
    assert first.marks == (Mark("OQ", "cora"),)
    assert (second.span, second.role, second.text, second.marks) == (Span(1000, 2000), "client", "", (Mark("C+"),))


def test_pympi_reads_what_we_wrote(tmp_path: Path) -> None:
    path = tmp_path / "walk.eaf"
    path.write_bytes(elan.write(WALK))
    eaf = pympi.Eaf(path)
    assert eaf.get_annotation_data_for_tier("interviewer:S1") == [
        (0, 900, "What would you like?"),
        (2400, 2600, "mm-hm"),
    ]
    assert eaf.get_ref_annotation_data_for_tier("codes:client:S2:coach:ana") == [
        (1200, 2500, "change", "I could walk.")
    ]
    assert [word[2] for word in sorted(eaf.get_annotation_data_for_tier("words:interviewer:S1"))] == [
        "What",
        "like?",
    ]
    assert eaf.get_cv_entries("codes").keys() == {"cve0", "cve1"}
    eaf.to_file(tmp_path / "again.eaf")
    assert elan.read(Source.open(tmp_path / "again.eaf")) == elan.read(Source.open(path))


@pytest.mark.parametrize("parent", [True, False])
def test_a_tier_that_a_coach_adds_by_hand_to_our_file_comes_back_as_codes(tmp_path: Path, parent: bool) -> None:
    path = tmp_path / "session.eaf"
    path.write_bytes(
        elan.write(ordered_transcript(WALK.tape_id, [replace(utterance, marks=()) for utterance in WALK.utterances]))
    )
    eaf = pympi.Eaf(path)
    if parent:
        eaf.add_linguistic_type("by hand", "Symbolic_Association", timealignable=False)
        eaf.add_tier("coach MITI", "by hand", parent="client:S2")
        eaf.add_ref_annotation("coach MITI", "client:S2", 1500, "change")
    else:
        eaf.add_linguistic_type("by hand")
        eaf.add_tier("coach MITI", "by hand")
        eaf.add_annotation("coach MITI", 1250, 2450, "change")  # drawn with the mouse
    eaf.to_file(path)
    transcript = elan.read(Source.open(path))
    assert [utterance.text for utterance in transcript.utterances] == [utterance.text for utterance in WALK.utterances]
    assert [utterance.marks for utterance in transcript.utterances] == [(), (Mark("change", "", "coach"),), ()]
    assert "as codes: coach MITI" in transcript.notes[0]


def test_times_before_the_start_are_clipped_and_told() -> None:
    transcript = elan.read(Source("x.eaf", EAF.replace('VALUE="100"', 'VALUE="-20"').encode()))
    assert transcript.utterances[0].span == Span(133, 267)
    assert transcript.notes[0] == "1 time is before the recording's start: set to 0."


EAF = """<ANNOTATION_DOCUMENT><TIME_ORDER><TIME_SLOT TIME_SLOT_ID="a" TIME_VALUE="100"/><TIME_SLOT TIME_SLOT_ID="b"/>
<TIME_SLOT TIME_SLOT_ID="c"/><TIME_SLOT TIME_SLOT_ID="d" TIME_VALUE="400"/></TIME_ORDER>
<TIER TIER_ID="t"><ANNOTATION><ALIGNABLE_ANNOTATION ANNOTATION_ID="1" TIME_SLOT_REF1="b" TIME_SLOT_REF2="c">
<ANNOTATION_VALUE>hm</ANNOTATION_VALUE></ALIGNABLE_ANNOTATION></ANNOTATION></TIER>
<TIER TIER_ID="codes" PARENT_REF="t"><ANNOTATION><REF_ANNOTATION ANNOTATION_ID="2" ANNOTATION_REF="1">
<ANNOTATION_VALUE>A | B</ANNOTATION_VALUE></REF_ANNOTATION></ANNOTATION></TIER></ANNOTATION_DOCUMENT>"""


def test_slots_without_a_time_lie_between_their_neighbors() -> None:
    (utterance,) = elan.read(Source("x.eaf", EAF.encode())).utterances
    assert utterance.span == Span(200, 300)
    assert [mark.code for mark in utterance.marks] == ["A", "B"]


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('REF="1"', 'REF="2"', "leads to no times"),
        ('REF="1"', 'REF="9"', "leads to no times"),
        ('ID="2"', 'ID="1"', "two annotations with the same id"),
        ('REF1="b"', 'REF1="d"', "its end before its start"),
        ('REF1="b"', 'REF1="x"', "no times"),
        ('VALUE="100"', 'VALUE="-1.5"', "'-1.5' for a time"),
        ('VALUE="400"', 'VALUE="1e99"', "'1e99' for a time"),
        ('VALUE="400"', 'VALUE="soon"', "'soon' for a time"),
    ],
)
def test_what_does_not_fit_together_is_named(old: str, new: str, message: str) -> None:
    with pytest.raises(FormatError, match=f"TR-F07 .*{message}"):
        elan.read(Source("x.eaf", EAF.replace(old, new).encode()))


def test_many_labels_at_one_time_take_a_moment() -> None:
    value = f"<ANNOTATION_VALUE>{'x' * 300}</ANNOTATION_VALUE>"
    label = '<ALIGNABLE_ANNOTATION ANNOTATION_ID="n{}" TIME_SLOT_REF1="a" TIME_SLOT_REF2="d">' + value
    labels = "".join(label.format(n) + "</ALIGNABLE_ANNOTATION>" for n in range(20_000))
    data = EAF.replace('<TIER TIER_ID="t">', f'<TIER TIER_ID="t">{labels}').encode()
    began = time.process_time()
    assert len(elan.read(Source("x.eaf", data)).utterances[0].text) == 20_000 * 301 - 1
    assert time.process_time() - began < 5


def test_a_laugh_in_an_eaf_is_refused() -> None:
    with pytest.raises(FormatError, match="TR-F04"):
        elan.read(Source("x.eaf", b'<!DOCTYPE a [<!ENTITY x "ha">]>' + EAF.encode()))


@pytest.mark.parametrize(
    ("url", "relative", "kept"),
    [
        ("file:///C:/Users/ann/tapes/s1.wav", "./s1.wav", "./s1.wav"),
        ("file:///C:/Users/ann/tapes/s1.wav", "../sound/s1.wav", "../sound/s1.wav"),
        ("file:///C:/Users/ann/tapes/s1.wav", "", "./s1.wav"),
        ("C:\\Users\\ann\\s1.wav", "", "./s1.wav"),
        ("/home/ann/s1.wav", "file:///home/ann/s1.wav", "./s1.wav"),
        ("https://tapes.example/ann/s1.wav?token=secret", "", "./s1.wav"),
        ("", "", None),
    ],
)
def test_the_link_to_the_sound_is_kept_without_a_path_of_a_machine(url: str, relative: str, kept: str | None) -> None:
    link = f'<MEDIA_DESCRIPTOR MEDIA_URL="{url}" MIME_TYPE="audio/x-wav" RELATIVE_MEDIA_URL="{relative}"/>'
    made = elan.write(WALK).decode().replace("<PROPERTY", f"{link}<PROPERTY", 1)
    transcript = elan.read(Source("t.eaf", made.encode()))
    assert [media.path for media in transcript.media] == ([kept] if kept else [])
    again = elan.write(transcript).decode()
    assert elan.read(Source("t.eaf", again.encode())).media == transcript.media
    assert (f'MEDIA_URL="{kept}" MIME_TYPE="audio/x-wav" RELATIVE_MEDIA_URL="{kept}"' in again) == (kept is not None)
    assert not [word for word in ("Users", "ann/", "/home", "secret", "example") if word in again]
    assert textgrid.write(transcript) == textgrid.write(replace(transcript, media=()))


def test_a_tape_that_begins_later_in_its_sound_tells_elan_so() -> None:
    transcript = replace(WALK, zero=30_000, media=(Media("./s1.wav", "audio/x-wav"),))
    written = elan.write(transcript).decode()
    assert 'TIME_ORIGIN="30000"' in written
    assert elan.read(Source("t.eaf", written.encode())).zero == 30_000
