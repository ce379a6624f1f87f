"""Invented transcripts for round trips, with texts that would break careless syntax."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import strategies as st

from pipeline.formats.transcript import CodedTranscript, CodedUtterance, Mark, ordered_transcript
from pipeline.timeline import LAYERS, Role, Span, Word

PAYLOADS = (
    "<script>alert(1)</script>",
    "00:00:01.000 --> 00:00:02.000",
    "=cmd|' /C calc'!A0",
    "@SUM(1+1)",
    "-- well; 'yes'",
    '"quoted" ""twice""',
    'item [1]: intervals [1]: text = "IntervalTier"',
    "&amp; &#60; ]]> <!-- -->",
    "*CLI:\\t%cod: $x \\x15 [= 1_2]",
    "WEBVTT NOTE STYLE",
    "été 日本語 🙂 \u200b\u202e عربي",
    "100 % sure, 50%20 off",
    '{"a": [1, null]}',
    ";; SPEAKER 1",
    "; DROP TABLE utterances; --",
    "1e5",
)

BREAKS = ("two\nlines", "a\tb", "blank\n\nline", "1\n00:00:01,000 --> 00:00:02,000\nx")

_LETTERS = st.characters(exclude_categories=["C", "Zl", "Zp"])

_plain = st.text(_LETTERS, max_size=12).map(str.strip)
names = st.text(_LETTERS, min_size=1, max_size=8).map(str.strip).filter(bool)
codes = st.text(st.characters(exclude_categories=["C", "Zl", "Zp"], exclude_characters="|"), min_size=1, max_size=8)
codes = st.sampled_from(["question_open", "CR+/-", "NEUTRAL (TEEN)", "C+"]) | codes.map(str.strip).filter(bool)


def texts(breaks: bool) -> st.SearchStrategy[str]:
    hard = PAYLOADS + BREAKS if breaks else PAYLOADS
    return st.one_of(_plain, st.sampled_from(hard))


marks = st.builds(
    Mark,
    codes,
    st.just("") | names,
    st.sampled_from(("", *LAYERS)),
    st.sampled_from(("", "2026-11-24T20:15:00Z")),
)
roles: st.SearchStrategy[Role] = st.sampled_from(("interviewer", "client", "unknown"))


@st.composite
def utterances(draw: st.DrawFn, *, breaks: bool = False, words: bool = True) -> CodedUtterance:
    start, length = draw(st.integers(0, 100_000)), draw(st.integers(1, 5000))
    speaker = draw(st.sampled_from(("S1", "S2")) | names)
    spoken = []
    if words and draw(st.booleans()):
        cuts = sorted(draw(st.sets(st.integers(1, length), max_size=4)))
        bounds = [0, *cuts]
        spoken = [Word(Span(start + a, start + b), draw(names), 1.0, speaker) for a, b in pairwise(bounds)]
    return CodedUtterance(
        "",
        Span(start, start + length),
        speaker,
        draw(roles),
        draw(texts(breaks)),
        tuple(draw(st.lists(marks, max_size=3, unique=True))),
        tuple(spoken),
    )


@st.composite
def transcripts(draw: st.DrawFn, *, breaks: bool = False, words: bool = True) -> CodedTranscript:
    transcript = draw(st.lists(utterances(breaks=breaks, words=words), max_size=5))
    return ordered_transcript(draw(names), transcript)


WALK = ordered_transcript(
    "walk",
    [
        CodedUtterance(
            "",
            Span(0, 900),
            "S1",
            "interviewer",
            "What would you like?",
            (Mark("question_open", "ana", "coach"), Mark("question_open", "machine", "machine")),
            (Word(Span(0, 400), "What", 1.0, "S1"), Word(Span(400, 900), "like?", 0.5, "S1")),
        ),
        CodedUtterance("", Span(1200, 2500), "S2", "client", "I could walk.", (Mark("change", "ana", "coach"),)),
        CodedUtterance("", Span(2400, 2600), "S1", "interviewer", "mm-hm"),
    ],
)
"""A tape of three utterances, times to be checked by hand."""
