"""The zero from which times count, as a sentence that people and programs read."""

from __future__ import annotations

import pytest

from pipeline.formats import time_origin


@pytest.mark.parametrize("zero", [0, 1, 30_000, 999_999_999])
def test_a_zero_comes_back_from_within_a_remark(zero: int) -> None:
    assert time_origin.parse(f"% note: {time_origin.sentence(zero)}. Else.") == zero


@pytest.mark.parametrize(
    "text", ["", "time 0 is 30 s into the recording", "time 0 is -1.000 s into the recording", None]
)
def test_what_names_no_zero_has_none(text: object) -> None:
    assert time_origin.parse(text) is None
