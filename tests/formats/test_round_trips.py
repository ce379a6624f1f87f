"""Each format gives back everything but that which its docstring says it cannot hold."""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from pipeline.errors import FormatError
from pipeline.formats import registry, textgrid
from pipeline.formats.safe_reader import Source
from pipeline.formats.transcript import NO_TIMES, CodedTranscript, CodedUtterance, Mark, ordered_transcript
from pipeline.timeline import Span, Word
from tests.formats.transcripts import BREAKS, PAYLOADS, WALK, transcripts

Kept = Callable[[CodedUtterance], CodedUtterance]


def whole(utterance: CodedUtterance) -> CodedUtterance:
    return replace(utterance, words=())


def tiered(utterance: CodedUtterance) -> CodedUtterance:
    return replace(utterance, id="", marks=tuple(dict.fromkeys(replace(mark, at="") for mark in utterance.marks)))


def simple(utterance: CodedUtterance) -> CodedUtterance:
    """Text and codes, whoever gave them."""
    codes = dict.fromkeys(mark.code for mark in utterance.marks)
    return replace(utterance, id="", marks=tuple(sorted(Mark(code) for code in codes)), words=())


def dated(utterance: CodedUtterance) -> CodedUtterance:
    """Label Studio has one pass for each coder, layer and date."""
    return replace(utterance, words=())


KEPT: dict[str, Kept] = {
    "csv": whole,
    "parquet": whole,
    "elan": tiered,
    "textgrid": tiered,
    "chat": simple,
    "webvtt": simple,
    "label-studio": dated,
    "refi-qda": whole,
    "srt": lambda utterance: replace(utterance, id="", marks=(), words=()),
    "rttm": lambda utterance: CodedUtterance("", utterance.span, re.sub(r"\s+", "_", utterance.speaker)),
}
"""The part of an utterance that each format holds."""

APART = {"cacti", "ctm"}
"""CACTI's moments merge, and CTM has words alone: they have tests of their own."""

BREAKING = {"csv", "elan", "textgrid", "webvtt", "label-studio", "refi-qda"}
"""Formats that hold line breaks and tabs within a text."""


BY_TIME = {"elan", "textgrid", "rttm"}
"""Formats whose order is that of times: what starts together is written a millisecond apart."""


def through(name: str, transcript: CodedTranscript) -> CodedTranscript:
    format_ = registry.format_named(name)
    return format_.read(Source(f"{transcript.tape_id}{format_.ending}", format_.write(transcript)))


def compared(transcript: CodedTranscript, kept: Kept) -> list[CodedUtterance]:
    """Utterances as a format keeps them, in an order that does not depend on ids, marks in order."""
    result = [
        kept(replace(utterance, marks=tuple(sorted(set(utterance.marks))))) for utterance in transcript.utterances
    ]
    return sorted(result, key=repr)


def test_every_format_makes_its_round_trip() -> None:
    assert set(KEPT) | APART == {format_.name for format_ in registry.FORMATS}


@pytest.mark.parametrize("name", sorted(set(KEPT) - {"parquet"}))
@settings(max_examples=25, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_reads_what_it_wrote(name: str, data: st.DataObject) -> None:
    transcript = data.draw(transcripts(breaks=name in BREAKING))
    assume(name != "srt" or all("-->" not in utterance.text for utterance in transcript.utterances))
    # An aligner's label of a silence is one in our own files, too.
    assume(
        name != "textgrid" or all(utterance.text.strip() not in textgrid.SILENCE for utterance in transcript.utterances)
    )
    starts = {utterance.span.start for utterance in transcript.utterances}
    assume(name not in BY_TIME or len(starts) == len(transcript.utterances))
    back = through(name, transcript)
    assert compared(back, KEPT[name]) == compared(transcript, KEPT[name])


@settings(max_examples=8, suppress_health_check=[HealthCheck.too_slow])  # each reading starts a process of its own
@given(transcript=transcripts(breaks="parquet" in BREAKING))
def test_reads_the_parquet_that_it_wrote(transcript: CodedTranscript) -> None:
    assert compared(through("parquet", transcript), whole) == compared(transcript, whole)


def test_reads_the_hard_texts_in_the_parquet_that_it_wrote() -> None:
    hard = [replace(WALK.utterances[0], id="", text=text) for text in (*PAYLOADS, *BREAKS)]
    utterances = ordered_transcript("walk", [*hard, *WALK.utterances])
    assert compared(through("parquet", utterances), whole) == compared(utterances, whole)


@pytest.mark.parametrize("name", sorted(set(KEPT) | APART))
@pytest.mark.parametrize("zero", [None, 0, 30_000, 3_723_456])
def test_a_file_says_what_its_times_count_from(name: str, zero: int | None) -> None:
    spoken = replace(WALK, utterances=WALK.utterances[:2], zero=zero)
    back = through(name, spoken)
    assert back.zero == zero
    assert [utterance.span.start for utterance in back.utterances] == ([0] if name == "ctm" else [0, 1200])
    assert through(name, ordered_transcript("walk", [], zero=zero)).zero in (zero, None)


@pytest.mark.parametrize("name", sorted((set(KEPT) | APART) - {"parquet"}))
def test_people_read_what_times_count_from(name: str) -> None:
    format_ = registry.format_named(name)
    data = format_.write(replace(WALK, utterances=WALK.utterances[:2], zero=30_000))
    text = (
        b"".join(Source("x.qdpx", data).members()[key].data for key in ("project.qde",)) if name == "refi-qda" else data
    )
    expected = {"csv": b"30.000", "rttm": b"time_0_is_30.000_s_into_the_recording"}
    assert expected.get(name, b"time 0 is 30.000 s into the recording") in text


@pytest.mark.parametrize("name", sorted(set(KEPT) | APART))
@pytest.mark.parametrize("bad", ["\0", "\x0b", "\x1b[31m", "a\rb", "\ud800", "\u2028", "\ufffe", "\x85"])
def test_what_no_format_can_hold_is_refused(name: str, bad: str) -> None:
    text = f"x{bad}y"
    word = replace(WALK.utterances[0].words[0], text=text, speaker=text)
    utterances = ordered_transcript("walk", [replace(WALK.utterances[0], text=text, speaker=text, words=(word,))])
    with pytest.raises(FormatError, match="TR-F08"):
        registry.format_named(name).write(utterances)


@pytest.mark.parametrize("name", sorted(set(KEPT) | APART))
@pytest.mark.parametrize(
    "content", [b"", b"\0" * 600, b"\xff\xfe\xfa" * 300, b"PK\x03\x04", b"no such format\n", b"{}", b"<a/>"]
)
def test_what_is_none_is_refused(name: str, content: bytes) -> None:
    if content == b"" and name in ("rttm", "ctm", "srt"):
        assert registry.format_named(name).read(Source("silence", content)).utterances == ()
        return
    with pytest.raises(FormatError, match="TR-F0[3567] .*nothing.bin"):
        registry.format_named(name).read(Source("nothing.bin", content))


@pytest.mark.parametrize("name", sorted(set(KEPT) | APART))
def test_a_spoiled_file_is_read_or_refused(name: str) -> None:
    format_ = registry.format_named(name)
    good = format_.write(WALK)
    step = max(1, len(good) // (3 if name == "parquet" else 40))
    for index in range(1, len(good), step):
        for data in (good[:index], good[:index] + b"\xff" + good[index + 1 :], good[:index] + good[index + step :]):
            with suppress(FormatError):
                assert isinstance(format_.read(Source("spoiled.bin", data)), CodedTranscript)


@pytest.mark.parametrize(
    "name", sorted({file_format.name for file_format in registry.FORMATS} - BREAKING - {"parquet", "cacti"})
)
@pytest.mark.parametrize("text", ["1\n2", "a\tb", "blank\n\nline", "1\n00:00:01,000 --> 00:00:02,000\nx"])
def test_a_break_is_refused_or_comes_back(name: str, text: str) -> None:
    word = replace(WALK.utterances[0].words[0], text=text)
    utterances = ordered_transcript("walk", [replace(WALK.utterances[0], text=text, speaker=text, words=(word,))])
    with suppress(FormatError):
        back = through(name, utterances)
        assert [utterance.text for utterance in back.utterances] == [text]


@pytest.mark.parametrize("name", sorted({file_format.name for file_format in registry.FORMATS} - {"cacti", "parquet"}))
def test_hard_texts_come_back(name: str) -> None:
    for hard in PAYLOADS:
        text = hard.replace("-->", "->") if name == "srt" else "".join(hard.split()) if name == "ctm" else hard
        word = replace(WALK.utterances[0].words[0], text="".join(text.split()))
        utterances = ordered_transcript("walk", [replace(WALK.utterances[0], text=text, words=(word,))])
        (back,) = through(name, utterances).utterances
        assert back.text == ("" if name == "rttm" else text)


ORDERED = sorted({file_format.name for file_format in registry.FORMATS} - {"ctm", "parquet"})
"""Formats that hold the order of utterances; CTM holds none, and Parquet holds what CSV does."""

_turns = st.lists(
    st.tuples(
        st.sampled_from(["interviewer Ann", "client Zed", "client Abe"]), st.sampled_from([0, 0, 0, 1, 900, 2000])
    ),
    min_size=1,
    max_size=8,
)


def spoken_in_turn(turns: list[tuple[str, int]], starts: list[int]) -> CodedTranscript:
    """Utterances with a text of their own each, which start and last as long as they say."""
    return ordered_transcript(
        "walk",
        [
            CodedUtterance("", Span(start, start + length), speaker, role, f"text {number}", (Mark(f"code {role}"),))
            for number, ((who, length), start) in enumerate(zip(turns, starts, strict=True))
            for role, speaker in [who.split()]
        ],
    )


def order(name: str, spoken: CodedTranscript) -> list[str]:
    return [utterance.speaker if name == "rttm" else utterance.text for utterance in spoken.utterances]


@pytest.mark.parametrize("name", ORDERED)
@settings(max_examples=15)
@given(turns=_turns, data=st.data())
def test_the_order_of_speech_comes_back_where_utterances_start_together(
    name: str, turns: list[tuple[str, int]], data: st.DataObject
) -> None:
    starts = sorted(data.draw(st.lists(st.sampled_from([0, 0, 500, 501]), min_size=len(turns), max_size=len(turns))))
    spoken = spoken_in_turn(turns, starts)
    back = through(name, spoken)
    assert order(name, back) == order(name, spoken)


@pytest.mark.parametrize("name", ORDERED)
def test_a_talk_without_times_keeps_its_order_and_is_known_to_have_none(name: str) -> None:
    turns = [("client Zed" if number % 2 else "interviewer Ann", 0) for number in range(1, 250)]
    spoken = spoken_in_turn(turns, [0] * len(turns))
    assert spoken.notes == (NO_TIMES,)
    back = through(name, spoken)
    assert order(name, back) == order(name, spoken)
    if name != "cacti":  # whose moments are tenths of a second
        assert {utterance.span for utterance in back.utterances} == {Span(0, 0)}
        assert NO_TIMES in back.notes


@pytest.mark.parametrize("name", ["elan", "textgrid"])
def test_words_of_no_length_and_words_of_what_starts_together_stay_with_their_utterance(name: str) -> None:
    words = [
        Word(Span(0, 1), "So", 1.0, "S1"),
        Word(Span(1, 1), "you", 1.0, "S1"),
        Word(Span(900, 900), "walk", 1.0, "S1"),
    ]
    first = CodedUtterance("", Span(0, 900), "S2", "client", "Well.")
    spoken = ordered_transcript(
        "walk", [first, CodedUtterance("", Span(0, 900), "S1", "interviewer", "So you walk", (), tuple(words))]
    )
    back = through(name, spoken)
    assert [(each.text, [word.text for word in each.words]) for each in back.utterances] == [
        ("Well.", []),
        ("So you walk", ["So", "you", "walk"]),
    ]
