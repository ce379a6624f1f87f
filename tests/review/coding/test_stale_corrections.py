"""A split, a merge or a swap of the speakers that somebody else overtook: refused as stale, and nothing happens."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from pipeline.review.coding.correction_store import STALE
from tests.review.coding.conftest import Coder, Table

Page = list[dict[str, Any]]
"""The utterances that a page shows."""


def page_of(coder: Coder) -> Page:
    return list(coder.state()["utterances"])


def ids(utterance: dict[str, Any]) -> list[str]:
    return [word["id"] for word in utterance["words"]]


def text(page: Page) -> list[tuple[str, str, list[str]]]:
    return [(each["id"], each["role"], ids(each)) for each in page]


def split(page: Page, at: int, word: int) -> dict[str, Any]:
    """A split of the utterance at a place, as a page that shows these utterances sends it."""
    utterance = page[at]
    base = {"words": [ids(utterance)], "roles": []}
    payload = {"word_id": ids(utterance)[word]}
    return {"kind": "split", "utterance_id": utterance["id"], "payload": payload, "base": base}


def merge(page: Page, at: int) -> dict[str, Any]:
    base = {"words": [ids(page[at - 1]), ids(page[at])], "roles": []}
    return {"kind": "merge", "utterance_id": page[at]["id"], "payload": {}, "base": base}


def swap_one(page: Page, at: int) -> dict[str, Any]:
    utterance = page[at]
    base = {"words": [ids(utterance)], "roles": [[utterance["id"], utterance["role"]]]}
    return {"kind": "speaker", "utterance_id": utterance["id"], "payload": {"only": True}, "base": base}


def swap_from(page: Page, at: int) -> dict[str, Any]:
    roles: list[list[str]] = []
    for utterance in page[at:]:
        if not roles or roles[-1][1] != utterance["role"]:
            roles.append([utterance["id"], utterance["role"]])
    base = {"words": [], "roles": roles}
    return {"kind": "speaker", "utterance_id": page[at]["id"], "payload": {}, "base": base}


def joinable(coder: Coder) -> None:
    """Give the second utterance, "client", to the interviewer of the first: the two can be joined then."""
    assert coder.send({"id": "first"} | swap_one(page_of(coder), 1)).json() == {"refused": []}


# What Ben does before Ada's change arrives, and what Ada's page, which did not see it, sends.
OVERTAKEN: dict[str, tuple[Callable[[Page], dict[str, Any]], Callable[[Page], dict[str, Any]]]] = {
    "split an utterance that was joined to the one before": (
        lambda page: merge(page, 1),
        lambda page: split(page, 1, 2),
    ),
    "split an utterance to which another was joined": (lambda page: merge(page, 1), lambda page: split(page, 0, 2)),
    "split an utterance before the place where it was split": (
        lambda page: split(page, 3, 3),
        lambda page: split(page, 3, 1),
    ),
    "split an utterance behind the place where it was split": (
        lambda page: split(page, 3, 2),
        lambda page: split(page, 3, 4),
    ),
    "split an utterance where it was split": (lambda page: split(page, 3, 2), lambda page: split(page, 3, 2)),
    "join an utterance to one that was split": (lambda page: split(page, 0, 2), lambda page: merge(page, 1)),
    "join an utterance that was split": (lambda page: split(page, 1, 2), lambda page: merge(page, 1)),
    "join an utterance that was joined": (lambda page: merge(page, 1), lambda page: merge(page, 1)),
    "join utterances that now have two speakers": (lambda page: swap_one(page, 1), lambda page: merge(page, 1)),
    "swap one speaker who was swapped": (lambda page: swap_one(page, 3), lambda page: swap_one(page, 3)),
    "swap one speaker where all were swapped from before": (
        lambda page: swap_from(page, 2),
        lambda page: swap_one(page, 3),
    ),
    "swap the speaker of an utterance that was split": (lambda page: split(page, 3, 2), lambda page: swap_one(page, 3)),
    "swap the speaker of an utterance that was joined": (lambda page: merge(page, 1), lambda page: swap_one(page, 1)),
    "swap all from where they were swapped": (lambda page: swap_from(page, 3), lambda page: swap_from(page, 3)),
    "swap all from before where they were swapped": (lambda page: swap_from(page, 5), lambda page: swap_from(page, 3)),
    "swap all where one was swapped later on": (lambda page: swap_one(page, 6), lambda page: swap_from(page, 3)),
    "swap all from an utterance that was joined": (lambda page: merge(page, 1), lambda page: swap_from(page, 1)),
}


@pytest.mark.parametrize("case", OVERTAKEN)
def test_a_change_that_somebody_overtook_is_refused_as_stale_and_changes_nothing(table: Table, case: str) -> None:
    others, late_change = OVERTAKEN[case]
    ada, ben = table.ada.begin(), table.ben.begin()
    joinable(ben)
    seen = page_of(ada)
    assert ben.send({"id": "faster"} | others(seen)).json() == {"refused": []}
    now = text(page_of(ada))
    assert now != text(seen)
    late = {"id": "late"} | late_change(seen)
    assert ada.send(late).json() == {"refused": [{"id": "late", "reason": STALE, "stale": "true"}]}
    assert ada.send(late).json() == {"refused": [{"id": "late", "reason": STALE, "stale": "true"}]}
    assert text(page_of(ada)) == now


@pytest.mark.parametrize(
    "change_of",
    [lambda page: split(page, 3, 2), lambda page: merge(page, 1), lambda page: swap_one(page, 3)],
    ids=["split", "merge", "speaker"],
)
def test_a_change_elsewhere_in_the_transcript_overtakes_nothing(
    table: Table, change_of: Callable[[Page], dict[str, Any]]
) -> None:
    ada, ben = table.ada.begin(), table.ben.begin()
    joinable(ben)
    seen = page_of(ada)
    for name, change in (("a", split(seen, 7, 2)), ("b", swap_one(seen, 8))):
        assert ben.send({"id": name} | change).json() == {"refused": []}
    before = text(page_of(ada))
    assert ada.send({"id": "own"} | change_of(seen)).json() == {"refused": []}
    assert text(page_of(ada)) != before


def test_a_split_elsewhere_does_not_overtake_a_swap_of_all_from_here(table: Table) -> None:
    ada, ben = table.ada.begin(), table.ben.begin()
    seen = page_of(ada)
    assert ben.send({"id": "a"} | split(seen, 7, 2)).json() == {"refused": []}
    assert ada.send({"id": "own"} | swap_from(seen, 5)).json() == {"refused": []}
    roles = "".join(each["role"][0] for each in page_of(ada))
    assert roles == "icici" + "iciicici"  # Ben split the eighth, the client's; twelve utterances are thirteen then


@pytest.mark.parametrize(
    "change_of", [lambda page: split(page, 3, 2), lambda page: merge(page, 1)], ids=["split", "merge"]
)
def test_the_same_change_sent_again_is_stored_once_though_others_went_on(
    table: Table, change_of: Callable[[Page], dict[str, Any]]
) -> None:
    """The answer was lost on the way: the page sends it once more, after somebody else has changed it too."""
    ada, ben = table.ada.begin(), table.ben.begin()
    joinable(ben)
    change = {"id": "own"} | change_of(page_of(ada))
    assert ada.send(change).json() == {"refused": []}
    assert ada.send(change).json() == {"refused": []}
    assert ben.send({"id": "then"} | swap_from(page_of(ben), 0)).json() == {"refused": []}
    before = text(page_of(ada))
    assert ada.send(change).json() == {"refused": []}
    assert text(page_of(ada)) == before


def test_a_page_that_was_offline_sends_changes_that_build_on_one_another(table: Table) -> None:
    ada = table.ada.begin()
    page = page_of(ada)
    words = ids(page[3])
    halves = [page[3] | {"words": page[3]["words"][:2]}, page[3] | {"id": f"u0004~{words[2]}"}]
    halves[1]["words"] = page[3]["words"][2:]
    after = [*page[:3], *halves, *page[4:]]
    batch = [
        {"id": "one"} | split(page, 3, 2),
        {"id": "two"} | swap_one(after, 4),
        {"id": "three"} | split(after, 3, 1),
    ]
    assert ada.send(*batch).json() == {"refused": []}
    assert ada.send(*batch).json() == {"refused": []}
    shown = text(page_of(ada))
    assert [each for each in shown if each[0].startswith("u0004")] == [
        ("u0004", "client", words[:1]),
        (f"u0004~{words[1]}", "client", words[1:2]),
        (f"u0004~{words[2]}", "interviewer", words[2:]),
    ]


def test_what_builds_on_a_stale_change_is_stale_with_it_and_the_rest_of_the_outbox_is_stored(table: Table) -> None:
    ada, ben = table.ada.begin(), table.ben.begin()
    page = page_of(ada)
    words = ids(page[3])
    assert ben.send({"id": "faster"} | split(page, 3, 3)).json() == {"refused": []}
    first = {"id": "one"} | split(page, 3, 2)
    half = page[3] | {"id": f"u0004~{words[2]}", "words": page[3]["words"][2:]}
    second = {"id": "two"} | swap_one([half], 0)
    other = {"id": "three"} | split(page, 5, 1)
    code = {"id": "four", "kind": "code", "utterance_id": "u0001", "codes": ["question_open"], "base": ""}
    refused = ada.send(first, second, other, code).json()["refused"]
    assert [(each["id"], each["stale"]) for each in refused] == [("one", "true"), ("two", "true")]
    assert f"u0006~{ids(page[5])[1]}" in [each["id"] for each in page_of(ada)]
    assert ada.state()["events"][0]["codes"] == ["question_open"]


def test_a_change_may_be_undone_and_redone_whatever_its_page_showed(table: Table) -> None:
    ada, ben = table.ada.begin(), table.ben.begin()
    page = page_of(ada)
    assert ada.send({"id": "one"} | split(page, 3, 2)).json() == {"refused": []}
    assert ben.send({"id": "then"} | swap_one(page_of(ben), 4)).json() == {"refused": []}
    undo = {"id": "two", "kind": "split", "utterance_id": "u0004", "undoes": "one"}
    assert ada.send(undo).json() == {"refused": []}
    assert [each["id"] for each in page_of(ada)] == [each["id"] for each in page]


@pytest.mark.parametrize(
    "change",
    [
        {"kind": "split", "utterance_id": "u0004", "payload": {"word_id": "w99999"}},
        {"kind": "merge", "utterance_id": "u0004", "payload": {}},  # the speaker before is another
        {"kind": "speaker", "utterance_id": "u9999", "payload": {}},
        {"kind": "text", "utterance_id": "u9999", "payload": {"replace": [], "after": None, "with": ["no"]}},
    ],
    ids=lambda change: str(change["kind"]),
)
def test_a_change_of_an_older_page_is_not_stored_without_effect(table: Table, change: dict[str, Any]) -> None:
    ada = table.ada.begin()
    before = text(page_of(ada))
    answer = ada.send({"id": "old"} | change).json()
    assert answer == {"refused": [{"id": "old", "reason": STALE, "stale": "true"}]}
    assert text(page_of(ada)) == before


def test_who_deletes_the_last_word_that_somebody_else_left_is_told(table: Table) -> None:
    ada, ben = table.ada.begin(), table.ben.begin()
    first, *rest = ids(page_of(ada)[0])
    assert ben.correct("text", "u0001", {"replace": rest, "after": first, "with": []}).json() == {"refused": []}
    answer = ada.correct("text", "u0001", {"replace": [first], "after": None, "with": []}).json()
    assert [each["stale"] for each in answer["refused"]] == ["true"]
