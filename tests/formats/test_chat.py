import re
from pathlib import Path

import pympi.Elan
import pytest

from pipeline.errors import FormatError
from pipeline.formats import chat
from pipeline.formats.safe_reader import Source
from pipeline.formats.transcript import NO_TIMES, Mark
from pipeline.timeline import Span
from tests.formats.transcripts import WALK

CLAN = """@UTF8
@Begin
@Languages:\teng
@Participants:\tTHE Ann Therapist, PAR Participant
@ID:\teng|change|THE||female|||Therapist|||
@ID:\teng|change|PAR|||||Participant|||
@Media:\tsession7, audio
@Comment:\tthe client (.) is tired
*THE:\t&-um what would [//] (.) you <like to> [/] like to do@s , Ann ? \x15100_1250\x15
%cod:\t$OQ $Q+/-
%mor:\tco|um pro|what ?
*PAR:\tI (re)member
\tthat I walked +... \x152000_2500\x15
%com:\tlooks up
*PAR:\t0 .
@End
"""


def test_reads_what_clan_keeps() -> None:
    transcript = chat.read(Source("x.cha", CLAN.encode()))
    assert transcript.tape_id == "session7"
    first, second, third = transcript.utterances
    assert (first.span, first.speaker, first.role) == (Span(100, 1250), "Ann", "interviewer")
    assert first.text == "um what would you like to like to do, Ann?"
    assert first.marks == (Mark("OQ"), Mark("Q+/-"))
    assert (second.speaker, second.role, second.text) == ("PAR", "client", "I remember that I walked.")
    assert (third.span, third.text) == (Span(2500, 2500), "")


def test_the_lines_by_hand() -> None:
    assert chat.write(WALK).decode().splitlines() == [
        "@UTF8",
        "@Begin",
        "@Languages:\teng",
        "@Participants:\tINV S1 Investigator, PAR S2 Participant",
        "@ID:\teng|tape|INV|||||Investigator|||",
        "@ID:\teng|tape|PAR|||||Participant|||",
        "@Media:\twalk, audio",
        "*INV:\tWhat would you like ? \x150_900\x15",
        "%cod:\t$question_open",
        "*PAR:\tI could walk . \x151200_2500\x15",
        "%cod:\t$change",
        "*INV:\tmm-hm . \x152400_2600\x15",
        "%xtxt:\tmm-hm",
        "@End",
    ]


def test_pympi_reads_what_we_wrote(tmp_path: Path) -> None:
    (tmp_path / "walk.cha").write_bytes(chat.write(WALK))
    eaf = pympi.Elan.eaf_from_chat(str(tmp_path / "walk.cha"))
    assert eaf.get_annotation_data_for_tier("PAR") == [(1200, 2500, "I could walk . ")]


@pytest.mark.parametrize(
    ("old", "new", "code", "message"),
    [
        ("@Begin\n", "", "TR-F03", "lacks @Begin"),
        ("@End\n", "", "TR-F03", "lacks @Begin or @End"),
        ("*THE", "*TEH", "TR-F07", "line 9 of x.cha is said by 'TEH'"),
        ("*THE:", "*THE", "TR-F07", "who is not a participant"),
        ("100_1250", "1250_100", "TR-F07", "ends before"),
        ("100_1250", "100_999999999999", "TR-F07", "for a time"),
        ("*PAR:\t0 .", "PAR: 0 .", "TR-F03", "not a line of CHAT"),
    ],
)
def test_a_wrong_line_is_named(old: str, new: str, code: str, message: str) -> None:
    with pytest.raises(FormatError) as caught:
        chat.read(Source("x.cha", CLAN.replace(old, new, 1).encode()))
    assert caught.value.code == code
    assert message in str(caught.value)


def test_a_file_without_times_keeps_its_order_and_tells_it() -> None:
    transcript = chat.read(Source("x.cha", re.sub(r"\x15\d+_\d+\x15", "", CLAN).encode()))
    timed = chat.read(Source("x.cha", CLAN.encode()))
    assert [utterance.text for utterance in transcript.utterances] == [utterance.text for utterance in timed.utterances]
    assert {utterance.span for utterance in transcript.utterances} == {Span(0, 0)}
    assert transcript.notes == (NO_TIMES,)


def test_the_times_of_words_are_those_of_a_line_without_a_bullet() -> None:
    words = "*PAR:\tI walk .\n%wor:\tI \x15100_200\x15 walk \x15200_500\x15 .\n"
    untimed = f"@Begin\n@Participants:\tPAR Participant\n{words}@End\n"
    (line,) = chat.read(Source("x.cha", untimed.encode())).utterances
    assert line.span == Span(100, 500)


@pytest.mark.parametrize("line", ["[" * 300_000, "(." * 150_000, "&-" * 150_000, " " * 300_000 + "x", "\x15" * 300_000])
def test_marks_without_end_take_a_moment(line: str) -> None:
    text = CLAN.replace("&-um", line)
    assert len(chat.read(Source("x.cha", text.encode())).utterances) == 3
