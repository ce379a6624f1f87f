"""The one program that speaks to a model hub: one file of a pinned revision, from where an earlier try left off.

It runs in a process of its own, because ours is offline for good. It writes a line of JSON for each part that arrived
(``{"bytes": n}``), and where it fails one that says how. The parent checks what came.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import httpx
from huggingface_hub import get_token, hf_hub_url

_BLOCK = 1 << 16  # what a broken connection costs at most
_TIMEOUT = 30.0  # s without a byte
_GONE = frozenset({"RevisionNotFound", "EntryNotFound"})  # what the hub says in X-Error-Code
_HIDDEN = frozenset({httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN})


class AnotherFileError(Exception):
    """The hub has a file of another size under this name."""


def main(request: dict[str, str | int]) -> int:
    """Download the file of the request; 0 where it is whole, 1 where it failed."""
    url = hf_hub_url(str(request["repository"]), str(request["name"]), revision=str(request["revision"]))
    partial, size = Path(str(request["partial"])), int(request["size"])
    try:
        while not _complete(partial, size):
            before = _length(partial)
            try:
                _append(url, partial, size)
            except httpx.TransportError:
                if _length(partial) == before:  # not a byte came: a further try would end alike
                    raise
    except AnotherFileError:
        return _fail("altered", "")
    except httpx.HTTPStatusError as error:
        return _refused(error.response)
    except (httpx.HTTPError, OSError) as error:
        return _fail("other", str(error).strip() or type(error).__name__)
    return 0


def _refused(response: httpx.Response) -> int:
    """Report why the hub does not give the file."""
    if response.headers.get("X-Error-Code") in _GONE or response.status_code == httpx.codes.NOT_FOUND:
        return _fail("gone", "")
    if response.status_code in _HIDDEN:
        return _fail("gated", "")
    return _fail("other", f"the hub answers {response.status_code} {response.reason_phrase}")


def _complete(partial: Path, size: int) -> bool:
    """Whether as much has come as the catalog says; one byte more is enough to know that it is another file."""
    return _length(partial) >= size


def _length(partial: Path) -> int:
    return partial.stat().st_size if partial.exists() else 0


def _append(url: str, partial: Path, size: int) -> None:
    length = _length(partial)
    headers = {"Accept-Encoding": "identity"} | _authorization() | ({"Range": f"bytes={length}-"} if length else {})
    with httpx.stream("GET", url, headers=headers, timeout=_TIMEOUT, follow_redirects=True) as response:
        response.raise_for_status()
        resumed = response.status_code == httpx.codes.PARTIAL_CONTENT
        announced = response.headers.get("Content-Length")
        if announced and int(announced) + (length if resumed else 0) != size:
            raise AnotherFileError
        with partial.open("ab" if resumed else "wb") as file:
            for block in response.iter_raw(_BLOCK):
                file.write(block[: size + 1 - file.tell()])
                file.flush()
                _print(bytes=file.tell())
                if file.tell() > size:
                    return
    if _length(partial) <= length < size:
        raise httpx.RemoteProtocolError("the file ends too early")


def _authorization() -> dict[str, str]:
    token = get_token()
    return {"Authorization": f"Bearer {token}"} if token else {}


def _fail(failure: str, reason: str) -> int:
    _print(failure=failure, reason=reason, token="yes" if get_token() else "no")
    return 1


def _print(**message: str | int) -> None:
    print(json.dumps(message), flush=True)


if __name__ == "__main__":
    sys.exit(main(json.loads(sys.argv[1])))
