"""What each format gives back of what it was given: all but that which its docstring says it cannot hold."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline.errors import FormatError
from pipeline.formats import registry
from pipeline.formats.coded import CodedTranscript, CodedUtterance, transcript
from pipeline.formats.intake import Source
from tests.formats.transcripts import BREAKS, PAYLOADS, WALK, transcripts

Kept = Callable[[CodedUtterance], CodedUtterance]


def whole(said: CodedUtterance) -> CodedUtterance:
    return replace(said, words=())


def tiered(said: CodedUtterance) -> CodedUtterance:
    return replace(said, id="", marks=tuple(replace(mark, at="") for mark in said.marks))


KEPT: dict[str, Kept] = {
    "csv": whole,
    "parquet": whole,
    "elan": tiered,
    "textgrid": tiered,
}
"""What is left of an utterance in each format; CACTI, whose moments merge, has a test of its own."""

APART = {"cacti"}


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
    said = data.draw(transcripts(breaks=name in ("csv", "elan", "textgrid")))
    back = through(name, said)
    assert compared(back, KEPT[name]) == compared(said, KEPT[name])


def test_reads_the_parquet_that_it_wrote() -> None:
    hard = [replace(WALK.utterances[0], id="", text=text) for text in (*PAYLOADS, *BREAKS)]
    said = transcript("walk", [*hard, *WALK.utterances])
    assert compared(through("parquet", said), whole) == compared(said, whole)


@pytest.mark.parametrize("name", sorted(set(KEPT) | APART))
@pytest.mark.parametrize("bad", ["\0", "\x0b", "\x1b[31m", "a\rb", "\ud800", "\u2028", "\ufffe", "\x85"])
def test_what_no_format_can_hold_is_refused(name: str, bad: str) -> None:
    said = transcript("walk", [replace(WALK.utterances[0], text=f"x{bad}y")])
    with pytest.raises(FormatError, match="TR-F08"):
        registry.named(name).write(said)


@pytest.mark.parametrize("name", sorted(set(KEPT) | APART))
@pytest.mark.parametrize(
    "content", [b"", b"\0" * 600, b"\xff\xfe\xfa" * 300, b"PK\x03\x04", b"no such format\n", b"{}", b"<a/>"]
)
def test_what_is_none_is_refused(name: str, content: bytes) -> None:
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
