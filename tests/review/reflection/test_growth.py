"""My growth shows of each tape what every other page shows of it, and whose codes that is.

The tape of `tests.review.consensus.test_votes`: the machine hears two reflections, one of them complex, and two
questions, one of them open: R:Q 1, %CR 50, %OQ 50.
"""

from __future__ import annotations

import json
import re

import pytest
from sqlalchemy import select

from pipeline.tapes.db.records import Person
from pipeline.tapes.vault.stage_store import item_row
from tests.review.coding.conftest import Table, table
from tests.review.conftest import MEASURES, Browser
from tests.review.consensus.test_votes import ALL, CLIENT, coded, seated

__all__ = ["table"]

HEARD = {"u1": "question_open", "u3": "reflection_complex", "u5": "reflection_complex", "u7": "reflection_simple"}
"""Three reflections, two of them complex, and one question: R:Q 3, %CR 67, %OQ 100."""


@pytest.fixture
def tape(table: Table) -> Table:
    """The tape, with the machine's measures in the vault: those of a longer one, so that they are told from others."""
    seated(table)
    home = table.room.home
    stored = home.vault.put(table.tape_id, "measures.json", json.dumps(MEASURES).encode())
    with home.database.writing() as database:
        database.add(item_row(stored, table.room.clock()))
    return table


def person(tape: Table, name: str) -> str:
    with tape.room.home.database.reading() as database:
        return database.scalars(select(Person.id).where(Person.name == name)).one()


def growth(browser: Browser, path: str = "/growth") -> dict[str, list[tuple[str, str]]]:
    """Measure -> (value, by whom) of each tape in the table."""
    tables = {}
    for part in browser.get(path).text.split("<h2>")[1:]:
        name, _, rest = part.partition("</h2>")
        rows = re.findall(
            r'</th><td class="num" data-label="Value">(.*?)</td><td .*?</td><td data-label="By">(the \w+)', rest
        )
        if rows:
            tables[name] = rows
    return tables


def summary(browser: Browser, tape_id: str) -> dict[str, str]:
    page = browser.get(f"/tapes/{tape_id}/summary").text
    return dict(re.findall(r'<th scope="row">(.*?)</th><td class="num" data-label="Value">(.*?)</td>', page))


def test_what_the_group_settles_moves_the_dot(tape: Table) -> None:
    """Ada hears a complex reflection where Ben hears a simple one; until they settle it, neither counts."""
    coded(tape.ada, HEARD)
    coded(tape.ben, HEARD | {"u5": "reflection_simple"})
    ivy = tape.interviewer.browser
    assert growth(ivy)["Complex reflections (%CR)"] == [("50%", "the group")]
    body = {"id": "s1", "codebook": "pretags", "utterance_id": "u5", "action": "set", "codes": ["reflection_complex"]}
    headers = {"X-CSRF-Token": tape.ada.token}
    assert tape.ada.browser.client.post(f"/tapes/{tape.tape_id}/together", json=body, headers=headers).is_success
    assert growth(ivy)["Complex reflections (%CR)"] == [("67%", "the group")]


def test_both_kinds_of_dots_differ_in_shape(tape: Table) -> None:
    coded(tape.ada, ALL | CLIENT)
    tape.room.tape(tape.group_id, person(tape, "Ivy"))
    page = tape.interviewer.browser.get("/growth").text
    picture = page.partition("<figure")[2].partition("</figure>")[0]
    assert (picture.count('<circle class="dot"'), picture.count('<path class="dot machine"')) == (1, 1)
    assert "by the group's codes" in page.partition("<figure")[0]


def test_growth_that_is_shared_tells_no_codes_to_who_may_not_see_them(tape: Table) -> None:
    """Ben is still coding: what Ada coded reaches him neither on the tape nor through Ivy's growth."""
    coded(tape.ada, HEARD | CLIENT)
    tape.ben.begin()
    assert tape.interviewer.browser.post("/growth/share", {"person_id": person(tape, "Ben")}).status_code == 303
    shared = f"/growth/{person(tape, 'Ivy')}"
    assert growth(tape.ben.browser, shared)["Reflections per question"] == [("1.3", "the machine")]
    for name, code in (HEARD | CLIENT).items():
        tape.ben.code(name, code)
    tape.ben.lock()
    assert growth(tape.ben.browser, shared)["Complex reflections (%CR)"][0][1] == "the group"


def test_the_machine_s_change_talk_stays_the_machine_s_under_a_book_without_client_codes(tape: Table) -> None:
    coded(tape.ada, {"u1": "question", "u3": "reflection_simple", "u5": "reflection_complex"}, book="miti-4.2")
    page = growth(tape.interviewer.browser)
    assert page["Reflections per question (R:Q)"] == [("2", "the group")]
    assert page["Change talk (%CT), by the machine"] == [("50%", "the machine")]


def test_a_tape_without_a_figure_is_named_with_the_reason(tape: Table) -> None:
    """OARS has a code for open questions alone: the tape that was coded with it has no R:Q, the other has."""
    coded(tape.ada, {"u1": "question_open", "u3": "reflection"}, book="oars")
    tape.room.tape(tape.group_id, person(tape, "Ivy"))
    page = tape.interviewer.browser.get("/growth").text
    assert [value for value, _ in growth(tape.interviewer.browser)["Reflections per question"]] == ["1.3"]
    reason = "this codebook has a code for open questions only, not for all questions"
    assert re.search(rf"Not shown: the tape from [^<]* \({reason}\)\.", page)
