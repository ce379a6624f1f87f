"""A MITI pass from the coding page to the summary: its ratings, scores and totals, and none of it for other passes.

The interviewer's lines of `tests.review.consensus.test_votes` as two coders code them with MITI 4.2, each a volley of
its own: u1 question and seeking collaboration, u3 simple reflection and affirmation, u5 complex reflection and
emphasizing autonomy, u7 complex reflection and confrontation. So R:Q is 3 / 1, %CR 2 / 3, MI-adherent 3,
MI-non-adherent 1.
"""

from __future__ import annotations

import io
import re
from typing import Any

import pytest
from docx import Document
from pypdf import PdfReader

from pipeline.coding import codebook
from pipeline.formats import codebook_files
from pipeline.tapes import group_codebooks as group_books
from tests.review.coding.conftest import Coder, Table
from tests.review.conftest import Browser
from tests.review.consensus.test_votes import ALL, board, coded, seated

MITI = {
    "u1": ("question", "seeking_collaboration"),
    "u3": ("reflection_simple", "affirmation"),
    "u5": ("reflection_complex", "emphasizing_autonomy"),
    "u7": ("reflection_complex", "confrontation"),
}
ADA = {"cultivating_change_talk": "3", "softening_sustain_talk": "4", "partnership": "5", "empathy": "4"}
BEN = {"cultivating_change_talk": "4", "softening_sustain_talk": "4", "partnership": "3", "empathy": "4"}


@pytest.fixture
def tape(table: Table) -> Table:
    return seated(table)


def rated(coder: Coder, ratings: dict[str, str], codes: Any = MITI, book: str = "miti-4.2") -> Coder:
    coder.begin("all", book)
    for name, given in codes.items():
        coder.code(name, *given)
    assert coder.browser.post(f"{coder.path}/ratings", dict(ratings)).status_code == 303
    coder.lock()
    return coder


def settle(coder: Coder, ratings: dict[str, str], book: str = "miti-4.2") -> int:
    path = f"/tapes/{coder.tape_id}/together/ratings"
    return coder.browser.post(path, {"codebook": book} | ratings).status_code


def section(browser: Browser, tape_id: str, label: str = "MITI 4.2 behavior counts") -> dict[str, tuple[str, ...]]:
    """Label -> the cells of the summary's rows; nothing where there is no such section."""
    page = browser.get(f"/tapes/{tape_id}/summary").text.partition(f"({label})</span></h2>")[2]
    rows = re.findall(r'<tr><th scope="row">(.*?)</th>(.*?)</tr>', page)
    return {name: tuple(re.findall(r"<td[^>]*>(.*?)</td>", cells)) for name, cells in rows}


def paper(browser: Browser, tape_id: str) -> str:
    sheets = PdfReader(io.BytesIO(browser.get(f"/tapes/{tape_id}/summary.pdf").content)).pages
    printed = " ".join("\n".join(sheet.extract_text() for sheet in sheets).split())
    document = Document(io.BytesIO(browser.get(f"/tapes/{tape_id}/summary.docx").content))
    assert " ".join(" ".join(paragraph.text for paragraph in document.paragraphs).split()) == printed
    return printed


def test_the_summary_of_a_miti_pass_is_the_manual_s(tape: Table) -> None:
    """Technical (3 + 4) / 2, relational (5 + 4) / 2."""
    ada = rated(tape.ada, ADA)
    summary = section(ada.browser, tape.tape_id)
    assert summary == {
        "Cultivating change talk": ("3", "one coder"),
        "Softening sustain talk": ("4", "one coder"),
        "Partnership": ("5", "one coder"),
        "Empathy": ("4", "one coder"),
        "Technical score": ("3.5", "", "fair from 3, good from 4"),
        "Relational score": ("4.5", "", "fair from 3.5, good from 4"),
        "Complex reflections (%CR)": ("67%", "", "fair from 40%, good from 50%"),
        "Reflections per question (R:Q)": ("3", "", "fair from 1, good from 2"),
        "Total MI-adherent": ("3", "", "none in the manual"),
        "Total MI-non-adherent": ("1", "", "none in the manual"),
    }
    page = ada.browser.get(f"/tapes/{tape.tape_id}/summary").text
    assert "expert opinion without normative data" in page
    text = paper(ada.browser, tape.tape_id)
    for name, cells in summary.items():
        assert f"{name}: {cells[0]}" in text
        assert len(cells) == 2 or f"Thresholds: {cells[2]}" in text
    assert "expert opinion without normative data" in text
    together = {measure["label"]: measure["text"] for measure in board(ada, "miti-4.2")["measures"]}
    for name in ("Reflections per question (R:Q)", "Total MI-adherent", "Total MI-non-adherent"):
        assert together[name] == summary[name][0]


def test_coders_ratings_stand_side_by_side_and_the_group_settles_them(tape: Table) -> None:
    """Ada and Ben differ on two of the four. Settled on 3 and 4: technical (3 + 4) / 2, relational (4 + 4) / 2."""
    rated(tape.ada, ADA)
    ben = rated(tape.ben, BEN)
    address = f"/tapes/{tape.tape_id}/together?codebook=miti-4.2"
    page = ben.browser.get(address).text
    assert 'Partnership</th><td class="num">5</td><td class="num">3</td></tr>' in page
    assert 'Technical score</th><td class="num">3.5</td><td class="num">4.0</td></tr>' in page
    summary = section(ben.browser, tape.tape_id)
    assert summary["Partnership"] == ("3 and 5", "not settled")
    assert summary["Empathy"] == ("4", "all 2 coders")
    assert summary["Relational score"] == ("partnership is not settled", "", "fair from 3.5, good from 4")
    assert settle(ben, {"cultivating_change_talk": "3", "partnership": "4"}) == 303
    summary = section(tape.interviewer.browser, tape.tape_id)
    assert summary["Partnership"] == ("4", "settled together")
    assert (summary["Technical score"][0], summary["Relational score"][0]) == ("3.5", "4")
    assert "Relational score: 4" in paper(tape.ada.browser, tape.tape_id)
    page = ben.browser.get(address).text
    assert 'Partnership</th><td class="num">5</td><td class="num">3</td></tr>' in page  # what each said stays
    assert re.search(r'name="partnership">.*?<option selected>4</option>', page)
    assert settle(ben, {"cultivating_change_talk": "3"}) == 303  # partnership is open again
    assert section(ben.browser, tape.tape_id)["Partnership"] == ("3 and 5", "not settled")


def test_own_ratings_are_seen_again_after_locking(tape: Table) -> None:
    ada = rated(tape.ada, ADA)
    page = ada.browser.get(ada.path).text
    assert 'Partnership <strong class="num">5</strong>' in page
    page = ada.browser.get(f"{ada.path}/ratings").text
    assert 'Relational: <strong class="num">4.5</strong> <span class="soft">(fair from 3.5, good from 4)' in page
    assert page.count(" checked") == 4


def test_nobody_sees_others_ratings_while_coding_nor_settles_any(tape: Table) -> None:
    rated(tape.ada, ADA)
    ben = tape.ben.begin("all", "miti-4.2")
    assert section(ben.browser, tape.tape_id) == {}
    assert "Relational" not in paper(ben.browser, tape.tape_id)
    assert settle(ben, {"partnership": "1"}) == 403
    assert settle(tape.stranger, {"partnership": "1"}) == 404
    assert section(tape.ada.browser, tape.tape_id)["Partnership"] == ("5", "one coder")


@pytest.mark.parametrize(("ratings", "status"), [({"partnership": "6"}, 422), ({"partnership": "x"}, 422)])
def test_what_is_settled_lies_on_the_scale(tape: Table, ratings: dict[str, str], status: int) -> None:
    assert settle(rated(tape.ada, ADA), ratings) == status


def test_another_codebook_has_no_miti_summary(tape: Table) -> None:
    ada = rated(tape.ada, ADA, {name: (code,) for name, code in ALL.items()}, "pretags")
    page = ada.browser.get(f"/tapes/{tape.tape_id}/summary").text
    assert "Technical" not in page
    assert "MI-adherent" not in page
    assert "MI-adherent" not in str(board(ada)["measures"])
    assert settle(ada, {"partnership": "4"}, "pretags") == 422
    assert "This pass uses the codebook" in ada.browser.get(f"{ada.path}/ratings").text


def test_the_tape_s_own_codebook_hides_no_miti_pass(tape: Table) -> None:
    """The tape's codebook is the pre-tags': Ada's pass with it gives R:Q 1, Ben's with MITI's 3."""
    coded(tape.ada, ALL)
    ben = rated(tape.ben, BEN)
    page = ben.browser.get(f"/tapes/{tape.tape_id}/summary").text
    first = page.partition("<h2>MITI summary")[0]
    assert '(R:Q)</th><td class="num" data-label="Value">1</td>' in first
    assert section(ben.browser, tape.tape_id)["Reflections per question (R:Q)"][0] == "3"


@pytest.mark.parametrize("change", ["name", "declared"])
def test_what_makes_a_codebook_miti_s_is_no_name(tape: Table, change: str) -> None:
    """A book of another name that counts by MITI's volley, or one that declares the ratings and counts utterances."""
    text = codebook_files.written(codebook_files.read("miti-4.2")).replace("MITI 4.2 behavior counts", "Our own book")
    text = re.sub(r'^name = "miti-4.2"', 'name = "ours"', text, flags=re.MULTILINE)
    if change == "name":
        text = re.sub(r"^globals = \[.*?\]", "", text, flags=re.MULTILINE | re.DOTALL)
    else:
        text = text.replace("miti-4.2-volley", "utterance")
    room = tape.room
    with room.home.database.writing() as session:
        book = codebook.parse(text)
        name = group_books.add(session, room.home.vault, tape.group_id, book, book.label, None, room.clock())
    ada = rated(tape.ada, ADA, book=name)
    summary = section(ada.browser, tape.tape_id, "Our own book")
    assert (summary["Technical score"][0], summary["Total MI-adherent"][0]) == ("3.5", "3")


def test_the_name_alone_makes_no_codebook_miti_s() -> None:
    text = codebook_files.written(codebook_files.read("pretags"))
    assert not codebook.parse(re.sub(r'^name = "pretags"', 'name = "miti-4.2"', text, flags=re.MULTILINE)).is_miti


def test_a_codebook_of_cacti_that_asks_for_the_four_ratings_is_miti_s(tape: Table) -> None:
    names = ("EMPATHY", "PARTNERSHIP", "CULTIVATING_CHANGE_TALK", "SOFTENING SUSTAIN TALK")
    ratings = "".join(f"<global name='{name}' label='{name}' value='0' minRating='1' maxRating='5'/>" for name in names)
    codes = ("Q", "SR", "CR", "AF", "SEEK", "CONFRONT")
    xml = (
        f"<userConfiguration><codes>{''.join(f'''<code name='{c}' value='{at}'/>''' for at, c in enumerate(codes, 11))}"
        f"</codes><globals>{ratings}</globals><codeControls panel='left' label='Therapist'><row>"
        f"{''.join(f'''<button code='{code}'/>''' for code in codes)}</row></codeControls></userConfiguration>"
    )
    upload = {"file": ("ours.xml", xml.encode(), "text/xml")}
    path = f"/tapes/{tape.tape_id}/codebooks"
    assert tape.ada.browser.post(path, {"label": "Miti of ours"}, files=upload).status_code == 303
    page = tape.ada.browser.get(f"/tapes/{tape.tape_id}/coding").text
    [name] = re.findall(r'value="(\w+)"[^>]*><label[^>]*>Miti of ours<', page)
    given = {"u1": ("Q", "SEEK"), "u3": ("SR", "AF"), "u5": ("CR",), "u7": ("CONFRONT",)}
    ada = rated(tape.ada, ADA, given, name)
    summary = section(ada.browser, tape.tape_id, "Miti of ours")
    values = {label: cells[0] for label, cells in summary.items()}
    assert (values["Total MI-adherent"], values["Total MI-non-adherent"]) == ("2", "1")
    assert (values["Relational score"], values["Reflections per question (R:Q)"]) == ("4.5", "2")


def test_ratings_without_codes_have_scores_and_no_counts(tape: Table) -> None:
    ada = rated(tape.ada, ADA, {})
    summary = section(ada.browser, tape.tape_id)
    assert summary["Technical score"][0] == "3.5"
    assert "Total MI-adherent" not in summary
    assert "No behavior is coded with this codebook yet" in ada.browser.get(f"/tapes/{tape.tape_id}/summary").text


def test_who_only_rates_a_tape_left_no_line_without_a_code(tape: Table) -> None:
    ada = rated(tape.ada, ADA)
    rated(tape.ben, BEN, {})
    assert board(ada, "miti-4.2")["queue"] == []
    assert section(ada.browser, tape.tape_id)["Reflections per question (R:Q)"][0] == "3"
