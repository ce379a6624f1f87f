"""Codebooks that a pass can use."""

from __future__ import annotations

import re

import pytest

from tests.review.coding.conftest import Table


def test_another_codebook_can_be_chosen(table: Table) -> None:
    state = table.ada.begin("all", "miti-4.2").state()
    assert "emphasizing_autonomy" in {code["name"] for code in state["codes"]}
    keys = {binding["action"]: binding["shown"] for binding in state["bindings"]}
    assert (keys["code:emphasizing_autonomy"], keys["text"]) == ("e", "Shift+e")


def test_a_codebook_of_cacti_can_be_taken_in(table: Table) -> None:
    xml = (
        "<userConfiguration><codes><code name='OQ' value='11'/><code name='C+' value='12'/></codes><globals/>"
        "<codeControls panel='left' label='Therapist'><row><button code='OQ'/></row></codeControls>"
        "<codeControls panel='right' label='Client'><row><button code='C+'/></row></codeControls></userConfiguration>"
    )
    upload = {"file": ("Our book.xml", xml.encode(), "text/xml")}
    answer = table.ada.browser.post(f"/tapes/{table.tape_id}/codebooks", {"label": "Our book"}, files=upload)
    assert answer.status_code == 303, answer.text
    page = table.ada.browser.get(f"/tapes/{table.tape_id}/coding").text
    [name] = re.findall(r'value="(\w+)"[^>]*><label[^>]*>Our book<', page)
    state = table.ada.begin("all", name).state()
    assert [code["letter"] for code in state["codes"]] == ["OQ", "C+"]
    table.ada.code("u0001", "OQ")
    table.ada.lock()
    together = table.ada.browser.get(f"/tapes/{table.tape_id}/together/state?codebook={name}").json()
    assert together["coders"] == ["Ada"]
    assert [each["codes"] for each in together["places"][0]["opinions"]] == [["OQ"]]


@pytest.mark.parametrize("wrong", ["../../etc/passwd", "nothing", "/etc/passwd", "a" * 79])
def test_a_codebook_that_does_not_exist_is_told(table: Table, wrong: str) -> None:
    answer = table.ada.browser.post(f"/tapes/{table.tape_id}/coding", {"task": "all", "codebook": wrong})
    assert answer.status_code == 404
    assert "TR-C03" in answer.text
