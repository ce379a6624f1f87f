"""The group's page: agreement, disagreement, what is settled, and the measures that follow."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import select

from pipeline import settings
from pipeline.coding.codebook import CODES, Codebook
from pipeline.formats import codebook_files
from pipeline.review.coding.corrections import CorrectedUtterance, CorrectedWord
from pipeline.review.consensus.consensus import ComparedUtterance, ConsensusBoard, Opinion, group_measures
from pipeline.run.results import Measured
from pipeline.tapes.db.records import CodeEvent, Pass
from tests.measures import samples
from tests.review.coding.conftest import Coder, Table

QUESTION, REFLECTION = ("question_open",), ("reflection_simple",)


def compared(
    number: int, *opinions: tuple[str, ...], settled: Any = None, machine: tuple[str, ...] = ()
) -> ComparedUtterance:
    utterance = CorrectedUtterance(
        *(f"u{number}", f"t{number}", "interviewer", "S1", number * 1000, number * 1000 + 900),
        (CorrectedWord(f"w{number}", "hello", number * 1000, number * 1000 + 900),),
    )
    coder_opinions = tuple(Opinion(f"c{at}", codes) for at, codes in enumerate(opinions))
    return ComparedUtterance(utterance, coder_opinions, settled, machine, 0.7 if machine else None)


@pytest.mark.parametrize(
    ("utterance", "source", "codes", "disputed"),
    [
        (compared(1), "none", (), False),
        (compared(1, machine=QUESTION), "machine", QUESTION, False),
        (compared(1, QUESTION, machine=REFLECTION), "agreed", QUESTION, False),
        (compared(1, QUESTION, QUESTION), "agreed", QUESTION, False),
        (compared(1, QUESTION, QUESTION, REFLECTION), "hand", QUESTION, True),
        (compared(1, QUESTION, REFLECTION), "hand", (), True),
        (compared(1, QUESTION, REFLECTION, settled=REFLECTION), "consensus", REFLECTION, False),
        (compared(1, QUESTION, settled=()), "consensus", (), False),
    ],
)
def test_whose_word_counts(utterance: ComparedUtterance, source: str, codes: tuple[str, ...], disputed: bool) -> None:
    assert (utterance.source, utterance.codes, utterance.disputed) == (source, codes, disputed)


def book() -> Codebook:
    return codebook_files.read("pretags")


def test_the_most_divided_come_first() -> None:
    utterances = (compared(1, QUESTION, QUESTION, REFLECTION), compared(2, QUESTION), compared(3, QUESTION, REFLECTION))
    assert [disputed.utterance.id for disputed in ConsensusBoard(utterances, (), book()).queue] == ["u3", "u1"]


def test_what_people_decided_is_not_in_doubt() -> None:
    utterances = (compared(1, QUESTION), compared(2, REFLECTION), compared(3, REFLECTION, settled=REFLECTION))
    ratio = group_measures(ConsensusBoard(utterances, (), book())).ratios["reflections_per_question"]
    assert (ratio.value, ratio.low, ratio.high) == (2.0, 2.0, 2.0)


def test_what_only_the_machine_says_stays_in_doubt() -> None:
    """Of two utterances, one is a reflection by hand; the machine takes the other for a question, and is not sure."""
    p = {"question_open": 0.5, "reflection_simple": 0.5}
    doubtful = replace(compared(2, machine=QUESTION), p=p, pretags=QUESTION)
    measures = group_measures(ConsensusBoard((compared(1, REFLECTION), doubtful), (), book()))
    count = measures.counts["question_open"]
    assert (count.value, count.low, count.high) == (1, 0, 1)
    sure = group_measures(ConsensusBoard((compared(1, REFLECTION), compared(2, QUESTION)), (), book())).counts[
        "question_open"
    ]
    assert (sure.value, sure.low, sure.high) == (1, 1, 1)


@pytest.mark.parametrize("name", codebook_files.shipped())
def test_until_somebody_has_coded_the_figures_are_those_of_the_report_intervals_included(name: str) -> None:
    codebook = codebook_files.read(name)
    table = samples.coded()
    drawing = settings.load().settings.measures.model_copy(update={"draws": 300, "seed": 3, "interval": 0.8})
    report = Measured.of(table, codebook, drawing, {"open": 0.4, "change": 0.4}).figures
    utterances = []
    for row in table.to_dict("records"):
        words = tuple(
            CorrectedWord(f"w{at}", text, row["start"], row["end"]) for at, text in enumerate(row["text"].split())
        )
        head = (row["utterance_id"], row["turn_id"], row["role"], row["speaker"], row["start"], row["end"])
        pretags = tuple(row["codes"].split("|"))
        p = {code: row[f"p_{code}"] for code in CODES}
        machine = tuple(code for code in codebook.proposed(pretags) if codebook[code].role == row["role"])
        utterances.append(
            ComparedUtterance(CorrectedUtterance(*head, words), (), None, machine, row["probability"], p, pretags)
        )
    drawn = {key: report.as_dict()[key] for key in ("width", "seed", "spread", "draws")}
    assert group_measures(ConsensusBoard(tuple(utterances), (), codebook, drawn)).as_dict() == report.as_dict()


def test_a_book_of_its_own_counts_by_its_own_families() -> None:
    utterances = (compared(1, ("question",)), compared(2, ("reflection_complex",)), compared(3, ("reflection_simple",)))
    figures = group_measures(ConsensusBoard(utterances, (), codebook_files.read("miti-4.2")))
    assert figures.ratios["percent_complex_reflections"].value == 100  # once a volley, complex before simple
    assert figures.ratios["reflections_per_question"].value == 1


def board(coder: Coder) -> dict[str, Any]:
    answer = coder.browser.get(f"/tapes/{coder.tape_id}/together/state?codebook=pretags")
    assert answer.status_code == 200, answer.text
    return answer.json()


def settle(coder: Coder, name: str, *codes: str, action: str = "set", where: str = "u0001") -> Any:
    body = {"id": name, "codebook": "pretags", "utterance_id": where, "action": action, "codes": codes}
    headers = {"X-CSRF-Token": coder.token}
    return coder.browser.client.post(f"/tapes/{coder.tape_id}/together", json=body, headers=headers)


@pytest.fixture
def both(table: Table) -> Table:
    for coder, code in ((table.ada.begin(), "question_open"), (table.ben.begin(), "question_closed")):
        coder.code("u0001", code)
        coder.code("u0002", "change")
        coder.lock()
    return table


def test_what_is_settled_keeps_what_everyone_said(both: Table) -> None:
    before = board(both.ada)
    assert before["queue"] == ["u0001"]
    assert before["coders"] == ["Ada", "Ben"]
    after = settle(both.ada, "s1", "question_open").json()
    assert after["queue"] == []
    assert after["basis"].startswith("1 settled together, ")
    [utterance] = after["places"]
    assert utterance["settled"] == ["question_open"]
    assert {each["coder"]: each["codes"] for each in utterance["opinions"]} == {
        "Ada": ["question_open"],
        "Ben": ["question_closed"],
    }
    with both.room.home.database.reading() as session:
        layers = dict(session.execute(select(CodeEvent.client_event_id, Pass.layer).join(Pass)).all())
    assert sorted(layers.values()) == ["consensus", "member", "member", "member", "member"]
    assert settle(both.ben, "s2", action="undo").json()["queue"] == ["u0001"]


def test_who_codes_a_tape_twice_has_one_opinion(both: Table) -> None:
    both.room.clock.advance(60_000)
    again = both.ada.begin()
    again.code("u0001", "question_closed")
    again.code("u0002", "change")
    again.lock()
    page_state = board(both.ben)
    [utterance] = [compared for compared in page_state["places"] if compared["id"] == "u0001"]
    assert [(each["coder"], each["codes"]) for each in utterance["opinions"]] == [
        ("Ada", ["question_closed"]),
        ("Ben", ["question_closed"]),
    ]
    assert page_state["queue"] == []


def test_the_measures_follow_what_is_settled(both: Table) -> None:
    def share(answer: dict[str, Any]) -> Any:
        return next(measure["value"] for measure in answer["measures"] if measure["label"].startswith("Open questions"))

    opened = share(settle(both.ada, "s1", "question_open").json())
    assert share(settle(both.ada, "s2", "question_closed").json()) < opened


def test_a_task_is_no_opinion_on_what_it_did_not_ask_for(table: Table) -> None:
    ada, ben = table.ada.begin("depth"), table.ben.begin()
    ada.code("u0003", "reflection_simple")
    ben.code("u0001", "question_open")
    ben.code("u0003", "reflection_simple")
    ada.lock()
    ben.lock()
    utterances = {utterance["id"]: utterance for utterance in board(ada)["places"]}
    assert [each["coder"] for each in utterances["u0001"]["opinions"]] == ["Ben"]
    assert not utterances["u0001"]["disputed"]
    assert len(utterances["u0003"]["opinions"]) == 2
