"""What the codes mean: on the coding page, on Together, and as a sheet to print."""

from __future__ import annotations

import re

import pytest

from pipeline.formats import codebook_files
from tests.review.coding.conftest import Table

OWN = b"""
name = "ours"
version = "1"
label = "Ours"
counting = "utterance"
source = "The group's own"

[[codes]]
name = "yes_but"
label = "Yes, but"
letter = "Y"
key = "y"
role = "client"
family = "client_talk"
definition = "Agrees and takes it back in the same breath."
example = "Sure, but not on Fridays."
near_miss = "\\"Sure.\\" Nothing is taken back."
source = "Meeting of May <3>"
"""


def add(table: Table, content: bytes, label: str = "Our own") -> str:
    upload = {"file": ("codebook.toml", content, "application/toml")}
    answer = table.ada.browser.post(f"/tapes/{table.tape_id}/codebooks", {"label": label}, files=upload)
    assert answer.status_code == 303, answer.text
    page = table.ada.browser.get(f"/tapes/{table.tape_id}/coding").text
    [name] = re.findall(rf'value="(\w+)"[^>]*><label[^>]*>{label}<', page)
    return name


@pytest.mark.parametrize("name", codebook_files.shipped())
def test_the_pages_that_code_bring_every_definition_with_them(table: Table, name: str) -> None:
    state = table.ada.begin(codebook=name).state()
    table.ada.lock()
    together = table.ada.browser.get(f"/tapes/{table.tape_id}/together/state?codebook={name}").json()
    book = codebook_files.read(name)
    for given in (state, together):
        texts = [(code["definition"], code["example"], code["near_miss"], code["source"]) for code in given["codes"]]
        assert texts == [(code.definition, code.example, code.near_miss, code.source) for code in book.codes]
        assert all(all(text) for text in texts)
        assert "define" in {binding["action"] for binding in given["bindings"]}
        sheet = table.ada.browser.get(given["sheet"])
        assert sheet.status_code == 200
        assert all(f"<h3>{code.label.replace('&', '&amp;')} <kbd>" in sheet.text for code in book.codes)


def test_a_shipped_codebook_has_a_sheet_without_a_tape(table: Table) -> None:
    page = table.ada.browser.get("/codebooks/oars").text
    assert page.count('class="definition"') == 4
    assert "chapters 5 and 6" in page
    assert table.ada.browser.get("/codebooks/nothing").status_code == 404


def test_a_group_s_own_codebook_brings_its_own_definitions(table: Table) -> None:
    name = add(table, OWN)
    [code] = table.ada.begin(codebook=name).state()["codes"]
    assert (code["definition"], code["near_miss"]) == (
        "Agrees and takes it back in the same breath.",
        '"Sure." Nothing is taken back.',
    )
    page = table.ada.browser.get(f"/tapes/{table.tape_id}/definitions?codebook={name}").text
    assert "Meeting of May &lt;3&gt;" in page
    assert "After: The group&#39;s own" in page
    assert table.ada.browser.get(f"/tapes/{table.tape_id}/definitions?codebook=nothing").status_code == 404


def test_a_codebook_without_definitions_says_so(table: Table) -> None:
    bare = re.sub(rb"(?m)^(definition|example|near_miss|source) = .*\n", b"", OWN)
    page = table.ada.browser.get(f"/tapes/{table.tape_id}/definitions?codebook={add(table, bare)}").text
    assert "This codebook comes without definitions." in page
    assert "Close, but not" not in page


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"a = " + b"[" * 100_000, "TR-C01"),
        (b"\xff\xfe", "TR-C01"),
        (OWN.replace(b'"Sure, but not on Fridays."', b'"' + b"x" * 1001 + b'"'), "TR-C02"),
        (OWN.replace(b'label = "Yes, but"', b'label = "Yes\\u0007"'), "TR-C02"),
        (OWN.replace(b'definition = "Agrees and takes it back in the same breath."', b"definition = 3"), "TR-C02"),
    ],
    ids=["deep", "not text", "long", "control character", "number"],
)
def test_a_codebook_that_is_none_is_refused_with_its_reason(table: Table, content: bytes, code: str) -> None:
    upload = {"file": ("codebook.toml", content, "application/toml")}
    answer = table.ada.browser.post(f"/tapes/{table.tape_id}/codebooks", {"label": "Our own"}, files=upload)
    assert answer.status_code in (400, 422)
    assert code in answer.text
