"""A tape from its text alone: the same codes and measures, and not one time."""

from __future__ import annotations

import csv
import io
import json
import re
from dataclasses import replace

import pytest

from pipeline import settings
from pipeline.errors import TableError
from pipeline.formats.written_transcript import WrittenTranscript, WrittenTurn
from pipeline.run import text_run
from pipeline.run.stage_keys import versions
from pipeline.run.text_run import FILES, NO_SOUND, TextRun
from pipeline.stages import STAGES
from tests.tapes.fakes import Fakes

DEFAULT = settings.load().settings
TALK = (
    ("Ann", "What brings you here?"),
    ("Robin", "My drinking."),
    ("Ann", "Mm-hm."),
    ("Robin", "It is too much."),
    ("Ann", "How would less help?"),
)


def run(turns: tuple[tuple[str, str], ...] = TALK, interviewer: str = "Ann") -> TextRun:
    written = WrittenTranscript(tuple(WrittenTurn(name, None, text) for name, text in turns))
    written = written.with_interviewer(interviewer) if interviewer else written
    return TextRun(written, "drinking less", DEFAULT, Fakes(DEFAULT), versions(STAGES))


def made(text: TextRun) -> dict[str, bytes]:
    return text.finish(Watch()).files


class Watch:
    """An observer of a run: the stages in the order in which they are done, and how far each was."""

    def __init__(self) -> None:
        self.done: list[str] = []
        self.fractions: dict[str, float] = {}

    def started(self, stage: str) -> None: ...

    def progressed(self, stage: str, fraction: float) -> None:
        self.fractions[stage] = fraction

    def finished(self, stage: str, reused: bool) -> None:
        assert not reused
        self.done.append(stage)


def test_a_text_goes_through_the_stages_that_need_no_sound() -> None:
    watch = Watch()
    run().finish(watch)
    assert watch.done == [stage.name for stage in text_run.STAGES] == ["attribute", "tag", "measure", "report"]
    labels = {stage.name: stage.label for stage in STAGES}
    assert {stage.name: stage.label for stage in text_run.STAGES}.items() <= labels.items()


def rows(content: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(content.decode())))


def test_every_word_is_there_once_in_its_order_and_without_a_time() -> None:
    files = made(run())
    assert tuple(files) == FILES
    words = rows(files["words.csv"])
    assert {(row["start"], row["end"]) for row in words} == {("", "")}
    assert sorted(row["text"] for row in words) == sorted(word for _, text in TALK for word in text.split())
    utterances = [(row["role"], row["speaker"], row["start"], row["text"]) for row in rows(files["utterances.csv"])]
    assert utterances == [
        ("interviewer", "S1", "", "What brings you here?"),
        ("client", "S2", "", "My drinking."),
        ("interviewer", "S1", "", "Mm-hm."),
        ("client", "S2", "", "It is too much."),
        ("interviewer", "S1", "", "How would less help?"),
    ]


def test_the_measures_are_those_of_the_codes_and_talk_time_is_undefined() -> None:
    """The guesser takes all three utterances of the interviewer for open questions, and none for a reflection."""
    measures = json.loads(made(run())["measures.json"])
    assert measures["utterances"] == {"interviewer": 3, "client": 2, "other": 0, "unknown": 0}
    assert measures["counts"]["question_open"]["value"] == 3
    assert measures["ratios"]["percent_open_questions"]["value"] == 100
    talk = measures["talk"]["interviewer"]
    assert talk["value"] is None
    assert "no times" in talk["undefined"]


def test_report_and_provenance_say_that_there_is_no_sound_and_show_no_time_and_no_name() -> None:
    files = made(run())
    report = files["report.html"].decode()
    assert NO_SOUND in report
    assert 'id="timeline"' not in report
    assert not re.search(r">\s*\d+:\d\d", report.partition('id="provenance"')[0])
    provenance = json.loads(files["provenance.json"])
    assert provenance["warnings"] == [NO_SOUND]
    assert (provenance["recording"], provenance["segment"]) == (None, None)
    assert "Robin" not in "".join(content.decode() for content in files.values())


def test_the_report_asks_nobody_to_listen_where_there_is_no_sound() -> None:
    prose = re.sub(r"<style.*?</style>|<[^>]*>", " ", made(run())["report.html"].decode(), flags=re.DOTALL)
    assert re.findall(r"\b(?:listen|hear|ears)\b", prose, flags=re.IGNORECASE) == []
    assert "left out or unclear" not in prose


def test_roles_that_nothing_settles_are_decided_by_the_words_and_said() -> None:
    files = made(run(interviewer=""))
    assert "% sure" in files["report.html"].decode()
    warnings = json.loads(files["provenance.json"])["warnings"]
    assert warnings[0] == NO_SOUND
    assert re.fullmatch(
        r"the words decide who is the interviewer: S1, with a probability of [01]\.\d\d, as this voice uses the "
        r"wording of an interviewer.*; voices are numbered in the order in which they begin to speak "
        r"\(--interviewer NAME corrects it\)",
        warnings[1],
    )


def test_rows_that_somebody_split_stay_utterances() -> None:
    """Without them, "You are torn. What would help?" is split into two, and "I want" is joined with "to stop."."""
    talk = (("Ann", "You are torn. What would help?"), ("Ann", "Tell me."), ("Robin", "I want"), ("Robin", "to stop."))
    written = run(talk).written
    split = replace(run(talk), written=replace(written, has_utterances=True))
    assert [row["text"] for row in rows(made(split)["utterances.csv"])] == [text for _, text in talk]
    assert [row["text"] for row in rows(made(run(talk))["utterances.csv"])] == [
        "You are torn.",
        "What would help?",
        "Tell me.",
        "I want to stop.",
    ]


def test_turns_that_nobody_says_are_refused() -> None:
    with pytest.raises(TableError, match=r"TR-T08 .* 1 of 2 turns without a speaker"):
        made(run((("", "Hello."), ("Ann", "Hi.")), interviewer=""))


def test_a_single_voice_without_a_role_is_refused() -> None:
    with pytest.raises(TableError, match=r"TR-T08 .* the one voice 'Ann'"):
        made(run((("Ann", "Hello."), ("Ann", "Hi.")), interviewer=""))


def test_a_text_is_measured_by_the_stage_that_measures_a_recording() -> None:
    """The two lists of stages stand whole, for whoever reads them; what both have is the same."""
    recording, text = ({stage.name: stage for stage in listed} for listed in (STAGES, text_run.STAGES))
    assert recording["measure"] == text["measure"]
