"""The guard that other tests rely on does refuse, and does write down."""

import sys
from pathlib import Path

import pytest

from tests.guard import guarded


@pytest.mark.parametrize(
    "attempt",
    [
        "socket.create_connection(('192.0.2.1', 80), timeout=1)",
        "socket.getaddrinfo('example.org', 443)",
        "socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b'x', ('192.0.2.1', 53))",
    ],
)
def test_word_to_another_host_is_refused_and_written_down(tmp_path: Path, attempt: str) -> None:
    done = guarded([sys.executable, "-c", f"import socket; {attempt}"], tmp_path / "attempts")
    assert done.returncode == 1
    assert "may not leave the machine" in done.stderr
    assert len((tmp_path / "attempts").read_text().splitlines()) == 1


def test_this_machine_may_be_reached(tmp_path: Path) -> None:
    local = "import socket; a, b = socket.socketpair(); a.sendall(b'x'); print(b.recv(1))"
    done = guarded([sys.executable, "-c", local], tmp_path / "attempts")
    assert done.stdout == "b'x'\n"
    assert (tmp_path / "attempts").read_text() == ""
