from dataclasses import replace

import meeteval
import pytest
from hypothesis import given, settings

from pipeline.errors import FormatError
from pipeline.formats import ctm
from pipeline.formats.safe_reader import Source
from pipeline.formats.transcript import CodedTranscript, CodedUtterance, ordered_transcript
from pipeline.timeline import Span, Word
from tests.formats.transcripts import WALK, transcripts

# As sclite's manual shows it: comments, alternatives, a word without a probability.
SCLITE = """;; CTM
;; two speakers
tape A 0.500 0.25 what 0.97
tape A 1 .5 <UNK>
tape A * * <ALT_BEGIN>
tape B 2.00 0.10 walk 1
tape A * * <ALT_END>
tape A 9 1 then NA
"""


def test_reads_the_words_of_a_recognizer() -> None:
    transcript = ctm.read(Source("x.ctm", SCLITE.encode()))
    assert transcript.tape_id == "tape"
    assert [(utterance.speaker, utterance.span, utterance.text) for utterance in transcript.utterances] == [
        ("A", Span(500, 1500), "what <UNK>"),
        ("B", Span(2000, 2100), "walk"),
        ("A", Span(9000, 10_000), "then"),
    ]
    assert [word.probability for word in transcript.utterances[0].words] == [0.97, 1.0]


def test_the_lines_by_hand() -> None:
    assert ctm.write(WALK).decode() == "walk S1 0.000 0.400 What 1.0000\nwalk S1 0.400 0.500 like? 0.5000\n"


def test_meeteval_reads_what_we_wrote_and_we_read_what_it_wrote() -> None:
    result = meeteval.io.CTM.parse(ctm.write(WALK).decode())
    assert [(line.filename, line.channel, line.word) for line in result.lines] == [
        ("walk", "S1", "What"),
        ("walk", "S1", "like?"),
    ]
    assert [(float(line.begin_time), float(line.duration)) for line in result.lines] == [(0.0, 0.4), (0.4, 0.5)]
    back = ctm.read(Source("walk.ctm", result.dumps().encode()))
    assert [(utterance.speaker, utterance.span, utterance.text) for utterance in back.utterances] == [
        ("S1", Span(0, 900), "What like?")
    ]


def bare(transcript: CodedTranscript) -> CodedTranscript:
    """The same with words that have no blanks."""
    cut = [
        replace(utterance, words=tuple(replace(word, text="".join(word.text.split())) for word in utterance.words))
        for utterance in transcript.utterances
    ]
    return CodedTranscript(transcript.tape_id, tuple(cut))


@settings(max_examples=40)
@given(transcripts().map(bare).filter(lambda talk: any(utterance.words for utterance in talk.utterances)))
def test_words_come_back(transcript: CodedTranscript) -> None:
    back = ctm.read(Source("x.ctm", ctm.write(transcript)))
    words = [[word for utterance in each.utterances for word in utterance.words] for each in (transcript, back)]
    assert sorted(words[0], key=repr) == sorted(words[1], key=repr)
    assert back.tape_id == transcript.tape_id


@pytest.mark.parametrize("text", ["two words", "a\u00a0b", "", " "])
def test_a_word_with_a_blank_is_refused(text: str) -> None:
    transcript = ordered_transcript("t", [CodedUtterance("", Span(0, 1), words=(Word(Span(0, 1), text, 1.0),))])
    with pytest.raises(FormatError, match="TR-F08 .*space"):
        ctm.write(transcript)


def test_a_transcript_without_words_says_where_to_find_them() -> None:
    with pytest.raises(FormatError, match="TR-F08 tape t has no words.*folder"):
        ctm.write(ordered_transcript("t", [CodedUtterance("", Span(0, 1), text="hm")]))


@pytest.mark.parametrize(
    ("line", "code", "message"),
    [
        ("tape A 0.5 word", "TR-F03", "has 4 fields"),
        ("tape A soon 1 word", "TR-F07", "'soon' for a time"),
        ("tape A 1 -1 word", "TR-F07", "'-1' for a time"),
        ("tape A 1 1 word high", "TR-F07", "'high' for a probability"),
        ("tape A 1 1 word nan", "TR-F07", "'nan' for a probability"),
        ("other A 1 1 word", "TR-F07", "holds 2 tapes"),
    ],
)
def test_a_wrong_line_is_named(line: str, code: str, message: str) -> None:
    with pytest.raises(FormatError) as caught:
        ctm.read(Source("x.ctm", f"tape A 0 1 hm\n{line}\n".encode()))
    assert caught.value.code == code
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("field", "probability"),
    [("-1.000000", 1.0), ("1.02", 1.0), ("9.8e-01", 0.98), (".5", 0.5), ("0", 0.0), ("NA", 1.0)],
)
def test_confidences_are_read_as_recognizers_write_them(field: str, probability: float) -> None:
    (utterance,) = ctm.read(Source("x.ctm", f"walk 1 0.00 0.40 What {field}".encode())).utterances
    assert utterance.words[0].probability == probability


def test_the_eighth_field_is_the_speaker() -> None:
    lines = "walk 1 0.00 0.40 What 0.9 lex ann\nwalk 1 1.00 0.40 Walk 0.9 lex bob\nwalk 1 3 1 hm .9 lex NA\n"
    transcript = ctm.read(Source("x.ctm", lines.encode()))
    assert [utterance.speaker for utterance in transcript.utterances] == ["ann", "bob", "1"]
