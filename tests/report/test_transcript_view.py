"""The coded transcript as pages show it: tags, lines, turns and moments."""

from __future__ import annotations

from pipeline.formats import codebook_files
from pipeline.measures.session.context import change_talk_context
from pipeline.report import transcript_view
from pipeline.report.transcript_view import Tag, Tags
from pipeline.timeline import Span, Vocalization
from tests.measures import samples


def test_the_machines_codes_look_alike_under_every_codebook() -> None:
    looks = {name: Tags(codebook_files.read(name)) for name in codebook_files.shipped()}
    for code in ("question_open", "question_closed", "change", "sustain", "information", "other", "neutral"):
        shown = {(tag.letter, tag.shape, tag.lane) for tags in looks.values() for tag in [tags.of(code)]}
        assert len(shown) == 1, code
    assert looks["miti-4.2"].of("change") == Tag("change", "Change talk", "+", "up", "change", "change")
    assert looks["miti-4.2"].of("question") == Tag("question", "Question (Q)", "Q", "circle", "question", "question")
    assert looks["oars"].of("zeal_x") == Tag("zeal_x", "Zeal x", "Z", "diamond", "other", "zeal_x")


def test_a_turn_of_the_transcript_does_not_shrink_when_its_last_utterance_ends_before_another() -> None:
    table = samples.table(("C", ""), ("C", ""), start=[0, 1_000], end=[5_000, 2_000], turn_id="t1")
    shown = transcript_view.lines(table, Tags(codebook_files.read("pretags")))
    assert [(turn.start, turn.end) for turn in transcript_view.turns(shown, table, (), {})] == [(0, 5_000)]


TAGS = Tags(codebook_files.read("pretags"))


def test_a_turn_is_several_lines_and_an_unclear_sound_stands_where_it_was_heard() -> None:
    table = samples.table(("I", ""), ("I", ""), ("C", ""), start=[0, 1_000, 5_000], end=[900, 2_000, 6_000])
    table = table.assign(turn_id=["t1", "t1", "t2"])
    unclear = [Vocalization(Span(3_000, 3_500), "S9")]
    shown = transcript_view.turns(transcript_view.lines(table, TAGS), table, unclear, {"S9": "client"})
    assert [(turn.start, turn.end, turn.role, len(turn.lines)) for turn in shown] == [
        (0, 2_000, "interviewer", 2),
        (3_000, 3_500, "client", 0),
        (5_000, 6_000, "client", 1),
    ]


def test_a_line_has_what_the_table_has_and_nothing_is_made_up() -> None:
    table = samples.coded("C change .80 I will.").drop(columns=["probability", "needs_check"])
    (line,) = transcript_view.lines(table, TAGS)
    assert (line.probability, line.unsure, [tag.name for tag in line.tags]) == (None, False, ["change"])


def test_a_minus_is_shown_at_full_width() -> None:
    assert TAGS.of("sustain").letter == "−"


def test_talk_between_the_same_two_utterances_is_one_moment() -> None:
    table = samples.coded(
        "I question_open .9 So?\nC change .8 I will.\nC sustain .8 Or not.\nI reflection_simple .9 Hm."
    )
    lines = transcript_view.lines(table, TAGS)
    (moment,) = transcript_view.moments(change_talk_context(table), lines, table, TAGS)
    assert (moment.before, moment.after) == (lines[0], lines[3])
    assert [(line.text, [tag.name for tag in tags]) for line, tags in moment.talk] == [
        ("I will.", ["change"]),
        ("Or not.", ["sustain"]),
    ]
