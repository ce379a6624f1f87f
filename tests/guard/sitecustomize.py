"""Loaded by every Python process of a guarded run: refuses, and writes down, any word to a host but this machine.

The folder of this file stands first on PYTHONPATH; TAPE_REVIEW_GUARD names the file that attempts are written to.
"""

import os
import sys

_LOCAL = ("127.", "::1", "localhost")
_PLACE = os.environ.get("TAPE_REVIEW_GUARD")


def _refuse(event: str, arguments: tuple) -> None:
    if event in ("socket.connect", "socket.sendto", "socket.sendmsg"):
        host = arguments[1][0] if isinstance(arguments[1], tuple) and arguments[1] else None
    elif event in ("socket.getaddrinfo", "socket.gethostbyname"):
        host = arguments[0]
    else:
        return
    if host is None or str(host).startswith(_LOCAL):
        return  # Unix sockets and this machine
    with open(_PLACE, "a", encoding="utf-8") as file:
        file.write(f"{event} {host}\n")
    raise PermissionError(f"{event} to {host}: this run may not leave the machine")


if _PLACE:
    sys.addaudithook(_refuse)
