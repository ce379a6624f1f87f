"""One tape from its sound to every page and file, under every codebook, with figures worked out by hand.

What the engines hear is scripted, so that the figures are known; everything else is what runs for a group: the sound is
decoded, the run measures and writes its files, the records take them in, two members and a coach code in the room.

The session, and what the machine proposes (target behavior: drinking less)::

     1 I  What brings you here today?                    open question
     2 C  I want to drink less.                          change talk
     3 I  You want to drink less.                        simple reflection
     4 C  But it helps me sleep.                         sustain talk
     5 I  It calms you, and you pay for it.              complex reflection
     6 C  My kids notice it, too.                        change talk
     7 I  Do you drink every day?                        closed question
     8 C  We moved here in May.                          neutral
     9 I  Most people sleep better after two weeks.      information
    10 C  I could try that.                              change talk
    11 I  You could try that.                            simple reflection
    12 C  Maybe on Sunday.                               neutral

The machine: 3 reflections (1 complex), 2 questions (1 open), 3 times change talk, 1 sustain talk: R:Q 1.5, %CR 33,
%OQ 50, %CT 75. Ada and Ben hear 11 as complex, once they have settled it: R:Q 3 / 2 = 1.5, %CR 2 of 3 = 67. The coach
codes as they do, save that 5 is simple for her.
"""

from __future__ import annotations

import csv
import html
import io
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import docx
import numpy as np
import pandas as pd
import pytest
import soundfile
from pypdf import PdfReader
from rich.console import Console
from typer.testing import CliRunner

from pipeline import settings, stages
from pipeline.cli._shared import progress_display
from pipeline.cli.main import app as commands
from pipeline.coding.codebook import CODES
from pipeline.review.coach.sentences import family_label
from pipeline.run.engines import Engines
from pipeline.run.stage_cache import FolderStageStore
from pipeline.speech.diarization.contract import Diarization, SpeakerSegment
from pipeline.speech.transcriber import Transcript
from pipeline.stages import ProcessRequest, Run
from pipeline.tapes.db.records import Job, Review, Tape
from pipeline.tapes.intake import importing
from pipeline.timeline import Span, Word
from tests.review.coding.conftest import Coder
from tests.review.conftest import Browser, Room

TARGET = "drinking less"
SESSION = (
    ("question_open", "What brings you here today?"),
    ("change", "I want to drink less."),
    ("reflection_simple", "You want to drink less."),
    ("sustain", "But it helps me sleep."),
    ("reflection_complex", "It calms you, and you pay for it."),
    ("change", "My kids notice it, too."),
    ("question_closed", "Do you drink every day?"),
    ("neutral", "We moved here in May."),
    ("information", "Most people sleep better after two weeks."),
    ("change", "I could try that."),
    ("reflection_simple", "You could try that."),
    ("neutral", "Maybe on Sunday."),
)
EACH = 4_000
"""Milliseconds from one utterance's start to the next one's."""

CACTI = """<userConfiguration><codes>
<code name="OQ" value="11"/><code name="CQ" value="12"/><code name="SR" value="13"/>
<code name="CR" value="14"/><code name="GI" value="15"/><code name="D+" value="16"/><code name="D-" value="17"/>
<code name="FN" value="18"/></codes>
<codeControls panel="left" label="Therapist"><row><button code="OQ"/><button code="CQ"/><button code="SR"/>
<button code="CR"/><button code="GI"/></row></codeControls>
<codeControls panel="right" label="Client"><row><button code="D+"/><button code="D-"/><button code="FN"/></row>
</codeControls></userConfiguration>
"""


class Scripted(Engines):
    """Hears the session above, whatever the sound is; the sound itself is decoded."""

    class _Tagger:
        session_effect_sd: Mapping[str, float] = {}

        def tag(self, table: pd.DataFrame, progress: Any) -> pd.DataFrame:
            codes = [code for code, _ in SESSION]
            sure = {f"p_{code}": [float(code == each) for each in codes] for code in CODES}
            return table.assign(codes=codes, probability=1.0, needs_check=False, **sure)

    tagger = _Tagger()  # type: ignore[assignment]

    def models(self, kind: Any) -> dict[str, dict[str, str]]:
        return {}

    def sentences(self) -> Any:
        return lambda texts: [[] for _ in texts]

    def transcriber(self) -> Any:
        words = [
            Word(Span(start + 200 * at, start + 200 * at + 180), text, 0.9)
            for start, words in _spoken()
            for at, text in enumerate(words.split())
        ]
        return _Always("transcribe", Transcript(tuple(words), (), (), {"engine": "script"}))

    def diarizer(self, *_: object) -> Any:
        voices = tuple(
            SpeakerSegment(Span(start, start + 200 * len(words.split())), ("S1", "S2")[number % 2])
            for number, (start, words) in enumerate(_spoken())
        )
        return _Always("diarize", Diarization(voices, voices, (), {"engine": "script"}))


class _Always:
    """An engine with one answer."""

    def __init__(self, verb: str, answer: object) -> None:
        setattr(self, verb, lambda *_: answer)


def _spoken() -> list[tuple[int, str]]:
    return [(EACH * number, text) for number, (_, text) in enumerate(SESSION)]


class _Nobody:
    """Watches nothing."""

    def started(self, stage: str) -> None: ...
    def progressed(self, stage: str, fraction: float) -> None: ...
    def finished(self, stage: str, reused: bool) -> None: ...


@dataclass(frozen=True)
class Book:
    """What a codebook makes of the session: everything here was worked out by hand from the table above.

    ``names`` takes the machine's codes to the book's; ``extra`` is what both members add to utterance 11. ``machine``
    and ``settled`` are the main figures as pages write them, None where the book cannot tell a measure's parts apart;
    ``talk_by_machine`` where the book has no codes for the client.
    """

    name: str
    names: Mapping[str, str]
    machine: Mapping[str, str | None]
    settled: Mapping[str, str | None]
    complex_code: str = "reflection_complex"
    simple_code: str = "reflection_simple"
    extra: tuple[str, ...] = ()
    talk_by_machine: bool = False
    disputes: tuple[str, ...] = ("u0011",)
    agreed: tuple[int, int] = (12, 92)
    """Utterances on which Ada and Ben are compared, and on what share of them (percent) they agree. Where the book has
    no codes for the client, these are the interviewer's six."""
    coached: str = "92 %"
    """On how many of its lines the coach agrees with the group: 11 of 12, or 5 of the interviewer's 6."""
    why: Mapping[str, str] = field(default_factory=dict)


RQ, CR, OQ, CT = (
    "reflections_per_question",
    "percent_complex_reflections",
    "percent_open_questions",
    "percent_change_talk",
)
SAME = {code: code for code in CODES}
BOOKS = {
    "pretags": Book(
        "pretags",
        SAME,
        {RQ: "1.5", CR: "33%", OQ: "50%", CT: "75%"},
        {RQ: "1.5", CR: "67%", OQ: "50%", CT: "75%"},
    ),
    # Both questions are one code; nothing of the client's. Each of the interviewer's lines is a volley of its own.
    "miti-4.2": Book(
        "miti-4.2",
        {
            "question_open": "question",
            "question_closed": "question",
            "information": "information",
            **{code: code for code in ("reflection_simple", "reflection_complex")},
        },
        {RQ: "1.5", CR: "33%", OQ: None, CT: "75%"},
        {RQ: "1.5", CR: "67%", OQ: None, CT: "75%"},
        extra=("emphasizing_autonomy",),
        talk_by_machine=True,
        agreed=(6, 83),
        coached="83 %",
        why={OQ: "this codebook does not distinguish open from closed questions"},
    ),
    # Open questions alone, and one reflection: no ratio can be told from it.
    "oars": Book(
        "oars",
        {"question_open": "question_open", "reflection_simple": "reflection", "reflection_complex": "reflection"},
        {RQ: None, CR: None, OQ: None, CT: "75%"},
        {RQ: None, CR: None, OQ: None, CT: "75%"},
        complex_code="reflection",
        simple_code="reflection",
        talk_by_machine=True,
        disputes=(),
        agreed=(6, 100),
        coached="100 %",
        why={
            RQ: "this codebook has a code for open questions only, not for all questions",
            CR: "this codebook does not distinguish complex from simple reflections",
        },
    ),
    "cacti": Book(
        "cacti",
        {
            "question_open": "OQ",
            "question_closed": "CQ",
            "reflection_simple": "SR",
            "reflection_complex": "CR",
            "information": "GI",
            "change": "D+",
            "sustain": "D-",
            "neutral": "FN",
        },
        {RQ: "1.5", CR: "33%", OQ: "50%", CT: "75%"},
        {RQ: "1.5", CR: "67%", OQ: "50%", CT: "75%"},
        complex_code="CR",
        simple_code="SR",
    ),
}
LABELS = {
    RQ: "Reflections per question (R:Q)",
    CR: "Complex reflections (%CR)",
    OQ: "Open questions (%OQ)",
    CT: "Change talk (%CT)",
}


@dataclass
class Walk:
    """A tape of one codebook with everybody around it."""

    book: Book
    room: Room
    folder: Path
    tape_id: str
    name: str
    ivy: Browser
    ada: Coder
    ben: Coder
    coco: Coder
    root: str

    def label(self, name: str) -> str:
        """How pages call a measure."""
        machine = ", by the machine" if name == CT and self.book.talk_by_machine else ""
        return f"{LABELS[name]}{machine}"

    def codes(self, number: int, *, eleven: str = "", five: str = "") -> tuple[str, ...]:
        """What somebody gives the utterance of that number: as the machine hears it, save where said."""
        code = self.book.names.get(SESSION[number - 1][0])
        if number == 11 and eleven:
            return (eleven, *self.book.extra)
        if number == 5 and five:
            return (five,)
        return (code,) if code else ()

    def pass_of(self, coder: Coder, **deviating: str) -> None:
        coder.begin("all", self.name)
        for number in range(1, 13):
            if codes := self.codes(number, **deviating):
                coder.code(f"u{number:04d}", *codes)
        coder.lock()


def _figures(measures: list[dict[str, Any]]) -> dict[str, str | None]:
    """Label -> value in words."""
    return {measure["label"]: measure["text"] if measure["value"] is not None else None for measure in measures}


@pytest.fixture(params=list(BOOKS))
def walk(request: pytest.FixtureRequest, room: Room, tmp_path: Path) -> Walk:
    """A tape that is measured in the codebook in which it will be coded."""
    return walk_of(BOOKS[request.param], room, tmp_path)


def walk_of(book: Book, room: Room, tmp_path: Path, measured_in: str = "", engines: type[Scripted] = Scripted) -> Walk:
    """``measured_in``: the codebook of the settings, if it is another than that of the passes."""
    sound = tmp_path / "session.flac"
    time = np.arange(16_000 * (EACH * len(SESSION)) // 1000) / 16_000
    soundfile.write(sound, (0.2 * np.sin(2 * np.pi * 150 * time)).astype(np.float32), 16_000)
    configuration = tmp_path / "userConfiguration.xml"
    configuration.write_text(CACTI)
    loaded = settings.load().settings
    chosen = str(configuration) if book.name == "cacti" else book.name
    coding = loaded.coding.model_copy(update={"codebook": measured_in or chosen})
    loaded = loaded.model_copy(update={"coding": coding})
    asked = ProcessRequest((sound,), TARGET, interviewer="S1")
    run = Run(asked, loaded, _Nobody(), engines=engines(loaded))
    results, files = run.finish(FolderStageStore(tmp_path / "bench"))
    folder = tmp_path / "tape"
    folder.mkdir()
    for name, content in files.items():
        (folder / name).write_bytes(content)
    group = room.group()
    people = {name: room.person(name, group) for name in ("Ivy", "Ada", "Ben")}
    people["Coco"] = room.person("Coco", group, role="coach")
    tape_id = room.tape(group, people["Ivy"], TARGET, state="queued")
    with room.home.database.writing() as database:
        now = room.clock()
        job = Job(tape_id=tape_id, state="running", created_at=now, updated_at=now, workflow_id=tape_id)
        database.add_all([job, Review(tape_id=tape_id, stage="group", interviewer_done_at=room.clock())])
        database.flush()
        database.expunge(job)
    importing.publish(room.home, job, importing.of_recording(results, files), room.clock())
    ivy = room.signed_in(people["Ivy"])
    coders = [Coder(room.signed_in(people[name]), tape_id) for name in ("Ada", "Ben", "Coco")]
    name = book.name
    if book.name == "cacti":
        upload = {"file": ("userConfiguration.xml", CACTI.encode(), "text/xml")}
        form = {"label": "MISC, short"}
        answer = coders[0].browser.post(f"/tapes/{tape_id}/codebooks", form, files=upload)
        assert answer.status_code == 303, answer.text
        page = coders[0].browser.get(f"/tapes/{tape_id}/coding").text
        name = next(
            value for value in re.findall(r'name="codebook" id="[^"]+" value="([^"]+)"', page) if value not in BOOKS
        )
    for filler in ("Dee", "Eli"):  # a program shows groups of five people and more
        room.person(filler, group)
    return Walk(book, room, folder, tape_id, name, ivy, *coders, room.person("Root", is_admin=True))


@pytest.mark.parametrize("name", ["miti-4.2", "oars", "cacti"])
def test_passes_that_hold_no_code_yet_show_one_machine(name: str, room: Room, tmp_path: Path) -> None:
    """The tape was measured in the machine's codebook: its summary kept to that, and Together to that of the passes."""
    walk = walk_of(BOOKS[name], room, tmp_path, measured_in="pretags")
    walk.ada.begin("all", walk.name)
    walk.ada.lock()
    state = walk.ada.browser.get(f"/tapes/{walk.tape_id}/together/state?codebook={walk.name}").json()
    together = {measure["label"]: measure["text"] for measure in state["measures"] if measure["value"] is not None}
    figures = {walk.label(name): value for name, value in walk.book.machine.items() if value}
    assert {label: together.get(label) for label in figures} == figures
    assert "Open questions (%OQ)" in together or walk.book.machine[OQ] is None
    everything_shows(walk, walk.book.machine, "machine")


def test_the_machine_s_measures_follow_the_voice_that_is_named(room: Room, tmp_path: Path) -> None:
    """Together counted the codes that were left of the wrong voice, where the summary said that there are none."""
    walk = walk_of(BOOKS["pretags"], room, tmp_path)
    before = text_of(walk.ada.browser.get(f"/tapes/{walk.tape_id}/summary").text)
    assert walk.ivy.post(f"/tapes/{walk.tape_id}/voices", {"interviewer": "S2"}).status_code == 303
    walk.ada.begin()
    walk.ada.lock()
    state = walk.ada.browser.get(f"/tapes/{walk.tape_id}/together/state?codebook=pretags").json()
    assert "wrong voice" not in state["basis"]
    summary = text_of(walk.ada.browser.get(f"/tapes/{walk.tape_id}/summary").text)
    together = [measure for measure in state["measures"] if measure["label"] in summary]
    assert together
    for measure in together:
        assert measure["value"] is None or measure["text"] in summary
    assert summary != before
    assert "No tape has measures yet." not in walk.ivy.get("/growth").text


def test_the_same_tape_has_the_same_figures_everywhere(walk: Walk) -> None:
    book = walk.book
    the_machine_says_one_thing(walk)
    pages_without_figures_have_none(walk)
    walk.pass_of(walk.ada, eleven=book.complex_code)
    walk.pass_of(walk.ben)
    board = walk.ada.browser.get(f"/tapes/{walk.tape_id}/together/state?codebook={walk.name}").json()
    assert tuple(board["queue"]) == (book.disputes or (("u0011",) if book.extra else ()))
    for name in board["queue"]:
        body = {"id": "s1", "codebook": walk.name, "utterance_id": name, "action": "set"}
        body |= {"codes": [book.complex_code, *book.extra]}
        headers = {"X-CSRF-Token": walk.ada.token}
        settled = walk.ada.browser.client.post(f"/tapes/{walk.tape_id}/together", json=body, headers=headers)
        assert settled.status_code == 200, settled.text
    the_group_says_one_thing(walk)
    the_coach_sees_what_was_coded(walk)
    files_that_leave_say_the_same(walk)


def the_machine_says_one_thing(walk: Walk) -> None:
    """measures.json, terminal and report, before anybody has coded."""
    book = walk.book
    measures = json.loads((walk.folder / "measures.json").read_text())
    for name, value in book.machine.items():
        ratio = measures["ratios"][name]
        assert (ratio["value"] is None) == (value is None), name
        assert ratio["undefined"] == book.why.get(name, ratio["undefined"])
        assert bool(ratio.get("note")) == (name == CT and book.talk_by_machine)
    screen = Console(width=140, file=io.StringIO(), force_terminal=False)
    screen.print(progress_display.summarize(stages.ProcessedTape(walk.folder, unchanged=False)))
    printed = screen.file.getvalue()  # type: ignore[attr-defined]
    report = (walk.folder / "report.html").read_text()
    text = text_of(report)
    for name, value in book.machine.items():
        row = next(line for line in printed.splitlines() if LABELS[name] in line)
        assert (value or book.why.get(name, "this codebook")) in row
        label = walk.label(name)
        cells = re.search(rf'<th scope="row">{re.escape(label)}.*?</th>(.*?)</tr>', report, flags=re.DOTALL)
        assert cells is not None, label
        shown = text_of(cells[1])
        assert shown.startswith(value or f"Undefined: {book.why.get(name, 'this codebook')}"), (label, shown)
    if book.machine[OQ] is None:
        assert "Most questions were open" not in text
    if book.machine[RQ] is None:
        assert "There were more reflections" not in text
    everything_shows(walk, book.machine, "machine")


def text_of(page: str) -> str:
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", page)).split())


def pages_without_figures_have_none(walk: Walk) -> None:
    """What a page does not show cannot differ: neither the home page nor the tape's own has a measure."""
    for path in ("/", f"/tapes/{walk.tape_id}"):
        text = text_of(walk.ivy.get(path).text)
        assert not any(label in text for label in LABELS.values()), path


def everything_shows(walk: Walk, figures: Mapping[str, str | None], by: str) -> None:
    """The summary as page, PDF and Word document, and the interviewer's growth, show these figures and no others."""
    labels = {walk.label(name): value for name, value in figures.items()}
    values = {label: value for label, value in labels.items() if value}
    path = f"/tapes/{walk.tape_id}/summary"
    page = walk.ivy.get(path).text
    rows = dict(re.findall(r'<th scope="row">(.*?)</th><td class="num" data-label="Value">(.*?)</td>', page))
    paper = PdfReader(io.BytesIO(walk.ivy.client.get(f"{path}.pdf").content))
    printed = " ".join(" ".join(sheet.extract_text() for sheet in paper.pages).split())
    document = docx.Document(io.BytesIO(walk.ivy.client.get(f"{path}.docx").content))
    paragraphs = [paragraph.text for paragraph in document.paragraphs]
    for name, label in ((name, walk.label(name)) for name in figures):
        expected = labels[label] or walk.book.why.get(name, "this codebook")
        assert rows[label].startswith(expected), label
        assert f"{label}: {expected}" in printed, label
        assert any(paragraph.startswith(f"{label}: {expected}") for paragraph in paragraphs), label
    growth = walk.ivy.get("/growth").text
    parts = dict(part.split("</h2>", 1) for part in growth.split("<h2>")[1:])
    assert {label for label in parts if label in labels} == {*values}
    for label, value in values.items():
        shown = re.findall(r'data-label="Value">(.*?)</td>.*?data-label="By">(the \w+)', parts[label], re.DOTALL)
        assert shown == [(value, "the machine" if "by the machine" in label else f"the {by}")], label


def the_group_says_one_thing(walk: Walk) -> None:
    """Together, summary, PDF and growth, once everything is settled."""
    expected = {walk.label(name): value for name, value in walk.book.settled.items()}
    path = f"/tapes/{walk.tape_id}"
    state = walk.ada.browser.get(f"{path}/together/state?codebook={walk.name}").json()
    together = {
        measure["label"]: None if measure["value"] is None else measure["text"] for measure in state["measures"]
    }
    assert {label: together.get(label) for label in expected} == expected
    for viewer in (walk.ivy, walk.ada.browser, walk.ben.browser):
        page = viewer.get(f"{path}/summary").text
        rows = dict(re.findall(r'<th scope="row">(.*?)</th><td class="num" data-label="Value">(.*?)</td>', page))
        assert {label: rows[label] for label, value in expected.items() if value} == {
            label: value for label, value in expected.items() if value
        }
    everything_shows(walk, walk.book.settled, "group")


def the_coach_sees_what_was_coded(walk: Walk) -> None:
    """The visit compares on what all could code, and on nothing else."""
    walk.pass_of(walk.coco, eleven=walk.book.complex_code, five=walk.book.simple_code)
    with walk.room.home.database.reading() as database:
        group = database.get_one(Tape, walk.tape_id).group_id
    page = walk.coco.browser.get(f"/groups/{group}/visit")
    assert page.status_code == 200, page.text
    text = " ".join(re.sub(r"<[^>]+>", " ", page.text).split())
    assert "It is too early for a conclusion." in text
    assert "Nobody's coding has changed" not in text
    together = re.search(r"members among themselves All codes (\d+) (\d+) %", text)
    assert together is not None
    assert (int(together[1]), int(together[2])) == walk.book.agreed
    compared = re.findall(r"members with coach ([A-Z][a-z ]+?) \d+ ", text)
    assert ("Change and sustain talk" in compared) != walk.book.talk_by_machine
    assert ("Change and sustain talk: coded by the machine only." in text) == walk.book.talk_by_machine


def files_that_leave_say_the_same(walk: Walk) -> None:
    """Own codes as a table; agreement and drift of everybody by the command line, as on the coach's page."""
    rows = []
    for coder, layer, name in ((walk.ada, "member", "Ada"), (walk.ben, "member", "Ben"), (walk.coco, "coach", "Coco")):
        answer = coder.browser.get(f"{coder.path}/codes.csv")
        assert answer.status_code == 200
        for row in csv.DictReader(io.StringIO(answer.text)):
            key = (walk.tape_id, row["utterance_id"], name, layer)
            rows.append((*key, row["codes"], "2026-11-30", row["role"], row["language"]))
    if walk.book.disputes or walk.book.extra:  # what the group settled on, and the majority's codes
        board = walk.ada.browser.get(f"/tapes/{walk.tape_id}/together/state?codebook={walk.name}").json()
        for line in board["places"]:
            codes = "|".join(line["codes"])
            key = (walk.tape_id, line["id"], "consensus", "consensus")
            rows.append((*key, codes, "2026-11-30", line["role"], line["language"]))
    for row in csv.DictReader(io.StringIO((walk.folder / "utterances.csv").read_text())):
        key = (walk.tape_id, row["utterance_id"], "machine", "machine")
        rows.append((*key, row["codes"], "2026-11-30", row["role"], row["language"]))
    table = walk.folder / "codes.csv"
    with table.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("tape_id", "utterance_id", "coder", "layer", "code", "coded_at", "role", "language"))
        writer.writerows(rows)
    book = str(walk.folder.parent / "userConfiguration.xml") if walk.book.name == "cacti" else walk.book.name
    outputs = {}
    for verb in ("agreement", "drift"):
        done = CliRunner().invoke(commands, [verb, str(table), "--codebook", book, "--format", "json"])
        assert done.exit_code == 0, done.output
        outputs[verb] = json.loads(done.stdout)
    agreement = outputs["agreement"]["tables"]["agreement"]
    whole = next(row for row in agreement if row["comparison"] == "members")
    assert (whole["units"], round(100 * whole["percent"])) == walk.book.agreed
    # One tape with six utterances of a role is too early for any chart.
    assert outputs["drift"]["tables"]["drift"] == []
    shown = CliRunner().invoke(commands, ["agreement", str(table), "--codebook", book], env={"COLUMNS": "250"})
    printed = re.search(r"│\s+all codes │\s+(\d+) │\s+(\d+%) │", shown.stdout)
    assert printed is not None, shown.stdout
    assert printed.groups() == (str(whole["units"]), f"{whole['percent']:.0%}")
    pages_say_what_the_terminal_says(walk, agreement)


def pages_say_what_the_terminal_says(walk: Walk, agreement: list[dict[str, Any]]) -> None:
    """Each row of the coach's page and of the members' page is a row of the command's, and none is left out."""
    levels = {(row["a"], row["b"], row["level"], row["name"]): row for row in agreement}
    families = {family_label(name): name for _, _, level, name in levels if level == "family"}
    with walk.room.home.database.reading() as database:
        group = database.get_one(Tape, walk.tape_id).group_id
    columns = ("Utterances", "Agree", "Kappa", "AC1", "Alpha")
    for page, viewer in (("visit", walk.coco.browser), ("agreement", walk.ada.browser)):
        rows = 0
        for row in re.findall(r"<tr>(.*?)</tr>", viewer.get(f"/groups/{group}/{page}").text, flags=re.DOTALL):
            cells = dict(re.findall(r'data-label="(\w+)">(.*?)</td>', row, flags=re.DOTALL))
            if not {*columns} <= set(cells):
                continue
            who = re.search(r'<th scope="row"><span class="name">(.*?)</span> (?:with )?(.*?)</th><td>(.*?)</td>', row)
            assert who is not None, row
            second = who[1] if who[2] == "among themselves" else who[2]
            level = ("all", "all codes") if who[3] == "All codes" else ("family", families[html.unescape(who[3])])
            figures = levels[who[1], second, *level]
            expected = [str(figures["units"]), f"{100 * figures['percent']:.0f} %"]
            expected += ["" if figures[name] is None else f"{figures[name]:.2f}" for name in ("kappa", "ac1", "alpha")]
            told = [text_of(cells[name]) for name in columns]
            assert [text if value else "" for text, value in zip(told, expected, strict=True)] == expected, (who, page)
            rows += 1
        kinds = {"members", "group and coach", "machine"} | ({"coder and coach", "coder and consensus"} & {page})
        assert rows >= sum(row["comparison"] in kinds and row["level"] in ("all", "family") for row in agreement)
    root = walk.room.signed_in(walk.root)
    program = root.get("/program").text
    row = next(row for row in re.findall(r"<tr>(.*?)</tr>", program, flags=re.DOTALL) if "Tuesday peers" in row)
    assert re.findall(r'data-label="(?:People|Tapes|Checked by a coach|Coaching visits)">(.*?)</td>', row) == [
        *("5", "1", "100 %", "1"),
    ]
    reference = "consensus" if (("consensus", "coach", "all", "all codes") in levels) else "members"
    share = levels[reference, "coach", "all", "all codes"]["percent"]
    assert re.search(r'data-label="\d{4} Q\d">(.*?)</td>', row)[1] == f"{100 * share:.0f} %"  # type: ignore[index]
    assert f"{100 * share:.0f} %" == walk.book.coached
