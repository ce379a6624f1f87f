import re
from pathlib import Path

import pytest
from pyannote.core import Annotation, Segment
from pyannote.database.util import load_rttm

from pipeline.errors import FormatError, SpeechError
from pipeline.formats import rttm
from pipeline.formats.rttm import RttmLine
from pipeline.formats.safe_reader import Source
from pipeline.timeline import Span


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "tape.rttm"


def test_reads_speaker_lines_by_start_and_passes_over_the_rest(file):
    file.write_text(
        ";; a comment\n"
        "SPKR-INFO tape 1 <NA> <NA> <NA> unknown ana <NA>\n"
        "\n"
        "SPEAKER tape 1 6.690 0.430 <NA> <NA> bernd <NA> <NA>\n"
        "SPEAKER tape 1 0.5 2 <NA> <NA> Åna <NA>\n",
        encoding="utf-8",
    )
    assert rttm.read(file) == (
        RttmLine(Span(500, 2500), "Åna", "tape"),
        RttmLine(Span(6690, 7120), "bernd", "tape"),
    )


def test_reads_what_it_wrote(file):
    lines = [RttmLine(Span(6690, 7120), "S2", "my_tape"), RttmLine(Span(0, 12_345), "S1", "my_tape")]
    rttm.write(file, "/recordings/my tape.wav", lines)
    assert file.read_text().splitlines()[0] == "SPEAKER my_tape 1 0.000 12.345 <NA> <NA> S1 <NA> <NA>"
    assert rttm.read(file) == tuple(sorted(lines))


def test_a_file_says_what_its_times_count_from_and_of_which_recording(file):
    lines = [RttmLine(Span(0, 12_345), "S1", "tape-1")]
    rttm.write(file, "tape-1", lines, 30_500, "a" * 64)
    assert file.read_text().splitlines() == [
        "SPKR-INFO tape-1 1 <NA> <NA> time_0_is_30.500_s_into_the_recording unknown <NA> <NA> <NA>",
        f"SPKR-INFO tape-1 1 <NA> <NA> the_recording_has_the_SHA-256_{'a' * 64} unknown <NA> <NA> <NA>",
        "SPEAKER tape-1 1 0.000 12.345 <NA> <NA> S1 <NA> <NA>",
    ]
    assert rttm.read_file(file) == rttm.RttmFile(tuple(lines), 30_500, "a" * 64)
    result = load_rttm(file)  # which fails on comments
    assert {uri: expected.labels() for uri, expected in result.items()} == {"tape-1": ["S1"]}
    file.write_text(f";; time 0 is 1.000 s into the recording\n{file.read_text().splitlines()[2]}\n")
    assert rttm.read_file(file) == rttm.RttmFile(tuple(lines), 1000, None)
    file.write_text("SPEAKER time 1 0.000 1.0 <NA> <NA> S1 <NA> <NA>\n")
    assert rttm.read_file(file) == rttm.RttmFile((RttmLine(Span(0, 1000), "S1", "time"),), None, None)


def test_an_empty_file_names_nobody(file):
    rttm.write(file, "tape.wav", [])
    assert rttm.read(file) == ()


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("SPEAKER tape 1 0.5", "has 4 fields"),
        ("SPEAKER tape 1 soon 2.0 <NA> <NA> ana <NA> <NA>", "'soon'"),
        ("SPEAKER tape 1 1.0 -2.0 <NA> <NA> ana <NA> <NA>", "'-2.0'"),
        ("SPEAKER tape 1 nan 2.0 <NA> <NA> ana <NA> <NA>", "'nan'"),
        ("SPEAKER tape 1 inf 2.0 <NA> <NA> ana <NA> <NA>", "'inf'"),
        ("WEBVTT", "'WEBVTT'"),
    ],
)
def test_a_line_that_is_not_rttm_is_named_by_its_number(file, line, message):
    file.write_text(f"SPEAKER tape 1 0.0 1.0 <NA> <NA> ana <NA> <NA>\n{line}\n")
    with pytest.raises(SpeechError, match=rf"TR-P11 line 2 of tape.rttm .*{re.escape(message)}"):
        rttm.read(file)


def test_a_file_that_is_no_text_or_not_there_is_refused(file):
    with pytest.raises(SpeechError, match=r"TR-P10 file tape.rttm cannot be read \(No such file"):
        rttm.read(file)
    file.write_bytes(b"\xff\xfeRIFF")
    with pytest.raises(SpeechError, match=r"TR-P10 .*not text"):
        rttm.read(file)


def test_pyannote_reads_what_we_wrote_and_we_read_what_it_wrote(tmp_path: Path) -> None:
    expected = Annotation(uri="walk")
    expected[Segment(0.5, 2.25), "_"] = "ana"
    expected[Segment(2, 3), "_"] = "Client"
    with (tmp_path / "theirs.rttm").open("w") as theirs:
        expected.write_rttm(theirs)
    result = rttm.read_transcript(Source.open(tmp_path / "theirs.rttm"))
    assert [(utterance.span, utterance.speaker, utterance.role) for utterance in result.utterances] == [
        (Span(500, 2250), "ana", "unknown"),
        (Span(2000, 3000), "Client", "client"),
    ]
    (tmp_path / "ours.rttm").write_bytes(rttm.write_transcript(result))
    back = load_rttm(tmp_path / "ours.rttm")["walk"]
    assert [(segment.start, segment.end, label) for segment, _, label in back.itertracks(yield_label=True)] == [
        (0.5, 2.25, "ana"),
        (2.0, 3.0, "Client"),
    ]


def test_lines_of_two_recordings_are_no_tape() -> None:
    text = "SPEAKER a 1 0 1 <NA> <NA> x <NA> <NA>\nSPEAKER b 1 0 1 <NA> <NA> x <NA> <NA>\n"
    with pytest.raises(FormatError, match="TR-F07 .*2 recordings"):
        rttm.read_transcript(Source("x.rttm", text.encode()))
