"""How a tape will be destroyed: a choice, or what the client was told."""

from __future__ import annotations

import pytest

from pipeline.review.upload import permission_form
from pipeline.review.upload.permission_form import METHODS


@pytest.mark.parametrize("name", METHODS)
def test_a_choice_is_written_down_in_words_and_found_again(name: str) -> None:
    words = permission_form.method_words({"method": name, "method_told": "ignored"})
    assert words == METHODS[name].words
    assert permission_form.method_fields(words) == {"method": name, "method_told": ""}


def test_other_words_are_those_that_the_client_was_told() -> None:
    told = {"method": "other", "method_told": "the disk is burned"}
    assert permission_form.method_words(told) == "the disk is burned"
    assert permission_form.method_fields("the disk is burned") == told
    assert permission_form.method_words({"method": "other", "method_told": ""}) == ""
    # A script of the form's earlier days sends the words themselves.
    assert permission_form.method_words({"method": "the disk is burned", "method_told": ""}) == "the disk is burned"
