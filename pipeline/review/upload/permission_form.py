"""The form in which a member writes down what a client allows: who may hear the tape, for what, and until when."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import Depends, Form
from pydantic import ValidationError
from sqlalchemy.orm import Session

from pipeline.errors import ConsentError, ReviewError, TapesError
from pipeline.review import errors
from pipeline.review.form_fields import OptionalLineOfText
from pipeline.tapes import people
from pipeline.tapes.clock import latest_day, today
from pipeline.tapes.consent import consent_form


@dataclass(frozen=True)
class Method:
    """A way to destroy a tape: its label in the form, and what is written down."""

    label: str
    words: str


METHODS = {
    "key": Method(
        "Its key first, then all files and records", "the tape's key is destroyed, then its files and records"
    ),
    "key_and_paper": Method(
        "The same, and the signed paper is shredded",
        "the tape's key is destroyed, then its files and records; the signed paper is shredded",
    ),
}
"""The ways that the form offers."""

_WRONG = {
    "pseudonym": (
        "the made-up word for the client is not one word",
        "use up to 30 letters or digits without spaces, and never the client's name or initials",
    ),
    "uses": ("the client allowed no use of the tape", "check at least one use that the client agreed to"),
    "destroy_by": ("the last day to keep the tape is not a valid date", "choose a day"),
    "method": ("how the tape will be destroyed is missing", "choose a way, or write down what the client was told"),
    "signed_form": ("how the client agreed is missing", "choose one of the three ways"),
    "signed_on": ("the date of the signature is not a valid date", "choose the date on which the client agreed"),
}
"""What is wrong where a field of the form does not hold what a consent needs, and what to do on the page."""

Choices = Annotated[list[str], Form(max_length=50)]


def allowed(
    pseudonym: OptionalLineOfText = "",
    destroy_by: OptionalLineOfText = "",
    signed_on: OptionalLineOfText = "",
    signed_form: OptionalLineOfText = "",
    method: OptionalLineOfText = "",
    method_told: OptionalLineOfText = "",
    people_named: OptionalLineOfText = "",
    uses: Choices = [],  # noqa: B006 - read only
    group_ids: Choices = [],  # noqa: B006 - read only
) -> dict[str, Any]:
    """The fields of a form that say what a client allows (``submitting/allowed.html``), as they were typed."""
    return {
        "pseudonym": pseudonym,
        "destroy_by": destroy_by,
        "signed_on": signed_on,
        "signed_form": signed_form,
        "method": method,
        "method_told": method_told,
        "people_named": people_named,
        "uses": uses,
        "group_ids": group_ids,
    }


def method_words(typed: dict[str, Any]) -> str:
    """Return how the tape will be destroyed, as it is written down."""
    if typed["method"] in METHODS:
        return METHODS[typed["method"]].words
    return str(typed["method_told"] if typed["method"] == "other" else typed["method"])


def method_fields(words: str) -> dict[str, str]:
    """Return the form's fields for what was written down."""
    chosen = next((name for name, method in METHODS.items() if method.words == words), "other")
    return {"method": chosen, "method_told": words if chosen == "other" else ""}


Allowed = Annotated[dict[str, Any], Depends(allowed)]


def named(text: str) -> list[str]:
    """The addresses in a line, with blanks or commas between."""
    return text.replace(",", " ").split()


def error_message(error: ConsentError | ReviewError) -> str:
    """Return what is wrong with a form, and the remedy."""
    return errors.member_text(error).words


def given(typed: dict[str, Any], named: list[str], now: int) -> consent_form.Terms:
    """Return the client's permission; what is wrong with it is said in the words of the page."""
    try:
        given = consent_form.check(
            {
                "uses": typed["uses"],
                "groups": typed["group_ids"],
                "people": named,
                "method": method_words(typed),
                **{key: typed[key] for key in ("destroy_by", "signed_on", "signed_form", "pseudonym")},
            }
        )
    except ConsentError as error:
        wrong = error.__cause__
        field = str(wrong.errors()[0]["loc"][0]) if isinstance(wrong, ValidationError) else ""
        value, remedy = _WRONG.get(field, ("something in the form is not valid", "check each field"))
        raise ConsentError("D11", error.thing, value, remedy) from error
    if given.destroy_by < today(now):
        value = "the last day to keep the tape is in the past"
        raise ConsentError("D11", "consent form", value, "choose today or a later day")
    if given.signed_on > latest_day(now):
        value = "the date of the signature is in the future"
        raise ConsentError("D11", "consent form", value, "choose the date on which the client agreed")
    return given


def require_accounts(database: Session, named: list[str]) -> None:
    """Refuse an address that nobody here has, and say which."""
    for address in named:
        try:
            people.find(database, address)
        except TapesError as error:
            value = f"nobody here has the e-mail address {address}"
            remedy = "correct it under 'And these people', or remove it"
            raise ReviewError("R03", "form", value, remedy) from error
