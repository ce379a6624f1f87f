"""Texts that everyone in a group may change."""

from __future__ import annotations

import html
import re

import pytest

from pipeline.review.meetings.group_text import version, would_overwrite
from tests.review.conftest import Room
from tests.review.peers import Peers


@pytest.mark.parametrize(
    ("stored", "sent", "known", "expected"),
    [
        ("tea", "coffee", "", True),  # written by another since the page was empty
        ("tea", "coffee", "tea", False),
        ("tea", "tea", "milk", False),  # both wrote the same
        ("", "coffee", "tea", False),  # there is nothing to lose
    ],
)
def test_only_a_text_that_another_wrote_since_is_written_over(
    stored: str, sent: str, known: str, expected: bool
) -> None:
    assert would_overwrite(stored, sent, version(known)) is expected
    assert not would_overwrite(stored, sent, "")  # a program that sends no version


@pytest.mark.parametrize("field", ["agreements", "terms"])
def test_two_who_change_a_group_s_text_at_once_lose_nothing(room: Room, peers: Peers, field: str) -> None:
    ada, ben = room.signed_in(peers.ada), room.signed_in(peers.ben)
    path = f"/groups/{peers.group}"

    def form(page: str) -> dict[str, object]:
        shown = html.unescape(page).partition(f'action="{path}/{field}"')[2].partition("</form>")[0]
        was, text = re.search(r'name="was" value="(\w+)"', shown), re.search(r">([^<]*)</textarea>", shown)
        assert was
        assert text
        return {"was": was[1], field: text[1]}

    both = form(ada.get(path).text)
    assert ben.post(f"{path}/{field}", both | {field: "Suboxone"}).status_code == 303
    refused = ada.post(f"{path}/{field}", both | {field: "Presque Isle"})
    assert refused.status_code == 409
    assert '<blockquote class="pre">Suboxone</blockquote>' in refused.text
    assert refused.text.count('role="alert"') == 1
    assert form(refused.text)[field] == "Presque Isle"
    assert form(ben.get(path).text)[field] == "Suboxone"
    combined = form(refused.text) | {field: "Suboxone, Presque Isle"}
    assert ada.post(f"{path}/{field}", combined).status_code == 303
    assert form(ben.get(path).text)[field] == "Suboxone, Presque Isle"
