"""Errors that a user can mend: one tree, stable codes, messages in one form."""

from __future__ import annotations

import copy
import re

import pytest

from pipeline import errors
from pipeline.errors import CODES, AudioError, SettingsError, TapeReviewError
from pipeline.review import errors as review_errors

TREE = {kind.letter: kind for kind in TapeReviewError.__subclasses__()}


def an_error() -> SettingsError:
    return SettingsError("S02", "setting 'audio.x'", "is unknown", "see configs/default.toml")


def test_a_message_names_code_thing_value_and_remedy() -> None:
    error = an_error()
    assert str(error) == "TR-S02 setting 'audio.x' is unknown; see configs/default.toml"
    assert (error.code, error.thing, error.value, error.remedy) == (
        "TR-S02",
        "setting 'audio.x'",
        "is unknown",
        "see configs/default.toml",
    )


def test_an_error_survives_the_way_from_another_process() -> None:
    again = copy.copy(an_error())  # by __reduce__, as every transport between processes does
    assert type(again) is SettingsError
    assert str(again) == str(an_error())


def test_a_code_must_be_listed() -> None:
    with pytest.raises(KeyError, match="S99 is not listed"):
        SettingsError("S99", "thing", "value", "remedy")


def test_a_code_must_belong_to_its_error() -> None:
    with pytest.raises(KeyError, match="S02 does not belong to AudioError"):
        AudioError("S02", "thing", "value", "remedy")


def test_the_base_error_takes_any_code() -> None:
    assert TapeReviewError("S02", "thing", "value", "remedy").code == "TR-S02"


@pytest.mark.parametrize(("letter", "kind"), TREE.items())
def test_each_error_has_its_letter(letter: str, kind: type[TapeReviewError]) -> None:
    assert kind.letter == letter
    assert issubclass(kind, TapeReviewError)


def test_the_tree_is_whole_and_drawn_in_the_docstring() -> None:
    assert len(TREE) == len(TapeReviewError.__subclasses__())
    drawn = re.findall(r"[├└]── (\w+) +TR-(\w)\.\.", errors.__doc__ or "")
    assert {letter: getattr(errors, name) for name, letter in drawn} == TREE


@pytest.mark.parametrize("code", CODES)
def test_codes_are_a_letter_of_the_tree_and_two_digits(code: str) -> None:
    assert re.fullmatch(rf"[{''.join(TREE)}]\d\d", code)
    assert CODES[code].strip()


def test_no_two_codes_mean_the_same() -> None:
    assert len(set(CODES.values())) == len(CODES)


OURS = re.compile(r"[/\\`_]|tape-review |\.sqlite|\.toml|SQL|TR-|--|\bCLI\b")
"""What stands in the operator's words, never in a member's."""


@pytest.mark.parametrize("code", CODES)
def test_every_code_has_a_status_and_a_sentence_for_members(code: str) -> None:
    given = review_errors.MEMBER_TEXTS[code]
    assert 400 < given.status < 600
    assert OURS.search(given.words) is None
    assert given.words == "" or given.words.endswith(".")


def test_there_is_no_sentence_for_a_code_that_is_not() -> None:
    written = [code for codes, _, _ in review_errors._SENTENCES for code in codes.split()]
    assert sorted(written) == sorted(CODES)
