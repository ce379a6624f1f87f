"""Times as members type them."""

import pytest
import typer

from pipeline.cli._shared import options
from pipeline.cli._shared.options import clock, required_target, voice_count


@pytest.mark.parametrize(
    ("typed", "milliseconds"),
    [
        ("0", 0),
        ("90", 90_000),
        ("1:30", 90_000),
        ("12.5", 12_500),
        ("0:01:30.250", 90_250),
        ("1:02:03", 3_723_000),
        ("75:00", 4_500_000),
    ],
)
def test_clock(typed: str, milliseconds: int) -> None:
    assert clock(typed) == milliseconds


@pytest.mark.parametrize("typed", ["", "abc", "1:2:3:4", "-5", "1:-3", "5 minutes", "1:75", "nan"])
def test_what_is_no_time_is_refused(typed: str) -> None:
    with pytest.raises(typer.BadParameter):
        clock(typed)


def test_no_time_stays_none() -> None:
    assert clock(None) is None


def test_the_number_of_voices() -> None:
    assert [voice_count(text) for text in ("2", "12", "auto")] == [2, 12, None]


@pytest.mark.parametrize("typed", ["0", "-1", "two", "", "\u00b2", "1.5"])
def test_what_is_no_number_of_voices_is_refused(typed: str) -> None:
    """A superscript two is a digit to Python, and no number."""
    with pytest.raises(typer.BadParameter, match="number of voices"):
        voice_count(typed)


def test_a_target_behavior_of_blanks_is_none() -> None:
    assert required_target(" drinking less ") == "drinking less"
    with pytest.raises(typer.BadParameter, match="name the change"):
        required_target(" \t")


def test_roles_are_given_voice_by_voice() -> None:
    assert options.roles("S1=interviewer, S2=client,S3=other", None) == {
        "S1": "interviewer",
        "S2": "client",
        "S3": "other",
    }
    assert options.roles("a=b=client", None) == {"a=b": "client"}
    assert options.roles(None, "S1") is None


@pytest.mark.parametrize("text", ["", "S1", "S1=", "=client", "S1=host", "S1=client,S1=client", "S1=client,"])
def test_roles_that_name_no_voice_or_no_role_are_refused(text: str) -> None:
    with pytest.raises(typer.BadParameter):
        options.roles(text, None)


def test_roles_and_the_interviewer_alone_exclude_each_other() -> None:
    with pytest.raises(typer.BadParameter, match="give one of the two"):
        options.roles("S1=client", "S1")
