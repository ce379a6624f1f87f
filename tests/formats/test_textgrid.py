from pathlib import Path

import pytest
from praatio import textgrid as praat
from praatio.utilities.constants import Interval, Point

from pipeline.errors import FormatError
from pipeline.formats import textgrid
from pipeline.formats.safe_reader import Source
from pipeline.formats.transcript import CodedUtterance, Mark, ordered_transcript
from pipeline.timeline import Span
from tests.formats.transcripts import WALK


@pytest.mark.parametrize("layout", ["long_textgrid", "short_textgrid"])
def test_reads_what_praatio_made(tmp_path: Path, layout: str) -> None:
    grid = praat.Textgrid(0, 3)
    expected = [Interval(0.1, 0.9, 'say "hm"'), Interval(1, 2, "2 miles")]
    grid.addTier(praat.IntervalTier("Client", expected, 0, 3))
    grid.addTier(praat.IntervalTier("Client - words", [Interval(1, 1.25, "2"), Interval(1.5, 2, "miles")], 0, 3))
    grid.addTier(praat.PointTier("codes", [Point(1.5, "C+|R")], 0, 3))
    grid.save(str(tmp_path / "talk.TextGrid"), layout, includeBlankSpaces=True)  # type: ignore[arg-type]
    transcript = textgrid.read(Source.open(tmp_path / "talk.TextGrid"))
    texts = [(utterance.span, utterance.role, utterance.text) for utterance in transcript.utterances if utterance.text]
    assert texts[0] == (Span(100, 900), "client", 'say "hm"')
    assert (Span(1000, 2000), "client", "2 miles") in texts
    coded = [utterance for utterance in transcript.utterances if utterance.marks]
    assert [(utterance.span, utterance.marks) for utterance in coded] == [(Span(1000, 2000), (Mark("C+"), Mark("R")))]
    assert transcript.notes == (
        "Tiers read as text: Client; as codes: codes; as words: Client - words."
        " --tier NAME=codes, text, words or skip changes that.",
    )


def test_praatio_reads_what_we_wrote(tmp_path: Path) -> None:
    path = tmp_path / "walk.TextGrid"
    path.write_bytes(textgrid.write(WALK))
    grid = praat.openTextgrid(str(path), includeEmptyIntervals=False)
    assert grid.tierNames == (
        "client:S2",
        "codes:client:S2:coach:ana",
        "interviewer:S1",
        "codes:interviewer:S1:coach:ana",
        "codes:interviewer:S1:machine:machine",
        "words:interviewer:S1",
    )
    assert list(grid.getTier("client:S2").entries) == [Interval(1.2, 2.5, "I could walk.")]
    assert list(grid.getTier("codes:client:S2:coach:ana").entries) == [Interval(1.2, 2.5, "change")]


def test_a_pause_is_not_an_utterance_and_silence_has_a_mark() -> None:
    transcript = ordered_transcript(
        "t", [CodedUtterance("", Span(500, 700)), CodedUtterance("", Span(900, 900), text="now")]
    )
    written = textgrid.write(transcript)
    assert written.decode().count('text = ""') == 2
    assert '"[speech]"' in written.decode()
    assert [(utterance.span, utterance.text) for utterance in textgrid.read(Source("t", written)).utterances] == [
        (Span(500, 700), ""),
        (Span(900, 901), "now"),
    ]


HEAD = 'File type = "ooTextFile"\nObject class = "TextGrid"\n0 1 <exists> 1 "IntervalTier" "t" 0 1 1 '


def test_words_between_values_are_comments() -> None:
    text = HEAD.replace("<exists>", '! 5 tiers "no"\ntiers? <exists>') + 'from 0 to: 1 "hm"'
    assert textgrid.read(Source("t.TextGrid", text.encode())).utterances[0].text == "hm"


@pytest.mark.parametrize(
    ("content", "code", "message"),
    [
        (HEAD + "0 1", "TR-F03", "ends too soon"),
        (HEAD + '0 1 "open', "TR-F03", "ends too soon"),
        (HEAD + '0 1 "' + '"' * 200_000, "TR-F03", "ends too soon"),
        (HEAD + '"a" 1 "b"', "TR-F07", "'a' for a time"),
        (HEAD + '1 0 "b"', "TR-F07", "ends before it starts"),
        (HEAD + '0 1e300 "b"', "TR-F07", "for a time"),
        (HEAD.replace("1 1 ", "1 1e300 "), "TR-F03", "number of tiers"),
        (HEAD.replace("1 1 ", "1 9999999 "), "TR-F03", "ends too soon"),
        (HEAD.replace("IntervalTier", "Pitch") + '0 "b"', "TR-F03", "unknown class"),
        (HEAD.replace("TextGrid", "Sound"), "TR-F03", "another object"),
        ("ooBinaryFile\x08TextGrid", "TR-F03", "not a TextGrid"),
    ],
)
def test_a_wrong_textgrid_is_named(content: str, code: str, message: str) -> None:
    with pytest.raises(FormatError) as caught:
        textgrid.read(Source("t.TextGrid", content.encode()))
    assert caught.value.code == code
    assert message in str(caught.value)
