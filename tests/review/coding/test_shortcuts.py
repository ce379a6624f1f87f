from __future__ import annotations

import pytest

from pipeline.coding.codebook import Code, Codebook
from pipeline.formats import codebook_files
from pipeline.review.coding.shortcuts import COMMANDS, key_problem, resolve_bindings

ALL = "abcdefghijklmnopqrstuvwxyz"


def keys(book: Codebook, chosen: dict[str, str] | None = None) -> dict[str, str]:
    return {binding.action: binding.shown for binding in resolve_bindings(book, chosen)}


@pytest.mark.parametrize("name", codebook_files.shipped())
def test_no_key_is_given_twice(name: str) -> None:
    pressed = [press for binding in resolve_bindings(codebook_files.read(name)) for press in binding.presses]
    assert len(pressed) == len(set(pressed))


@pytest.mark.parametrize("name", codebook_files.shipped())
def test_a_code_has_the_key_of_its_book(name: str) -> None:
    book = codebook_files.read(name)
    key_of_action = keys(book)
    assert all(key_of_action[f"code:{code.name}"] == code.key for code in book.codes)


def test_a_command_moves_to_shift_where_a_code_has_its_key() -> None:
    key_of_action = keys(codebook_files.read("miti-4.2"))
    assert (key_of_action["speaker"], key_of_action["text"], key_of_action["split"], key_of_action["merge"]) == (
        "Shift+s",
        "Shift+e",
        "Shift+x",
        "m",
    )


def test_a_book_that_takes_every_letter_leaves_every_command_a_key() -> None:
    letters = [*ALL, *ALL.upper(), *"0123456789+-?,."]
    book = Codebook(
        "all", "1", "All", "utterance", tuple(Code(f"c{key}", key, key, key, "client", key) for key in letters)
    )
    pressed = [press for binding in resolve_bindings(book) for press in binding.presses]
    assert len(pressed) == len(set(pressed))
    assert {command.action for command in COMMANDS} <= set(keys(book))
    assert keys(book)["unsure"] == "Alt+u"


def test_a_person_may_choose_another_key() -> None:
    book = codebook_files.read("oars")
    assert key_problem(book, {}, "code:summary", "y") == ""
    key_of_action = keys(book, {"code:summary": "y", "unsure": "w"})
    assert (key_of_action["code:summary"], key_of_action["speaker"], key_of_action["unsure"]) == ("y", "s", "w")


@pytest.mark.parametrize(
    ("action", "key"),
    [
        ("code:summary", "a"),
        ("code:summary", ""),
        ("code:summary", " "),
        ("code:summary", "ab"),
        ("code:summary", "w"),
        ("play", "p"),
        ("nothing", "p"),
    ],
)
def test_a_choice_that_cannot_be_is_told(action: str, key: str) -> None:
    assert key_problem(codebook_files.read("oars"), {"unsure": "w"}, action, key)
