"""What each format gives back of what it was given: all but that which its docstring says it cannot hold."""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from pipeline.errors import FormatError
from pipeline.formats import registry
from pipeline.formats.safe_reader import Source
from pipeline.formats.transcript import CodedTranscript, CodedUtterance, Mark, transcript
from tests.formats.transcripts import BREAKS, PAYLOADS, WALK, transcripts

Kept = Callable[[CodedUtterance], CodedUtterance]


def whole(said: CodedUtterance) -> CodedUtterance:
    return replace(said, words=())


def tiered(said: CodedUtterance) -> CodedUtterance:
    return replace(said, id="", marks=tuple(dict.fromkeys(replace(mark, at="") for mark in said.marks)))


def simple(said: CodedUtterance) -> CodedUtterance:
    """Text and codes, whoever gave them."""
    codes = dict.fromkeys(mark.code for mark in said.marks)
    return replace(said, id="", marks=tuple(sorted(Mark(code) for code in codes)), words=())


def dated(said: CodedUtterance) -> CodedUtterance:
    """Label Studio has one pass for each coder, layer and date."""
    return replace(said, words=())


KEPT: dict[str, Kept] = {
    "csv": whole,
    "parquet": whole,
    "elan": tiered,
    "textgrid": tiered,
    "chat": simple,
    "webvtt": simple,
    "label-studio": dated,
    "refi-qda": whole,
    "srt": lambda said: replace(said, id="", marks=(), words=()),
    "rttm": lambda said: CodedUtterance("", said.span, re.sub(r"\s+", "_", said.speaker)),
}
"""What is left of an utterance in each format."""

APART = {"cacti", "ctm"}
"""CACTI's moments merge, and CTM has words alone: they have tests of their own."""

BREAKING = {"csv", "elan", "textgrid", "webvtt", "label-studio", "refi-qda"}
"""Formats that hold line breaks and tabs within a text."""


def through(name: str, said: CodedTranscript) -> CodedTranscript:
    one = registry.named(name)
    return one.read(Source(f"{said.tape_id}{one.ending}", one.write(said)))


def compared(said: CodedTranscript, kept: Kept) -> list[CodedUtterance]:
    """Utterances as a format keeps them, in an order that does not depend on ids, marks in order."""
    found = [kept(replace(one, marks=tuple(sorted(set(one.marks))))) for one in said.utterances]
    return sorted(found, key=repr)


def test_every_format_makes_its_round_trip() -> None:
    assert set(KEPT) | APART == {one.name for one in registry.FORMATS}


@pytest.mark.parametrize("name", sorted(set(KEPT) - {"parquet"}))
@settings(max_examples=25, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_reads_what_it_wrote(name: str, data: st.DataObject) -> None:
    said = data.draw(transcripts(breaks=name in BREAKING))
    assume(name != "srt" or all("-->" not in one.text for one in said.utterances))
    back = through(name, said)
    assert compared(back, KEPT[name]) == compared(said, KEPT[name])


@settings(max_examples=8, suppress_health_check=[HealthCheck.too_slow])  # each reading starts a process of its own
@given(said=transcripts(breaks="parquet" in BREAKING))
def test_reads_the_parquet_that_it_wrote(said: CodedTranscript) -> None:
    assert compared(through("parquet", said), whole) == compared(said, whole)


def test_reads_the_hard_texts_in_the_parquet_that_it_wrote() -> None:
    hard = [replace(WALK.utterances[0], id="", text=text) for text in (*PAYLOADS, *BREAKS)]
    said = transcript("walk", [*hard, *WALK.utterances])
    assert compared(through("parquet", said), whole) == compared(said, whole)


@pytest.mark.parametrize("name", sorted(set(KEPT) | APART))
@pytest.mark.parametrize("zero", [None, 0, 30_000, 3_723_456])
def test_a_file_says_what_its_times_count_from(name: str, zero: int | None) -> None:
    spoken = replace(WALK, utterances=WALK.utterances[:2], zero=zero)
    back = through(name, spoken)
    assert back.zero == zero
    assert [one.span.start for one in back.utterances] == ([0] if name == "ctm" else [0, 1200])
    assert through(name, transcript("walk", [], zero=zero)).zero in (zero, None)


@pytest.mark.parametrize("name", sorted((set(KEPT) | APART) - {"parquet"}))
def test_people_read_what_times_count_from(name: str) -> None:
    format_ = registry.named(name)
    data = format_.write(replace(WALK, utterances=WALK.utterances[:2], zero=30_000))
    text = (
        b"".join(Source("x.qdpx", data).members()[key].data for key in ("project.qde",)) if name == "refi-qda" else data
    )
    said = {"csv": b"30.000", "rttm": b"time_0_is_30.000_s_into_the_recording"}
    assert said.get(name, b"time 0 is 30.000 s into the recording") in text


@pytest.mark.parametrize("name", sorted(set(KEPT) | APART))
@pytest.mark.parametrize("bad", ["\0", "\x0b", "\x1b[31m", "a\rb", "\ud800", "\u2028", "\ufffe", "\x85"])
def test_what_no_format_can_hold_is_refused(name: str, bad: str) -> None:
    text = f"x{bad}y"
    word = replace(WALK.utterances[0].words[0], text=text, speaker=text)
    said = transcript("walk", [replace(WALK.utterances[0], text=text, speaker=text, words=(word,))])
    with pytest.raises(FormatError, match="TR-F08"):
        registry.named(name).write(said)


@pytest.mark.parametrize("name", sorted(set(KEPT) | APART))
@pytest.mark.parametrize(
    "content", [b"", b"\0" * 600, b"\xff\xfe\xfa" * 300, b"PK\x03\x04", b"no such format\n", b"{}", b"<a/>"]
)
def test_what_is_none_is_refused(name: str, content: bytes) -> None:
    if content == b"" and name in ("rttm", "ctm", "srt"):
        assert registry.named(name).read(Source("silence", content)).utterances == ()
        return
    with pytest.raises(FormatError, match="TR-F0[3567] .*nothing.bin"):
        registry.named(name).read(Source("nothing.bin", content))


@pytest.mark.parametrize("name", sorted(set(KEPT) | APART))
def test_a_spoiled_file_is_read_or_refused(name: str) -> None:
    one = registry.named(name)
    good = one.write(WALK)
    step = max(1, len(good) // (3 if name == "parquet" else 40))
    for place in range(1, len(good), step):
        for data in (good[:place], good[:place] + b"\xff" + good[place + 1 :], good[:place] + good[place + step :]):
            with suppress(FormatError):
                assert isinstance(one.read(Source("spoiled.bin", data)), CodedTranscript)


@pytest.mark.parametrize("name", sorted({one.name for one in registry.FORMATS} - BREAKING - {"parquet", "cacti"}))
@pytest.mark.parametrize("text", ["1\n2", "a\tb", "blank\n\nline", "1\n00:00:01,000 --> 00:00:02,000\nx"])
def test_a_break_is_refused_or_comes_back(name: str, text: str) -> None:
    word = replace(WALK.utterances[0].words[0], text=text)
    said = transcript("walk", [replace(WALK.utterances[0], text=text, speaker=text, words=(word,))])
    with suppress(FormatError):
        back = through(name, said)
        assert [one.text for one in back.utterances] == [text]


@pytest.mark.parametrize("name", sorted({one.name for one in registry.FORMATS} - {"cacti", "parquet"}))
def test_hard_texts_come_back(name: str) -> None:
    for hard in PAYLOADS:
        text = hard.replace("-->", "->") if name == "srt" else "".join(hard.split()) if name == "ctm" else hard
        word = replace(WALK.utterances[0].words[0], text="".join(text.split()))
        said = transcript("walk", [replace(WALK.utterances[0], text=text, words=(word,))])
        (back,) = through(name, said).utterances
        assert back.text == ("" if name == "rttm" else text)
