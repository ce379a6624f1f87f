"""HTML from templates."""

from __future__ import annotations

from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from pipeline.formats import plain_text
from pipeline.timeline import clock


def templates(package: str) -> Environment:
    """The templates of a package: everything is escaped, and a name that is not there is an error.

    The filter ``stamp`` writes milliseconds as minutes and seconds.
    """
    environment = Environment(
        loader=PackageLoader(package),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_printable,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["stamp"] = clock
    return environment


def _printable(value: Any) -> Any:
    """Return what a template prints, without characters that a page or a file cannot hold."""
    return plain_text.without_controls(value) if isinstance(value, str) and not isinstance(value, Markup) else value
