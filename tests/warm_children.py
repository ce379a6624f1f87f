"""Children that start warm: processes of ours that read a stranger's file are forked from one that has imported all.

The program starts a Python for each recording and each transcript, which takes longer than most of them do. Here, what
is started is a small program that hands its open files and arguments to a warm process, which forks; the child
then does what it would have done, limits included. A signal to the one ends the other. `tests/audio/test_decoder.py`
and `tests/formats/test_transcript_process.py` start cold, as the program does. Linux only; elsewhere all start cold.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from pathlib import Path

WAITS = 60.0
"""Seconds in which a warm process must be there, on a busy machine."""

_MOST_STREAMS = 16
_ASIDE = 500  # a file's number that no child of ours is started with

CLIENT = """
import _socket, array, os, sys
streams = [0, 1, 2]
for number in sorted(map(int, os.listdir("/proc/self/fd"))):
    try:
        if number > 2 and os.fstat(number):
            streams.append(number)
    except OSError:  # the list's own, which is closed
        pass
connection = _socket.socket(_socket.AF_UNIX, _socket.SOCK_STREAM)
connection.connect({address!r})
message = "\\0".join([str(os.getppid()), ",".join(map(str, streams)), *sys.argv[1:]]).encode()
rights = (_socket.SOL_SOCKET, _socket.SCM_RIGHTS, array.array("i", streams))
connection.sendmsg([len(message).to_bytes(4, "big")], [rights])
connection.sendall(message)
for stream in streams:
    os.close(stream)
status = int(connection.recv(16) or b"-9")
os.kill(os.getpid(), -status) if status < 0 else os._exit(status)
"""
"""What is started in the place of a child: what it inherited and its arguments go, its exit status comes."""

SERVER = """
import json, sys
sys.path[:] = json.loads(sys.argv[1])
from tests.warm_children import serve
serve(sys.argv[2], sys.argv[3], sys.argv[4])
"""


class WarmEntry(os.PathLike[str]):
    """Stands for the program text of a child, in the place of ``entry``, in a command that is to be started.

    ``imports`` is what the warm process executes first; its socket is made in ``folder``.
    """

    def __init__(self, entry: str, imports: str, folder: Path) -> None:
        self.entry, self._imports, self._folder = entry, imports, folder
        self._lock = threading.Lock()
        self._server: subprocess.Popen[bytes] | None = None

    def __fspath__(self) -> str:
        address = str(self._folder / "warm")
        with self._lock:
            if self._server is None:
                self._server = self._started(address)
        return CLIENT.format(address=address)

    def _started(self, address: str) -> subprocess.Popen[bytes]:
        kept = {name: os.environ[name] for name in ("PATH", "LD_LIBRARY_PATH") if name in os.environ}
        paths = [str(Path(__file__).parents[1]), *(path for path in sys.path if path)]
        command = [sys.executable, "-I", "-c", SERVER, json.dumps(paths), address, self._imports, self.entry]
        server = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,  # its end is ours
            stdout=subprocess.PIPE,
            cwd="/",
            env=kept | {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"},
            start_new_session=True,
        )
        assert server.stdout is not None
        assert server.stdout.readline() == b"warm\n"
        return server

    def close(self) -> None:
        if self._server is not None:
            self._server.kill()
            self._server.communicate()


def serve(address: str, imports: str, entry: str) -> None:
    """Fork a child for each connection until standard input ends."""
    import select
    import socket
    from contextlib import suppress

    exec(imports, {})  # noqa: S102 - a test's
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    listener.bind(address)
    listener.listen(64)
    os.write(1, b"warm\n")
    nothing = os.open(os.devnull, os.O_RDWR)
    os.dup2(nothing, 1)
    while True:
        ready, _, _ = select.select([0, listener], [], [])
        if 0 in ready:
            os._exit(0)
        connection, _ = listener.accept()
        if os.fork() == 0:
            listener.close()
            _watch(connection, entry)
            os._exit(0)
        connection.close()
        with suppress(ChildProcessError):
            while os.waitpid(-1, os.WNOHANG) != (0, 0):
                pass


def _watch(connection, entry: str) -> None:  # type: ignore[no-untyped-def]  # a socket, which is imported when needed
    """Fork the child of one connection, send its exit status, and end it where nobody waits for that any more."""
    import select
    import signal
    import socket

    head, streams, _, _ = socket.recv_fds(connection, 4, _MOST_STREAMS)
    message, length = b"", int.from_bytes(head, "big")
    while len(message) < length:
        message += connection.recv(length - len(message))
    parent, numbers, *arguments = message.decode().split("\0")
    child = os.fork()
    if child == 0:
        connection.close()
        _become(int(parent), dict(zip(map(int, numbers.split(",")), streams, strict=True)), entry, arguments)
    for stream in streams:
        os.close(stream)
    for stream in (0, 1, 2):
        os.dup2(os.open(os.devnull, os.O_RDWR), stream)
    descriptor = os.pidfd_open(child)
    ready, _, _ = select.select([descriptor, connection], [], [])
    if descriptor not in ready:
        os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    if connection not in ready:
        connection.sendall(str(os.waitstatus_to_exitcode(status)).encode())


def _become(parent: int, streams: dict[int, int], entry: str, arguments: list[str]) -> None:
    """Be the child that was asked for: with its streams by their numbers, its arguments and its parent."""
    import fcntl

    aside = {number: fcntl.fcntl(stream, fcntl.F_DUPFD, _ASIDE) for number, stream in streams.items()}
    for stream in streams.values():
        os.close(stream)
    for number, stream in aside.items():
        os.dup2(stream, number)
        os.close(stream)
    os.getppid = lambda: parent
    sys.argv = ["-c", *arguments]
    status = 0
    try:
        exec(entry, {"__name__": "__main__"})  # noqa: S102 - the program's
    except SystemExit as end:
        status = int(end.code or 0)
    except BaseException:
        import traceback

        traceback.print_exc()
        status = 1
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)
