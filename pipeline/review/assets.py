"""Style sheets, scripts and pictures, served from our own origin under names that may be kept for ever.

`Assets.url` puts a digest of the file's content into its address, so that a browser keeps it until the content changes.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from urllib.parse import parse_qs

from starlette.responses import Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from pipeline.files import sha256

FOLDER = Path(__file__).parent / "static"


@cache
def digest(name: str) -> str | None:
    """The first digits of a file's SHA-256; None where there is no such file."""
    path = FOLDER / name
    return sha256(path)[:16] if path.is_file() else None


def url(name: str) -> str:
    """The address of a file in the static folder, for templates: ``/static/style.css?v=…``.

    Raises
    ------
    KeyError: there is no such file.
    """
    version = digest(name)
    if version is None:
        raise KeyError(f"the static folder holds no {name}; build it with `make install`")
    return f"/static/{name}?v={version}"


class Assets(StaticFiles):
    """The static folder; what is asked for by its digest may be kept for a year."""

    def __init__(self) -> None:
        super().__init__(directory=FOLDER)

    async def get_response(self, path: str, scope: Scope) -> Response:
        """The file, with how long it may be kept."""
        response = await super().get_response(path, scope)
        if response.headers.get("Content-Type") == "image/svg+xml":  # text, too
            response.headers["Content-Type"] = "image/svg+xml; charset=utf-8"
        version = parse_qs(scope.get("query_string", b"").decode("latin-1")).get("v", [""])[0]
        lasting = version and version == digest(path)
        response.headers["Cache-Control"] = "public, max-age=31536000, immutable" if lasting else "no-cache"
        return response
