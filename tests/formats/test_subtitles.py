from pathlib import Path

import pytest
import webvtt as library

from pipeline.errors import FormatError
from pipeline.formats import subtitles
from pipeline.formats.safe_reader import Source
from pipeline.formats.subtitles import Cue
from pipeline.formats.transcript import CodedUtterance, ordered_transcript
from pipeline.timeline import Span
from tests.formats.transcripts import WALK


def test_the_lines_of_both_by_hand() -> None:
    assert subtitles.write_webvtt(WALK).decode().split("\n\n")[2] == (
        "u0002\n00:00:01.200 --> 00:00:02.500\n<v.client.change S2>I could walk.</v>"
    )
    assert subtitles.write_srt(WALK).decode().split("\n\n")[1] == (
        "2\n00:00:01,200 --> 00:00:02,500\n[client S2] I could walk."
    )
    assert subtitles.clock(3_661_500, ".") == "01:01:01.500"


def test_webvtt_py_reads_what_we_wrote(tmp_path: Path) -> None:
    hard = [
        CodedUtterance("", Span(n * 10, n * 10 + 5), "S<1>", "client", text)
        for n, text in enumerate(("a --> b", "<b>"))
    ]
    (tmp_path / "t.vtt").write_bytes(subtitles.write_webvtt(ordered_transcript("t", hard)))
    transcript = library.read(str(tmp_path / "t.vtt"))
    assert [(each.start, each.end) for each in transcript] == [
        ("00:00:00.000", "00:00:00.005"),
        ("00:00:00.010", "00:00:00.015"),
    ]
    assert [each.raw_text for each in transcript] == [
        "<v.client S&lt;1&gt;>a --&gt; b</v>",
        "<v.client S&lt;1&gt;>&lt;b&gt;</v>",
    ]
    (tmp_path / "t.srt").write_bytes(subtitles.write_srt(WALK))
    assert [each.raw_text for each in library.from_srt(str(tmp_path / "t.srt"))][1] == "[client S2] I could walk."


def test_reads_what_webvtt_py_made(tmp_path: Path) -> None:
    made = library.WebVTT()
    made.captions.append(
        library.Caption("00:00:00.500", "00:00:07.000", ["<v Client>One &amp; two", "<i>three</i></v>"], "intro")
    )
    made.captions.append(
        library.Caption("01:00:00.000", "01:00:01.000", ["<v.loud Ann>Hi.</v> <v Bob>Ho.</v>", "and so"])
    )
    made.save(str(tmp_path / "talk.vtt"))
    made.save_as_srt(str(tmp_path / "talk.srt"))
    first, *rest = subtitles.read_webvtt(Source.open(tmp_path / "talk.vtt")).utterances
    assert (first.id, first.span, first.role, first.text) == ("intro", Span(500, 7000), "client", "One & two\nthree")
    assert [(utterance.speaker, utterance.text, utterance.marks) for utterance in rest] == [
        ("Ann", "Hi.", ()),
        ("Bob", "Ho.", ()),
        ("unknown", "and so", ()),
    ]
    assert [utterance.span for utterance in subtitles.read_srt(Source.open(tmp_path / "talk.srt")).utterances] == [
        Span(500, 7000),
        Span(3_600_000, 3_601_000),
    ]


VTT = """WEBVTT - a talk
Kind: captions

STYLE
::cue { color: red }

NOTE a --- b

00:01.0 --> 00:02.000 align:left
hm
"""


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_styles_and_notes_are_passed_over_and_lines_may_end_in_any_way(end: str) -> None:
    (utterance,) = subtitles.read_webvtt(Source("t.vtt", VTT.replace("\n", end).encode("utf-8-sig"))).utterances
    assert (utterance.span, utterance.text) == (Span(1000, 2000), "hm")


@pytest.mark.parametrize(
    ("old", "new", "code", "message"),
    [
        ("WEBVTT", "WEBVT", "TR-F03", "does not begin"),
        ("WEBVTT", "WEBVTTX", "TR-F03", "does not begin"),
        ("WEBVTT", "\nWEBVTT", "TR-F03", "does not begin"),
        ("00:02.000", "00:02,x", "TR-F03", "line 9 of t.vtt has no readable times"),
        ("00:01.0 --> 00:02.000 align:left", "hello", "TR-F03", "line 9 of t.vtt has no times"),
        ("00:02.000", "999999:00:00.000", "TR-F07", "line 9 of t.vtt has an impossible time"),
    ],
)
def test_a_wrong_cue_is_named(old: str, new: str, code: str, message: str) -> None:
    with pytest.raises(FormatError) as caught:
        subtitles.read_webvtt(Source("t.vtt", VTT.replace(old, new, 1).encode()))
    assert caught.value.code == code
    assert message in str(caught.value)


@pytest.mark.parametrize("text", ["", "\n", " \n\t\r\n"])
def test_what_holds_nothing_is_no_webvtt(text: str) -> None:
    with pytest.raises(FormatError, match=r"TR-F03 .*does not begin with WEBVTT"):
        subtitles.read_webvtt(Source("t.vtt", text.encode()))


@pytest.mark.parametrize("text", ["a\n\nb", "x --> y", "a\n \t\nb"])
def test_what_srt_cannot_escape_is_refused(text: str) -> None:
    with pytest.raises(FormatError, match="TR-F08 .*cannot store"):
        subtitles.write_srt(ordered_transcript("t", [CodedUtterance("", Span(0, 1), text=text)]))


def test_a_line_that_belongs_to_no_subtitle_is_passed_over_and_told() -> None:
    transcript = subtitles.read_srt(Source("t.srt", b"1\n00:00:01,0 --> 00:00:02,0\nhm\n\nhello\n"))
    assert [utterance.text for utterance in transcript.utterances] == ["hm"]
    assert transcript.notes == ('Line 5 belongs to no cue: "hello" was skipped.',)


def test_an_id_that_would_be_a_note_is_left_out() -> None:
    transcript = ordered_transcript(
        "t", [CodedUtterance("NOTE", Span(0, 1), text="x"), CodedUtterance("a b", Span(1, 2), text="y")]
    )
    assert [
        utterance.text
        for utterance in subtitles.read_webvtt(Source("t.vtt", subtitles.write_webvtt(transcript))).utterances
    ] == [
        "x",
        "y",
    ]


def spoken(text: str) -> list[tuple[str, str, str]]:
    return [
        (each.role, each.speaker, each.text) for each in subtitles.read_srt(Source("t.srt", text.encode())).utterances
    ]


def block(number: int, text: str) -> str:
    return f"{number}\n00:00:0{number},000 --> 00:00:0{number + 1},000\n{text}\n\n"


def test_our_brackets_hold_role_and_speaker_and_others_stay_text() -> None:
    text = block(1, "[client S%202] I could walk.") + block(2, "[laughs] Yes.")
    assert spoken(text) == [("client", "S 2", "I could walk."), ("unknown", "unknown", "[laughs] Yes.")]


def test_a_subtitle_of_tags_alone_shows_nothing() -> None:
    assert spoken(block(1, "<i></i>") + block(2, "{\\an8}<b>I walk.</b>")) == [("unknown", "unknown", "I walk.")]


def test_a_first_subtitle_of_a_millisecond_says_what_times_count_from() -> None:
    transcript = ordered_transcript("t", [CodedUtterance("", Span(0, 900), "S1", "client", "Hm.")], zero=30_000)
    written = subtitles.write_srt(transcript)
    assert written.startswith(b"0\n00:00:00,000 --> 00:00:00,001\ntime 0 is 30.000 s into the recording\n")
    assert subtitles.read_srt(Source("t.srt", written)) == transcript


def test_classes_of_another_program_are_styles_and_no_codes() -> None:
    text = "WEBVTT\n\n00:01.000 --> 00:02.000\n<v.client.change S2>I could.</v> <v.loud.change Ann>So.</v>\n"
    first, second = subtitles.read_webvtt(Source("t.vtt", text.encode())).utterances
    assert (first.role, [mark.code for mark in first.marks]) == ("client", ["change"])
    assert (second.speaker, second.marks) == ("Ann", ())


def test_a_moment_is_shown_for_a_millisecond() -> None:
    assert subtitles.cue_block(Span(1500, 1500), "x", "c1") == "c1\n00:00:01.500 --> 00:00:01.501\nx"


def test_a_document_says_its_zero_only_where_that_is_known() -> None:
    assert subtitles.document(["a", "b"], None) == "WEBVTT\n\na\n\nb\n"
    assert subtitles.document(["a"], 0) == "WEBVTT\n\nNOTE time 0 is 0.000 s into the recording\n\na\n"


def cues(text: str, *, asides: bool = False) -> tuple[tuple[Cue, ...], tuple[str, ...]]:
    return subtitles.read_cues(Source("t.srt", text.encode()), text, asides=asides)


@pytest.mark.parametrize(
    ("fractions", "milliseconds"),
    [
        (["80", "8"], True),  # 5.80 is 5.080: whoever writes 8 for 800 would write 8 for 80, too
        (["8", "85"], False),  # no zero at an end: nothing shows that zeros at the front were left out
        (["080", "80"], False),  # zeros at the front are written
        (["80", "90"], False),  # of one length: what they look like
        ([], False),
    ],
)
def test_short_fractions_count_milliseconds_where_zeros_show_it(fractions: list[str], milliseconds: bool) -> None:
    assert subtitles.counts_milliseconds(fractions) is milliseconds


def test_a_fraction_of_one_length_is_a_decimal() -> None:
    ((cue,), notes) = cues("00:00:01.5 --> 00:00:02.5\nhm\n")
    assert (cue.span, cue.lines, notes) == (Span(1500, 2500), ("hm",), ())


def test_a_cue_that_ends_before_it_starts_keeps_its_start() -> None:
    ((cue,), (note,)) = cues("a\n00:00:05,000 --> 00:00:02,000\nhm\n")
    assert (cue.name, cue.span) == ("a", Span(5000, 5000))
    assert note == 'Line 2 ends before it starts: "hm" has no length.'


def test_of_several_cues_one_with_impossible_times_is_passed_over_and_told() -> None:
    text = "00:00:01,000 --> 00:00:02,000\nfirst\n\n99999:00:00,000 --> 99999:00:01,000\nlost\n"
    ((cue,), notes) = cues(text)
    assert cue.lines == ("first",)
    assert notes == ('Line 4 has an impossible time: "lost" was skipped.',)
    with pytest.raises(FormatError, match="TR-F07 .*impossible time"):
        cues("99999:00:00,000 --> 99999:00:01,000\nlost\n")


def test_a_number_right_below_a_text_is_the_next_cue_s_and_no_speech() -> None:
    (first, second), _ = cues("1\n00:00:01,000 --> 00:00:02,000\nhm\n2\n00:00:02,000 --> 00:00:03,000\nso\n")
    assert (first.lines, second.name, second.lines) == (("hm",), "2", ("so",))


def test_asides_are_passed_over_only_where_a_format_has_them() -> None:
    text = "NOTE by hand\n\n00:00:01.000 --> 00:00:02.000\nhm\n"
    assert cues(text, asides=True)[1] == ()
    assert cues(text)[1] == ('Line 1 belongs to no cue: "NOTE by hand" was skipped.',)


def rolling(*texts: tuple[str, ...]) -> tuple[Cue, ...]:
    return tuple(Cue("", Span(1000 * at, 1000 * at + 1000), lines, at) for at, lines in enumerate(texts))


def test_rolling_captions_show_each_line_once() -> None:
    merged = subtitles.merge_rolling(rolling(("what",), ("what", "next"), ("next", "so")))
    assert [cue.lines for cue in merged] == [("what",), ("next",), ("so",)]


def test_what_somebody_says_twice_stays_where_a_file_does_not_roll() -> None:
    given = rolling(("no",), ("no", "really"), ("well",), ("then",), ("so",))  # one pair of four rolls
    assert subtitles.merge_rolling(given) == given


def test_a_flash_that_only_shows_a_line_again_lengthens_it() -> None:
    first, second = rolling(("a",), ("a", "<00:00:01.500>b"))  # times within a line: it rolls
    flash = Cue("", Span(2000, 2010), ("b",), 3)
    merged = subtitles.merge_rolling([first, second, flash])
    assert [(cue.lines, cue.span) for cue in merged] == [(("a",), Span(0, 1000)), (("b",), Span(1000, 2010))]
