"""Templates escape everything, print nothing that a file cannot hold, and know every name."""

from __future__ import annotations

import pytest
from jinja2 import Environment, UndefinedError
from markupsafe import Markup

from pipeline.report.templating import templates


@pytest.fixture(scope="module")
def environment() -> Environment:
    return templates("pipeline.report")


def test_text_is_escaped_and_markup_stays(environment: Environment) -> None:
    template = environment.from_string("{{ text }}{{ mark }}")
    assert template.render(text="<b>", mark=Markup("<i>")) == "&lt;b&gt;<i>"


def test_characters_that_no_file_can_hold_are_replaced(environment: Environment) -> None:
    assert environment.from_string("{{ text }}").render(text="a\x00b") == "a\ufffdb"


def test_a_name_that_is_not_there_is_an_error(environment: Environment) -> None:
    with pytest.raises(UndefinedError, match="nowhere"):
        environment.from_string("{{ nowhere }}").render()


def test_a_stamp_is_minutes_and_seconds(environment: Environment) -> None:
    assert environment.from_string("{{ 61500 | stamp }}").render() == "1:01"
