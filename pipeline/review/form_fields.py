"""Fields of forms and addresses: lines, longer texts, ids; cleaned of characters that no page or database takes."""

from __future__ import annotations

from datetime import date
from typing import Annotated

from fastapi import Form, Path, Query
from pydantic import AfterValidator, BeforeValidator

from pipeline.formats import plain_text

ID = r"^[0-9a-f]{16}$"


def cleaned(text: object) -> object:
    """A text without control characters and blanks around it; line ends as one character."""
    return plain_text.without_controls(text, "").replace("\r\n", "\n").strip() if isinstance(text, str) else text


def one_line(text: str) -> str:
    """A text whose line ends are blanks."""
    return " ".join(text.split())


_Clean = BeforeValidator(cleaned)

LineOfText = Annotated[str, _Clean, AfterValidator(one_line), Form(min_length=1, max_length=200)]
"""A required line: a name, an address."""

OptionalLineOfText = Annotated[str, _Clean, AfterValidator(one_line), Form(max_length=200)]
"""A line that may be empty."""

OptionalAddress = Annotated[str, _Clean, AfterValidator(one_line), Form(max_length=500)]
"""A place, or the address of a video call, which is longer than a line; may be empty."""

Text = Annotated[str, _Clean, Form(min_length=1, max_length=4000)]
"""A required longer text."""

OptionalText = Annotated[str, _Clean, Form(max_length=4000)]
"""A longer text that may be empty."""

Secret = Annotated[str, Form(min_length=1, max_length=1024)]
"""A password or code, as it was typed."""

Id = Annotated[str, Path(pattern=ID)]
"""An id in an address; another form is a page that does not exist."""

FormId = Annotated[str, Form(pattern=ID)]
"""An id in a form."""

AfterQuery = Annotated[str, Query(pattern=rf"^$|{ID}")]
"""The id of the row behind which a long list goes on, or nothing."""

FindQuery = Annotated[str, _Clean, AfterValidator(one_line), Query(max_length=200)]
"""Letters to look for in a long list, or nothing."""


def day(text: str) -> date | None:
    """The day of a date field; None where it holds none."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


CodebookQuery = Annotated[str, Query(max_length=80)]
"""The codebook in which a page shows codes."""

CodebookName = Annotated[str, Form(max_length=80)]
"""The codebook that a form names."""
